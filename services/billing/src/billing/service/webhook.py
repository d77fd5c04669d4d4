"""Stripe's webhooks: committed first, applied afterwards, each once, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from billing import domain, events
from billing.deps import Deps
from billing.errors import BillingUnavailable, PaymentRejected
from billing.models import Account, StripeEvent
from billing.repository import BillingRepository
from billing.service import accounts
from billing.stripe_events import MAX_ATTEMPTS, StripeEventRepository
from billing.stripe_objects import CheckoutSession, Event, Invoice, Subscription
from common.db import Tenant, UnitOfWork
from common.ids import parse_id
from common.telemetry import get_logger

RETRY_SECONDS: Final = (1.0, 5.0, 30.0, 120.0, 600.0)

log = get_logger()


async def deliver(deps: Deps, *, body: bytes, signature: str | None) -> None:
    """Takes a webhook in. When this returns the event is committed, and Stripe may be told so.

    Raises InvalidSignature, InvalidPayload. The same event again changes nothing.
    """
    if not deps.settings.accepts_unsigned_webhooks:
        deps.signatures.verify(body, signature)
    event = Event.parse(body)
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        fresh = await StripeEventRepository(uow).deliver(
            event_id=event.id, event_type=event.type, created=event.created, body=body
        )
        await uow.commit()
    log.info("stripe.delivered", event_id=event.id, type=event.type, fresh=fresh)
    if fresh:
        await deps.wake_worker()


async def apply_waiting(deps: Deps) -> int:
    """Applies every event that waits. Returns how many there were."""
    count = 0
    while True:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            claimed = await StripeEventRepository(uow).claim()
            await uow.commit()
        if claimed is None:
            return count
        await _apply_claimed(deps, claimed)
        count += 1


async def _apply_claimed(deps: Deps, claimed: StripeEvent) -> None:
    try:
        outcome = await _apply(deps, Event.parse(claimed.body))
        log.info("stripe.applied", event_id=claimed.event_id, type=claimed.type, outcome=outcome)
    except BillingUnavailable as error:
        await _try_later(deps, claimed, error, give_up=False)
    except Exception as error:
        log.exception("stripe.apply_failed", event_id=claimed.event_id, type=claimed.type, attempt=claimed.attempts)
        await _try_later(deps, claimed, error, give_up=claimed.attempts >= MAX_ATTEMPTS)


async def _try_later(deps: Deps, claimed: StripeEvent, error: Exception, *, give_up: bool) -> None:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        repository = StripeEventRepository(uow)
        if give_up:
            await repository.finish(claimed.event_id, outcome="failed", org_id=None, error=repr(error))
        else:
            seconds = RETRY_SECONDS[min(claimed.attempts, len(RETRY_SECONDS)) - 1]
            await repository.postpone(claimed.event_id, seconds=seconds, error=repr(error))
        await uow.commit()


@dataclass(frozen=True)
class _Step:
    """One event on its way into one org's locked account."""

    uow: UnitOfWork
    repository: BillingRepository
    account: Account
    deps: Deps
    created: datetime
    fetched: tuple[domain.SubscriptionState, datetime] | None

    async def apply_subscription(self, state: domain.SubscriptionState, as_of: datetime) -> str:
        applied = await accounts.apply_subscription(self.uow, self.repository, self.account, self.deps, state, as_of)
        return "applied" if applied else "stale"

    async def apply_fetched(self) -> bool:
        """Applies the subscription as Stripe's API has it, when it could be asked."""
        if self.fetched is None:
            return False
        await self.apply_subscription(*self.fetched)
        return True


async def _apply(deps: Deps, event: Event) -> str:
    kind = _KINDS.get(event.type)
    if kind is None:
        return await _finish(deps, event, "ignored", None)
    try:
        parsed = kind.parse(event.data.object)
    except ValidationError as error:
        raise ValueError(f"{event.type}: not the object that Stripe documents: {error}") from error
    org_id = await _org_of(deps, kind.metadata(parsed), parsed.customer)
    if org_id is None:
        return await _finish(deps, event, "ignored", None, error="no org is known for this customer")
    # One event of an org at a time: two that fetched at once could apply the older answer last.
    async with deps.db.lock(f"stripe:{org_id}"):
        fetched = await _fetch_subscription(deps, kind.subscription_id(parsed))
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            repository = BillingRepository(uow, org_id)
            account = await accounts.lock_or_open(uow, repository, deps)
            step = _Step(uow, repository, account, deps, event.created, fetched)
            outcome = await kind.apply(step, parsed)
            await StripeEventRepository(uow).finish(event.id, outcome=outcome, org_id=org_id)
            await uow.commit()
    return outcome


async def _finish(deps: Deps, event: Event, outcome: str, org_id: UUID | None, error: str | None = None) -> str:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        await StripeEventRepository(uow).finish(event.id, outcome=outcome, org_id=org_id, error=error)
        await uow.commit()
    return outcome


async def _org_of(deps: Deps, metadata: Mapping[str, str], customer_id: str | None) -> UUID | None:
    named = parse_id(metadata.get("org_id", ""))
    if named is not None:
        return named
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        return await StripeEventRepository(uow).org_of_customer(customer_id)


async def _fetch_subscription(
    deps: Deps, subscription_id: str | None
) -> tuple[domain.SubscriptionState, datetime] | None:
    """With a key, what Stripe says now counts, not what the event said then."""
    if deps.payments_or_none is None or subscription_id is None:
        return None
    asked_at = deps.clock.now()
    try:
        state, _ = await deps.payments_or_none.subscription(subscription_id)
    except PaymentRejected:
        log.warning("stripe.subscription_unknown", subscription_id=subscription_id)
        return None
    return state, asked_at


async def _on_subscription(step: _Step, subscription: Subscription) -> str:
    if step.fetched is not None:
        return await step.apply_subscription(*step.fetched)
    return await step.apply_subscription(subscription.state(step.deps.prices), step.created)


async def _on_checkout(step: _Step, session: CheckoutSession) -> str:
    if session.customer:
        await step.repository.link_customer(step.account, session.customer)
    if session.mode == "subscription":
        # Without a key the subscription's own events bring its state.
        await step.apply_fetched()
        return "applied"
    if session.payment_status != "paid":
        return "ignored"
    price = session.metadata.get("price", "")
    return await _grant(step, source=session.invoice or session.id, bundles=[(price, 1)])


async def _on_invoice_paid(step: _Step, invoice: Invoice) -> str:
    step.account.last_paid_at = max(step.account.last_paid_at or step.created, step.created)
    if step.account.first_failed_at is not None and step.account.first_failed_at <= step.created:
        step.account.first_failed_at = None
    bundles = [(step.deps.prices.name_of(price_id) or "", quantity) for price_id, quantity in invoice.prices()]
    await _grant(step, source=invoice.id, bundles=bundles)
    if not await step.apply_fetched():
        await accounts.reconsider(step.uow, step.repository, step.account, step.deps)
    return "applied"


async def _on_invoice_failed(step: _Step, invoice: Invoice) -> str:
    account = step.account
    if account.last_paid_at is not None and step.created <= account.last_paid_at:
        return "stale"
    is_first = account.first_failed_at is None
    if account.first_failed_at is None or step.created < account.first_failed_at:
        account.first_failed_at = step.created
    if is_first:
        grace_ends_at = step.created + domain.grace(step.deps.rules)
        events.payment_failed(
            step.uow, account, invoice_id=invoice.id, failed_at=step.created, grace_ends_at=grace_ends_at
        )
    if not await step.apply_fetched():
        await accounts.reconsider(step.uow, step.repository, account, step.deps)
    return "applied"


async def _grant(step: _Step, *, source: str, bundles: list[tuple[str, int]]) -> str:
    amount = sum(domain.CREDITS_OF_PRICE.get(price, 0) * quantity for price, quantity in bundles)
    if not amount:
        return "ignored"
    grant = await step.repository.grant_credits(step.account, source=source, amount=amount)
    if grant is None:
        return "stale"
    events.credits_granted(step.uow, step.account, grant)
    events.entitlements_changed(step.uow, step.account)
    return "applied"


@dataclass(frozen=True)
class _Kind:
    """How a type of event is read and applied."""

    parse: Callable[[dict[str, Any]], Any]
    metadata: Callable[[Any], Mapping[str, str]]
    subscription_id: Callable[[Any], str | None]
    apply: Callable[[_Step, Any], Awaitable[str]]


_SUBSCRIPTION = _Kind(Subscription.model_validate, lambda it: it.metadata, lambda it: it.id, _on_subscription)
_CHECKOUT = _Kind(
    CheckoutSession.model_validate,
    lambda it: {"org_id": it.client_reference_id or "", **it.metadata},
    lambda it: it.subscription,
    _on_checkout,
)
_INVOICE_PAID = _Kind(
    Invoice.model_validate, lambda it: it.all_metadata, lambda it: it.subscription_id, _on_invoice_paid
)
_INVOICE_FAILED = _Kind(
    Invoice.model_validate, lambda it: it.all_metadata, lambda it: it.subscription_id, _on_invoice_failed
)
_KINDS: Final[Mapping[str, _Kind]] = {
    "customer.subscription.created": _SUBSCRIPTION,
    "customer.subscription.updated": _SUBSCRIPTION,
    "customer.subscription.deleted": _SUBSCRIPTION,
    "customer.subscription.paused": _SUBSCRIPTION,
    "customer.subscription.resumed": _SUBSCRIPTION,
    "checkout.session.completed": _CHECKOUT,
    "checkout.session.async_payment_succeeded": _CHECKOUT,
    "invoice.paid": _INVOICE_PAID,
    "invoice.payment_succeeded": _INVOICE_PAID,
    "invoice.payment_failed": _INVOICE_FAILED,
}
