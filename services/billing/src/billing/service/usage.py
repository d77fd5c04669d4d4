"""What an org may do and what it has used: the answer to `GET /api/usage`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing import domain
from billing.deps import Deps
from billing.domain import SubscriptionState, Usage
from billing.repository import BillingRepository
from common.db import Tenant
from common.identity import Identity
from contracts.billing import Limits


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Everything that the usage page shows."""

    name: str
    personal: bool
    tier: str
    status: str
    grace_ends_at: datetime | None
    limits: Limits
    usage: Usage
    period_start: datetime
    period_end: datetime
    refusal: str | None
    subscription: SubscriptionState | None


NOTHING_USED = Usage(
    active=0,
    ever=0,
    created_this_period=0,
    extras_left=0,
    seats=1,
    ai_requests_today=0,
    ai_tokens_this_month=0,
    storage_bytes=0,
)


async def report(deps: Deps, identity: Identity) -> UsageReport:
    """The org's usage; what a new org has, while the event that it exists is still on its way here."""
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant(org_id=identity.org_id, user_id=identity.user_id)) as uow:
        known = await BillingRepository(uow, identity.org_id).counts.overview(now=now)
    if known is None:
        free = domain.entitlement([], first_failed_at=None, rules=deps.rules, now=now)
        return UsageReport(
            name=identity.org_name,
            personal=False,
            tier=free.tier,
            status=free.status,
            grace_ends_at=free.grace_ends_at,
            limits=free.limits,
            usage=NOTHING_USED,
            period_start=free.period_start,
            period_end=free.period_end,
            refusal=domain.creation_refusal(free.limits, NOTHING_USED),
            subscription=None,
        )
    return UsageReport(
        name=known.name or identity.org_name,
        personal=known.personal,
        tier=known.tier,
        status=known.status,
        grace_ends_at=known.grace_ends_at,
        limits=known.limits,
        usage=known.usage,
        period_start=known.period_start,
        period_end=known.period_end,
        refusal=domain.creation_refusal(known.limits, known.usage),
        subscription=domain.current_subscription(known.subscriptions),
    )
