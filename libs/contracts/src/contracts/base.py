"""The base of every event: what all bodies share, and the catalogue that they register themselves in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SERVICES: Final = ("gateway", "billing", "ai", "exports", "uploads")

CATALOGUE: dict[str, type[Event]] = {}
"""Every event by its CloudEvents type, filled as the producer modules are imported (`contracts.load()`)."""


@dataclass(frozen=True, slots=True)
class EventMeta:
    """Where an event belongs: `service.entity.fact`, its version, and the field that names its aggregate."""

    service: str
    entity: str
    fact: str
    aggregate: str
    version: int = 1

    @property
    def type(self) -> str:
        """CloudEvents `type`, for example `bidwright.billing.entitlements.changed.v1`."""
        return f"bidwright.{self.service}.{self.entity}.{self.fact}.v{self.version}"

    @property
    def subject(self) -> str:
        """NATS subject, for example `events.billing.entitlements.changed`."""
        return f"events.{self.service}.{self.entity}.{self.fact}"


class Event(BaseModel):
    """A fact about one aggregate of one org, carrying the new state that a consumer needs.

    `version` grows by exactly 1 with each event of the same aggregate, so that a consumer can drop a stale one and wait
    for a missing one. Unknown fields are ignored: a newer producer must not break an older consumer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    META: ClassVar[EventMeta]
    EXAMPLE: ClassVar[dict[str, Any]]

    org_id: UUID
    version: int = Field(ge=1, description="Of the aggregate; +1 with each event")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if hasattr(cls, "META"):
            CATALOGUE[cls.META.type] = cls

    @property
    def aggregate_id(self) -> str:
        """The aggregate that `version` counts for, as text."""
        return str(getattr(self, self.META.aggregate))


def load() -> dict[str, type[Event]]:
    """Imports every producer module and returns the full catalogue."""
    import importlib

    for service in SERVICES:
        importlib.import_module(f"contracts.{service}")
    return CATALOGUE
