"""What every part of the fake works on: the store, the clock, the faults, and how an event comes about."""

from __future__ import annotations

import asyncio
import copy
import secrets
import string
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stripe_fake import API_VERSION
from stripe_fake.config import Config
from stripe_fake.errors import MissingObject
from stripe_fake.faults import Faults
from stripe_fake.store import Obj, Store

Held = tuple[str, Obj, dict[str, Any] | None]

_ALPHABET = string.ascii_letters + string.digits
_TITLES = {
    "checkout.session": "checkout session",
    "billing_portal.session": "portal session",
    "promotion_code": "promotion code",
    "test_helpers.test_clock": "test clock",
    "webhook_endpoint": "webhook endpoint",
}


def new_id(prefix: str, length: int = 24) -> str:
    """An id as Stripe makes them: a prefix that names the kind, then random letters and digits."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass
class World:
    """One account's state and surroundings."""

    config: Config
    store: Store
    faults: Faults = field(default_factory=Faults)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    request_id: str | None = None
    idempotency_key: str | None = None
    _held: list[Held] | None = None
    _frozen: int | None = None

    def now(self) -> int:
        """The time of day, or that of the test clock which is being read."""
        return int(time.time()) if self._frozen is None else self._frozen

    @contextmanager
    def at(self, moment: int | None) -> Iterator[None]:
        """Let it be another time inside; None leaves it as it is."""
        before = self._frozen
        self._frozen = before if moment is None else moment
        try:
            yield
        finally:
            self._frozen = before

    def get(self, kind: str, object_id: str, *, param: str | None = None) -> Obj:
        """The object, or Stripe's refusal: 404 for an id in the path, 400 for one in the parameter `param`."""
        found = self.store.get(kind, object_id)
        if found is None:
            raise MissingObject(_TITLES.get(kind, kind), object_id, param=param)
        return found

    @contextmanager
    def held(self) -> Iterator[list[Held]]:
        """Keep events back, so that one which tells of the whole can go out before its parts; `release` sends them."""
        kept: list[Held] = []
        outer, self._held = self._held, kept
        try:
            yield kept
        finally:
            self._held = outer

    def release(self, kept: list[Held]) -> None:
        for event_type, obj, previous in kept:
            self.emit(event_type, obj, previous)

    def emit(self, event_type: str, obj: Obj, previous: dict[str, Any] | None = None) -> None:
        """Record an event with the object's state of now, and plan its delivery."""
        obj = copy.deepcopy(visible(obj))
        if self._held is not None:
            self._held.append((event_type, obj, previous))
            return
        data: Obj = {"object": obj}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self.store.put(
            {
                "id": new_id("evt"),
                "object": "event",
                "account": None,
                "api_version": API_VERSION,
                "context": None,
                "created": self.now(),
                "data": data,
                "livemode": False,
                "pending_webhooks": len(self._listeners(event_type)),
                "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
                "type": event_type,
            }
        )
        self.deliver(event)

    def deliver(self, event: Obj, endpoint_id: str | None = None) -> None:
        """Plan the deliveries of an event, faults included, to those who want it or to one endpoint."""
        listeners = self._listeners(event["type"]) if endpoint_id is None else [endpoint_id]
        if not listeners:
            return
        now = time.time()
        planned = self.faults.plan(now)
        for listener in listeners:
            for due_at in planned:
                self.store.add_delivery(event, listener, due_at, now)
            if not planned:
                self.store.add_delivery(event, listener, now, now, status="dropped")

    def _listeners(self, event_type: str) -> list[str]:
        return [
            row["id"]
            for row in self.store.all("webhook_endpoint")
            if row["status"] == "enabled" and (row["enabled_events"] == ["*"] or event_type in row["enabled_events"])
        ]


def visible(obj: Obj) -> Obj:
    """Without what only `expand` shows (kept under names with a leading underscore)."""
    return {key: value for key, value in obj.items() if not key.startswith("_")}
