"""Stripe's webhooks: committed first, applied afterwards, each once, whatever the order they come in."""

from __future__ import annotations

from typing import Final

from billing.deps import Deps
from billing.errors import BillingUnavailable, InvalidPayload, InvalidSignature
from billing.models import StripeEvent
from billing.service import applying
from billing.service.applying import Verdict
from billing.stripe_events import MAX_ATTEMPTS, StripeEventRepository
from billing.stripe_objects import Event
from billing.telemetry import (
    STRIPE_DELIVERIES,
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
            claimed = await StripeEventRepository(uow).claim()
            await uow.commit()
        if claimed is None:
            return count
        await apply_claimed(deps, claimed)
        count += 1


async def apply_claimed(deps: Deps, claimed: StripeEvent) -> Verdict | None:
    """Applies one event that was claimed. None when that failed, and it is tried again later."""
    verdict: Verdict | None = None
    try:
        verdict = await applying.apply(deps, Event.parse(claimed.body))
    except BillingUnavailable as error:
        await _try_later(deps, claimed, error)
    except Exception as error:
        log.exception("stripe.apply_failed", event_id=claimed.event_id, type=claimed.type, attempt=claimed.attempts)
        if claimed.attempts >= MAX_ATTEMPTS:
            verdict = Verdict("parked", "error", repr(error))
            async with deps.db.unit_of_work(Tenant.none()) as uow:
                await applying.finish(uow, claimed.event_id, verdict)
                await uow.commit()
        else:
            await _try_later(deps, claimed, error)
    if verdict is not None:
        _tell(claimed, verdict)
    return verdict


def _tell(claimed: StripeEvent, verdict: Verdict) -> None:
    STRIPE_EVENTS_HANDLED.labels(verdict.outcome, verdict.reason or "").inc()
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


async def measure(deps: Deps) -> None:
    """Sets the gauges of what waits and of what is parked."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        backlog = await StripeEventRepository(uow).backlog()
    STRIPE_EVENTS_WAITING.set(backlog.waiting)
    STRIPE_EVENTS_OLDEST.set(backlog.oldest_seconds)
    STRIPE_EVENTS_PARKED.set(backlog.parked)
