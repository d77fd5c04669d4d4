"""The rules: what a subscription gives, what a tier allows, when a period ends. No I/O; the time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from contracts.billing import TIERS, Limits, Tier

PriceName = Literal["pro_monthly", "pro_yearly", "enterprise_monthly", "bundle_1", "bundle_10", "bundle_25"]

TIER_OF_PRICE: Final[Mapping[str, Tier]] = {
    "pro_monthly": "pro",
    "pro_yearly": "pro",
    "enterprise_monthly": "enterprise",
}
CREDITS_OF_PRICE: Final[Mapping[str, int]] = {"bundle_1": 1, "bundle_10": 10, "bundle_25": 25}
PAID_STATUSES: Final = frozenset({"active", "trialing"})
ENDED_STATUSES: Final = frozenset({"canceled", "incomplete_expired"})
"""Stripe never leaves these: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses."""


class PriceBook:
    """Our names for Stripe's price ids, both ways."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = dict(ids)
        self._names = {price_id: name for name, price_id in ids.items()}

    def id_of(self, name: str) -> str | None:
        """Stripe's price id, or None when this deployment does not sell it."""
        return self._ids.get(name)

    def name_of(self, price_id: str | None) -> str | None:
        """Our name of Stripe's price, or None when it is not ours."""
        return self._names.get(price_id or "")


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """What each tier allows, from settings; None where there is no cap."""

    free_active_cap: int
    pro_monthly_cap: int
    pro_per_seat: int
    enterprise_monthly_cap: int | None
    storage_bytes: Mapping[Tier, int]
    ai_per_minute: Mapping[Tier, int]
    ai_daily: Mapping[Tier, int | None]
    ai_monthly_tokens: Mapping[Tier, int | None]
    upload_max_bytes: int
    grace_days: int

    def limits(self, tier: Tier, seats: int | None) -> Limits:
        """The limits of an org on `tier` with that many paid seats."""
        return Limits(
            active_cap=self.free_active_cap if tier == "free" else None,
            monthly_cap=self._monthly_cap(tier, seats),
            seats=1 if tier == "free" else seats,
            ai_per_minute=self.ai_per_minute[tier],
            ai_daily=self.ai_daily[tier],
            ai_monthly_tokens=self.ai_monthly_tokens[tier],
            storage_bytes=self.storage_bytes[tier],
            upload_max_bytes=self.upload_max_bytes,
        )

    def _monthly_cap(self, tier: Tier, seats: int | None) -> int | None:
        if tier == "pro":
            return seats * self.pro_per_seat if seats else self.pro_monthly_cap
        return self.enterprise_monthly_cap if tier == "enterprise" else None


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A Stripe subscription, as far as it matters here."""

    subscription_id: str
    customer_id: str | None
    status: str
    price: str | None
    """Our name of its price; None when it is not one of ours, which gives no tier."""
    seats: int | None
    cancel_at_period_end: bool
    period_start: datetime | None
    period_end: datetime | None
    discount: str | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an org may do, and until when this needs no second look."""

    tier: Tier
    status: str
    limits: Limits
    period_start: datetime
    period_end: datetime
    grace_ends_at: datetime | None
    review_at: datetime
    """When time alone changes it: the period ends, or the grace does."""


def grace(rules: QuotaRules) -> timedelta:
    """How long a tier is kept from the first failed payment."""
    return timedelta(days=rules.grace_days)


def entitlement(
    subscriptions: Iterable[SubscriptionState], *, first_failed_at: datetime | None, rules: QuotaRules, now: datetime
) -> Entitlement:
    """The best that any of the org's subscriptions gives; free when none gives anything.

    Args:
        first_failed_at: when the payment that is still owed first failed.
    """
    best: Entitlement | None = None
    for subscription in subscriptions:
        candidate = _entitlement_of(subscription, first_failed_at=first_failed_at, rules=rules, now=now)
        if best is None or _rank(candidate) > _rank(best):
            best = candidate
    if best is not None:
        return best
    start, end = calendar_month(now)
    return Entitlement("free", "none", rules.limits("free", None), start, end, None, end)


def current_subscription(subscriptions: Iterable[SubscriptionState]) -> SubscriptionState | None:
    """The plan that the org has now: one that has not ended, a paid one before one that is not."""
    running = [subscription for subscription in subscriptions if subscription.status not in ENDED_STATUSES]
    return max(running, key=lambda it: it.status in PAID_STATUSES, default=None)


def _rank(candidate: Entitlement) -> tuple[int, bool]:
    return TIERS.index(candidate.tier), candidate.status not in ENDED_STATUSES


def _entitlement_of(
    subscription: SubscriptionState, *, first_failed_at: datetime | None, rules: QuotaRules, now: datetime
) -> Entitlement:
    bought = TIER_OF_PRICE.get(subscription.price or "", "free")
    status, grace_ends_at = subscription.status, None
    tier: Tier = "free"
    # A cancelled period ends with its time; Stripe's word that it did may come later, or get lost.
    ends_at = subscription.period_end if subscription.cancel_at_period_end else None
    if ends_at is not None and ends_at <= now:
        status = status if status in ENDED_STATUSES else "canceled"
    elif status in PAID_STATUSES:
        tier = bought
    elif status == "past_due":
        grace_ends_at = (first_failed_at or now) + grace(rules)
        tier = bought if now < grace_ends_at else "free"
    seats = subscription.seats if tier != "free" else None
    start, end = _period(subscription, now) if tier != "free" else calendar_month(now)
    review_at = min([end, *(it for it in (grace_ends_at, ends_at) if it is not None and it > now)])
    return Entitlement(tier, status, rules.limits(tier, seats), start, end, grace_ends_at, review_at)


def calendar_month(now: datetime) -> tuple[datetime, datetime]:
    """The month of `now`, in UTC: its first moment and that of the next."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, add_months(start, 1)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time `months` later; the month's last day where it has no such day (as Stripe anchors)."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


def _period(subscription: SubscriptionState, now: datetime) -> tuple[datetime, datetime]:
    """The month that quotas count in, anchored at the subscription's own period: a yearly one has twelve of them."""
    anchor = subscription.period_start
    if anchor is None or anchor > now:
        return calendar_month(now)
    months = (now.year - anchor.year) * 12 + now.month - anchor.month
    while add_months(anchor, months) > now:
        months -= 1
    return add_months(anchor, months), add_months(anchor, months + 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an org has used."""

    active: int
    ever: int
    created_this_period: int
    extras_left: int
    seats: int
    ai_requests_today: int
    ai_tokens_this_month: int
    storage_bytes: int


def creation_refusal(limits: Limits, usage: Usage) -> Literal["active_cap_reached", "monthly_cap_reached"] | None:
    """Why no proposal can be made now, or None. Extras are used once the cap of the tier is reached."""
    if usage.extras_left > 0:
        return None
    if limits.active_cap is not None and usage.ever >= limits.active_cap:
        return "active_cap_reached"
    if limits.monthly_cap is not None and usage.created_this_period >= limits.monthly_cap:
        return "monthly_cap_reached"
    return None
