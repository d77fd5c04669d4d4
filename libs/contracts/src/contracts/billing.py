"""What billing publishes: what an org has bought, and so what it may do."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.base import Event, EventMeta

Tier = Literal["free", "pro", "enterprise"]
TIERS: tuple[Tier, ...] = ("free", "pro", "enterprise")
CapName = Literal["active_cap", "monthly_cap", "seats", "ai_daily", "ai_monthly_tokens", "storage_bytes"]
"""The fields of `Limits` that usage is counted against."""
THRESHOLDS: tuple[int, ...] = (70, 90, 100)
"""Per cent of a cap at which it is told that it will soon be, or is, used up."""

_ORG = "01920000-0000-7000-8000-000000000001"
_LIMITS = {
    "active_cap": 1,
    "monthly_cap": None,
    "seats": 1,
    "ai_per_minute": 0,
    "ai_daily": None,
    "ai_monthly_tokens": None,
    "storage_bytes": 104857600,
    "upload_max_bytes": 10485760,
}


class Limits(BaseModel):
    """What a tier allows; None where there is no cap. Sizes are bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    active_cap: int | None
    """Proposals ever made (free)."""
    monthly_cap: int | None
    """Proposals in a period (pro, enterprise)."""
    seats: int | None
    ai_per_minute: int | None
    ai_daily: int | None
    ai_monthly_tokens: int | None
    storage_bytes: int | None
    upload_max_bytes: int


class SubscriptionChanged(Event):
    """The org's subscription as billing now knows it."""

    META = EventMeta("billing", "subscription", "changed", "org_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "subscription_id": "sub_1",
        "status": "active",
        "price": "pro_monthly",
        "seats": 3,
        "cancel_at_period_end": False,
        "current_period_end": "2026-12-01T09:00:00Z",
    }

    subscription_id: str | None
    status: str
    price: str | None
    seats: int | None
    cancel_at_period_end: bool
    current_period_end: datetime | None
    news: Literal["cancel_scheduled", "ended"] | None = None
    """What of this a person should hear of; told once, with the change itself."""


class EntitlementsChanged(Event):
    """What the org may do from now on. Consumers keep the newest copy and gate from it."""

    META = EventMeta("billing", "entitlements", "changed", "org_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "tier": "free",
        "status": "none",
        "limits": _LIMITS,
        "extras_granted": 0,
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
        "grace_ends_at": None,
    }

    tier: Tier
    status: str
    limits: Limits
    extras_granted: int
    """Bundle credits ever granted; the spender subtracts what it has ever used."""
    period_start: datetime
    period_end: datetime
    grace_ends_at: datetime | None


class CreditsGranted(Event):
    """A paid bundle was credited, once."""

    META = EventMeta("billing", "credits", "granted", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "credits": 10, "extras_granted": 10, "source": "cs_test_1"}

    credits: int
    extras_granted: int
    source: str


class PaymentFailed(Event):
    """A payment failed; the tier is kept until `grace_ends_at`."""

    META = EventMeta("billing", "payment", "failed", "org_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "invoice_id": "in_1",
        "failed_at": "2026-11-05T09:00:00Z",
        "grace_ends_at": "2026-11-08T09:00:00Z",
    }

    invoice_id: str
    failed_at: datetime
    grace_ends_at: datetime


class UsageThresholdReached(Event):
    """Usage has come to 70, 90 or 100 per cent of a cap: told once for each cap, threshold and period."""

    META = EventMeta("billing", "usage", "threshold_reached", "org_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "cap": "monthly_cap",
        "threshold": 90,
        "used": 18,
        "limit": 20,
        "extras_left": 0,
        "tier": "pro",
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
    }

    cap: CapName
    threshold: int
    """Per cent. One event can pass several; each is a fact of its own, so the highest alone needs telling a person."""
    used: int
    limit: int
    extras_left: int
    """Bundle credits, which proposals are charged to once the cap is used up."""
    tier: Tier
    period_start: datetime
    period_end: datetime

    @property
    def is_highest(self) -> bool:
        """Whether usage had not passed the next threshold as well."""
        return self.threshold == max(it for it in THRESHOLDS if self.used * 100 >= it * self.limit)


class OrgErased(Event):
    """Receipt: billing has erased what it may erase of this org."""

    META = EventMeta("billing", "org", "erased", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "erased_at": "2026-11-02T09:00:05Z"}

    erased_at: datetime


class UserErased(Event):
    """Receipt: billing has erased what it kept of this person."""

    META = EventMeta("billing", "user", "erased", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _ORG, "erased_at": "2026-11-02T09:00:05Z"}

    user_id: UUID
    erased_at: datetime
