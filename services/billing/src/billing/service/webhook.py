"""Stripe's webhooks: committed first, applied afterwards, each once, whatever the order they come in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from billing.deps import Deps
from billing.errors import BillingUnavailable, InvalidPayload, InvalidSignature
from billing.models import StripeEvent
from billing.service import applying
from billing.service.verdicts import Verdict
from billing.stripe_events import CLAIM, CLAIMED_AT_ONCE, MAX_ATTEMPTS, PURGED_AT_ONCE, Finished, StripeEventRepository
from billing.stripe_objects import Event
from billing.telemetry import (
    STRIPE_DELIVERIES,
    STRIPE_EVENT_SECONDS,
    STRIPE_EVENTS_HANDLED,
    STRIPE_EVENTS_OLDEST,
    STRIPE_EVENTS_PARKED,
    STRIPE_EVENTS_WAITING,
)
from common.db import Tenant
from common.telemetry import get_logger

RETRY_SECONDS: Final = (1.0, 5.0, 30.0, 120.0, 600.0)

log = get_logger()


async def deliver(deps: Deps, *, body: bytes, signature: str | None) -> None:
    """Takes a webhook in. When this returns the event is committed, and Stripe may be told so.

    Raises InvalidSignature, InvalidPayload. The same event again changes nothing.
    """
    try:
        if not deps.settings.accepts_unsigned_webhooks:
            deps.signatures.verify(body, signature)
        event = Event.parse(body)
    except (InvalidSignature, InvalidPayload) as refusal:
        STRIPE_DELIVERIES.labels(refusal.error).inc()
        log.warning("stripe.refused", error=refusal.error, bytes=len(body))
        raise
    fresh = await store(deps, event, body)
    STRIPE_DELIVERIES.labels("accepted" if fresh else "duplicate").inc()
    log.info("stripe.delivered", event_id=event.id, type=event.type, fresh=fresh)
    if fresh:
        await deps.wake_worker()


async def store(deps: Deps, event: Event, body: bytes) -> bool:
    """Puts an event into the inbox; False when it is there already."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        fresh = await StripeEventRepository(uow).deliver(
            event_id=event.id, event_type=event.type, created=event.created, body=body
        )
        await uow.commit()
    return fresh


async def apply_waiting(deps: Deps) -> int:
    """Applies every event that waits. Returns how many there were."""
    count = 0
    while True:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            claimed = await StripeEventRepository(uow).claim(CLAIMED_AT_ONCE)
            await uow.commit()
        if not claimed:
            return count
        await apply_claimed(deps, claimed)
        count += len(claimed)


async def apply_claimed(deps: Deps, claimed: Sequence[StripeEvent]) -> dict[str, Verdict | None]:
    """Applies events that were just claimed. By their id, what became of each; None when it is tried again later."""
    until = time.monotonic() + CLAIM.total_seconds() / 2  # the rest is for the org that is begun then
    results = await applying.apply_all(deps, [Event.parse(row.body) for row in claimed], until=until)
    left = [row.event_id for row in claimed if row.event_id not in results]
    if left:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await StripeEventRepository(uow).give_back(left)
            await uow.commit()
    rows = {row.event_id: row for row in claimed}
    return {event_id: await _settle(deps, rows[event_id], result) for event_id, result in results.items()}


async def _settle(deps: Deps, claimed: StripeEvent, result: Verdict | Exception) -> Verdict | None:
    if isinstance(result, BillingUnavailable):
        await _try_later(deps, claimed, result)
        return None
    if isinstance(result, Exception):
        log.error(
            "stripe.apply_failed",
            event_id=claimed.event_id,
            type=claimed.type,
            attempt=claimed.attempts,
            exc_info=result,
        )
        if claimed.attempts < MAX_ATTEMPTS:
            await _try_later(deps, claimed, result)
            return None
        result = Verdict("parked", "error", repr(result))
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await StripeEventRepository(uow).finish(
                [Finished(claimed.event_id, "parked", "error", None, result.detail)]
            )
            await uow.commit()
    _tell(claimed, result)
    return result


def _tell(claimed: StripeEvent, verdict: Verdict) -> None:
    STRIPE_EVENTS_HANDLED.labels(verdict.outcome, verdict.reason or "").inc()
    if verdict.outcome == "applied":
        waited = datetime.now(UTC) - claimed.received_at  # the database's clock dated it, not the one for the rules
        STRIPE_EVENT_SECONDS.observe(max(0.0, waited.total_seconds()))
    parked = verdict.outcome == "parked"
    (log.warning if parked else log.info)(
        "stripe.parked" if parked else "stripe.applied",
        event_id=claimed.event_id,
        type=claimed.type,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        org_id=str(verdict.org_id) if verdict.org_id else None,
    )


async def _try_later(deps: Deps, claimed: StripeEvent, error: Exception) -> None:
    seconds = RETRY_SECONDS[min(claimed.attempts, len(RETRY_SECONDS)) - 1]
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        await StripeEventRepository(uow).postpone(claimed.event_id, seconds=seconds, error=repr(error))
        await uow.commit()


async def purge(deps: Deps) -> int:
    """Deletes events that were handled long ago (STRIPE_EVENTS_RETENTION_DAYS). Returns how many."""
    count = 0
    while True:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            deleted = await StripeEventRepository(uow).purge(days=deps.settings.stripe_events_retention_days)
            await uow.commit()
        count += deleted
        if deleted < PURGED_AT_ONCE:
            return count


async def measure(deps: Deps) -> None:
    """Sets the gauges of what waits and of what is parked."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        backlog = await StripeEventRepository(uow).backlog()
    STRIPE_EVENTS_WAITING.set(backlog.waiting)
    STRIPE_EVENTS_OLDEST.set(backlog.oldest_seconds)
    STRIPE_EVENTS_PARKED.set(backlog.parked)
