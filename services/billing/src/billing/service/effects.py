"""What each type of Stripe event changes in the account of its org."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from billing import domain, events
from billing.deps import Deps
from billing.models import Account
from billing.repository import BillingRepository
from billing.service import accounts, asking
from billing.service.verdicts import Outcome, Parked, check_plan
from billing.stripe_objects import CheckoutSession, Event, Invoice, Subscription, is_plausible
from common.db import UnitOfWork


@dataclass(frozen=True)
class Step:
    """One event on its way into one org's locked account."""

    uow: UnitOfWork
    repository: BillingRepository
    account: Account
    deps: Deps
    event: Event
    answer: asking.Answer | None
    """With a key: what Stripe's API has of the event's subscription now."""

    async def apply_answer(self) -> bool:
        """Applies the subscription as Stripe's API has it, when it could be asked."""
        if self.answer is None:
            return False
        state, asked_at = self.answer.state, self.answer.asked_at
        return await accounts.apply_subscription(
            self.uow, self.repository, self.account, self.deps, state, as_of=asked_at
        )


@dataclass(frozen=True)
class Kind:
    """How a type of event is read and applied."""

    parse: Callable[[dict[str, Any]], Any]
    metadata: Callable[[Any], Mapping[str, str]]
    subscription_id: Callable[[Any], str | None]
    check: Callable[[Step, Any], None]
    """Raises Parked for what must not be applied. Nothing has been changed by then, and `apply` raises it no more, so
    that an event which is parked leaves the others of its transaction alone."""
    apply: Callable[[Step, Any], Awaitable[Outcome]]
    is_over: Callable[[Any], bool]
    """Whether it takes nothing from anybody, so that it may be ignored when the org was deleted."""


def _check_subscription(step: Step, subscription: Subscription) -> None:
    if step.answer is None:
        check_plan(step.event.report(subscription, step.deps.prices).state, step.account.org_id)


async def _on_subscription(step: Step, subscription: Subscription) -> Outcome:
    report = step.event.report(subscription, step.deps.prices)
    in_time = await accounts.apply_report(step.uow, step.repository, step.account, step.deps, report)
    return "applied" if await step.apply_answer() or in_time else "stale"


def _check_checkout(step: Step, session: CheckoutSession) -> None:
    if session.mode == "subscription" or session.payment_status != "paid" or session.invoice:
        return  # an invoice's own event tells what was bought
    if session.metadata.get("price", "") not in domain.CREDITS_OF_PRICE:
        raise Parked("unknown_price", f"{session.id} was paid, for nothing that we know", step.account.org_id)


async def _on_checkout(step: Step, session: CheckoutSession) -> Outcome:
    if session.customer:
        await step.repository.link_customer(step.account, session.customer)
    if session.mode == "subscription":
        # Without a key the subscription's own events bring its state.
        await step.apply_answer()
        return "applied"
    price = session.metadata.get("price", "")
    if session.payment_status != "paid" or price not in domain.CREDITS_OF_PRICE:
        return "ignored"
    source = session.metadata.get("purchase") or session.invoice or session.id
    return await _grant(step, source=source, amount=domain.CREDITS_OF_PRICE[price])


def _bundles(step: Step, invoice: Invoice) -> list[tuple[str, int]]:
    return [(step.deps.prices.name_of(price_id) or "", quantity) for price_id, quantity in invoice.prices()]


def _check_paid(step: Step, invoice: Invoice) -> None:
    bundles = _bundles(step, invoice)
    if bundles and invoice.subscription_id is None and not any(price for price, _ in bundles):
        raise Parked("unknown_price", f"{invoice.id} was paid, for nothing that we know", step.account.org_id)
    counts = [count for price, count in bundles if price in domain.CREDITS_OF_PRICE]
    if not all(is_plausible(count) for count in counts):
        raise Parked("bad_quantity", f"{counts} bundles", step.account.org_id)


async def _on_invoice_paid(step: Step, invoice: Invoice) -> Outcome:
    step.account.last_paid_at = max(step.account.last_paid_at or step.event.created, step.event.created)
    # The name that checkout gave to the purchase: its session carries it too, and may not know the invoice yet.
    source = (invoice.metadata or {}).get("purchase") or invoice.id
    amount = sum(domain.CREDITS_OF_PRICE.get(price, 0) * count for price, count in _bundles(step, invoice))
    await _grant(step, source=source, amount=amount)
    return await _on_invoice_settled(step, invoice)


async def _on_invoice_settled(step: Step, invoice: Invoice) -> Outcome:
    await step.repository.subscriptions.note_settled(invoice.id, invoice.subscription_id, step.event.created)
    return await _after_payment(step)


async def _on_invoice_failed(step: Step, invoice: Invoice) -> Outcome:
    failed_at = step.event.created
    is_news = await step.repository.subscriptions.note_failure(invoice.id, invoice.subscription_id, failed_at)
    outcome = await _after_payment(step)
    if is_news:
        first = step.account.first_failed_at or failed_at
        events.payment_failed(
            step.uow,
            step.account,
            invoice_id=invoice.id,
            failed_at=failed_at,
            grace_ends_at=first + domain.grace(step.deps.rules),
        )
    return outcome if is_news else "stale"


async def _after_payment(step: Step) -> Outcome:
    await step.apply_answer()
    if await accounts.reconsider_debts(step.repository, step.account):
        await accounts.reconsider(step.uow, step.repository, step.account, step.deps)
    return "applied"


async def _grant(step: Step, *, source: str, amount: int) -> Outcome:
    if not amount:
        return "ignored"
    grant = await step.repository.grant_credits(step.account, source=source, amount=amount)
    if grant is None:
        return "stale"
    events.credits_granted(step.uow, step.account, grant)
    events.entitlements_changed(step.uow, step.account)
    return "applied"


def _nothing_wrong(step: Step, parsed: Any) -> None:
    """A payment that failed or is not owed any more is believed."""


def _invoice(
    apply: Callable[[Step, Invoice], Awaitable[Outcome]],
    *,
    is_over: bool,
    check: Callable[[Step, Invoice], None] = _nothing_wrong,
) -> Kind:
    return Kind(
        Invoice.model_validate,
        lambda it: it.all_metadata,
        lambda it: it.subscription_id,
        check,
        apply,
        lambda _: is_over,
    )


_SUBSCRIPTION = Kind(
    Subscription.model_validate,
    lambda it: it.metadata,
    lambda it: it.id,
    _check_subscription,
    _on_subscription,
    lambda it: it.status in domain.ENDED_STATUSES,
)
_CHECKOUT = Kind(
    CheckoutSession.model_validate,
    lambda it: {"org_id": it.client_reference_id or "", **it.metadata},
    lambda it: it.subscription,
    _check_checkout,
    _on_checkout,
    lambda it: it.payment_status == "unpaid",
)
_PAID = _invoice(_on_invoice_paid, is_over=False, check=_check_paid)
KINDS: Final[Mapping[str, Kind]] = {
    "customer.subscription.created": _SUBSCRIPTION,
    "customer.subscription.updated": _SUBSCRIPTION,
    "customer.subscription.deleted": _SUBSCRIPTION,
    "customer.subscription.paused": _SUBSCRIPTION,
    "customer.subscription.resumed": _SUBSCRIPTION,
    "customer.subscription.trial_will_end": _SUBSCRIPTION,
    "checkout.session.completed": _CHECKOUT,
    "checkout.session.async_payment_succeeded": _CHECKOUT,
    "invoice.paid": _PAID,
    "invoice.payment_succeeded": _PAID,
    "invoice.payment_failed": _invoice(_on_invoice_failed, is_over=True),
    "invoice.voided": _invoice(_on_invoice_settled, is_over=True),
    "invoice.marked_uncollectible": _invoice(_on_invoice_settled, is_over=True),
}
HANDLED_TYPES: Final = tuple(KINDS)
"""Every type of event that has an effect here."""
