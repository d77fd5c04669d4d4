"""One Stripe event and what it changes: its org found, its object believed or parked, its effect in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ValidationError

from billing import domain, events
from billing.deps import Deps
from billing.errors import OrgGone, UnknownToStripe
from billing.histories import HistoryRepository
from billing.models import Account
from billing.repository import BillingRepository
from billing.service import accounts, asking
from billing.stripe_events import StripeEventRepository
from billing.stripe_objects import CheckoutSession, Event, Invoice, Subscription, is_plausible
from common.db import Tenant, UnitOfWork
from common.ids import parse_id

Reason = Literal[
    "wrong_account", "wrong_mode", "unreadable", "foreign_currency", "unknown_customer", "org_conflict", "org_deleted",
    "unknown_at_stripe", "unknown_price", "bad_quantity", "error", "unknown_type",
]  # fmt: skip
"""Why an event is parked (or ignored: `unknown_type`, `org_deleted`); see the README for what to do about each."""


class Parked(Exception):
    """This event must not be applied as it is; someone has to look at it."""

    def __init__(self, reason: Reason, detail: str, org_id: UUID | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.org_id = org_id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event."""

    outcome: Literal["applied", "stale", "ignored", "parked"]
    reason: Reason | None = None
    detail: str | None = None
    org_id: UUID | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """What of the account changed, or in a dry run would change: before and after."""


async def apply(deps: Deps, event: Event, *, dry_run: bool = False) -> Verdict:
    """Applies an event and marks it as handled, in one transaction; or marks it as ignored or parked.

    Raises BillingUnavailable when Stripe cannot be asked just now. In a dry run nothing is changed.
    """
    try:
        verdict = await _apply(deps, event, dry_run=dry_run)
    except Parked as parked:
        verdict = Verdict("parked", parked.reason, str(parked), parked.org_id)
    if not dry_run and verdict.outcome in ("ignored", "parked"):
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await finish(uow, event.id, verdict)
            await uow.commit()
    return verdict


async def finish(uow: UnitOfWork, event_id: str, verdict: Verdict) -> bool:
    """Marks an event as handled; False when it was before, and what was done for it must not be committed."""
    return await StripeEventRepository(uow).finish(
        event_id, outcome=verdict.outcome, reason=verdict.reason, org_id=verdict.org_id, error=verdict.detail
    )


@dataclass(frozen=True)
class _Step:
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
        check_plan(self.answer.state, self.account.org_id)
        state, asked_at = self.answer.state, self.answer.asked_at
        return await accounts.apply_subscription(
            self.uow, self.repository, self.account, self.deps, state, as_of=asked_at
        )


async def _apply(deps: Deps, event: Event, *, dry_run: bool) -> Verdict:
    _check_origin(deps, event)
    kind = _KINDS.get(event.type)
    if kind is None:
        return Verdict("ignored", "unknown_type")
    try:
        parsed = kind.parse(event.data.object)
    except ValidationError as error:
        raise Parked("unreadable", f"not the object that Stripe documents: {error}") from error
    org_id = await _org_of(deps, kind, parsed)
    accepted = deps.settings.currencies
    if accepted and parsed.currency and parsed.currency.lower() not in accepted:
        raise Parked("foreign_currency", f"{parsed.currency} is not among STRIPE_CURRENCIES", org_id)
    async with asking.turn(deps, org_id):
        answer = await _ask(deps, kind.subscription_id(parsed), org_id)
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            repository = BillingRepository(uow, org_id)
            try:
                account = await accounts.lock_or_open(uow, repository, deps)
            except OrgGone as error:
                over = answer.state.status in domain.ENDED_STATUSES if answer else kind.is_over(parsed)
                if over:
                    return Verdict("ignored", "org_deleted", org_id=org_id)
                raise Parked("org_deleted", "money is taken for an organisation that was deleted", org_id) from error
            before = _snapshot(account)
            outcome = await kind.apply(_Step(uow, repository, account, deps, event, answer), parsed)
            verdict = Verdict(outcome, org_id=org_id, changes=_changes(before, _snapshot(account)))
            if dry_run:
                return verdict
            if not await finish(uow, event.id, verdict):
                return Verdict("stale", org_id=org_id)  # another worker thought that we had died, and was faster
            await uow.commit()
    return verdict


def _check_origin(deps: Deps, event: Event) -> None:
    if event.account and event.account != deps.settings.stripe_account_id:
        raise Parked("wrong_account", f"of the account {event.account}")
    if event.livemode is False and deps.settings.is_live:
        raise Parked("wrong_mode", "a test event, and the key is a live one")


async def _org_of(deps: Deps, kind: _Kind, parsed: Any) -> UUID:
    named = parse_id(kind.metadata(parsed).get("org_id") or "")
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        repository = StripeEventRepository(uow)
        owner = await repository.org_of_subscription(kind.subscription_id(parsed))
        if owner is not None and named is not None and owner != named:
            raise Parked("org_conflict", f"names {named}, but its subscription is known as one of {owner}", owner)
        org_id = named or owner or await repository.org_of_customer(parsed.customer)
    if org_id is None:
        raise Parked("unknown_customer", f"names no org, and the customer {parsed.customer} is not known")
    return org_id


async def _ask(deps: Deps, subscription_id: str | None, org_id: UUID) -> asking.Answer | None:
    """With a key, what Stripe says now counts, not what the event said then.

    An event with a made-up object, as a runbook posts one to a test system, counts as it stands: no money is moved.
    """
    try:
        return await asking.ask(deps, subscription_id)
    except UnknownToStripe as error:
        if not deps.settings.is_live:
            return None
        raise Parked("unknown_at_stripe", f"Stripe knows no subscription {subscription_id}", org_id) from error


def check_plan(state: domain.SubscriptionState, org_id: UUID) -> None:
    """Raises Parked for a running subscription that cannot be right."""
    if state.status in domain.ENDED_STATUSES:
        return
    if state.price not in domain.TIER_OF_PRICE:
        raise Parked("unknown_price", f"no plan of ours is among the prices of {state.subscription_id}", org_id)
    if not is_plausible(state.seats):
        raise Parked("bad_quantity", f"{state.seats} seats", org_id)


async def _on_subscription(step: _Step, subscription: Subscription) -> Outcome:
    report = step.event.report(subscription, step.deps.prices)
    if step.answer is None:
        check_plan(report.state, step.account.org_id)
    in_time = await accounts.apply_report(step.uow, step.repository, step.account, step.deps, report)
    return "applied" if await step.apply_answer() or in_time else "stale"


async def _on_checkout(step: _Step, session: CheckoutSession) -> Outcome:
    if session.customer:
        await step.repository.link_customer(step.account, session.customer)
    if session.mode == "subscription":
        # Without a key the subscription's own events bring its state.
        await step.apply_answer()
        return "applied"
    if session.payment_status != "paid":
        return "ignored"
    price = session.metadata.get("price", "")
    if price not in domain.CREDITS_OF_PRICE:
        if session.invoice:
            return "ignored"  # the invoice's own event tells what was bought
        raise Parked("unknown_price", f"{session.id} was paid, for nothing that we know", step.account.org_id)
    source = session.metadata.get("purchase") or session.invoice or session.id
    return await _grant(step, source=source, bundles=[(price, 1)])


async def _on_invoice_paid(step: _Step, invoice: Invoice) -> Outcome:
    bundles = [(step.deps.prices.name_of(price_id) or "", quantity) for price_id, quantity in invoice.prices()]
    if bundles and invoice.subscription_id is None and not any(price for price, _ in bundles):
        raise Parked("unknown_price", f"{invoice.id} was paid, for nothing that we know", step.account.org_id)
    step.account.last_paid_at = max(step.account.last_paid_at or step.event.created, step.event.created)
    # The name that checkout gave to the purchase: its session carries it too, and may not know the invoice yet.
    source = (invoice.metadata or {}).get("purchase") or invoice.id
    await _grant(step, source=source, bundles=bundles)
    return await _on_invoice_settled(step, invoice)


async def _on_invoice_settled(step: _Step, invoice: Invoice) -> Outcome:
    histories = HistoryRepository(step.uow, step.account.org_id)
    await histories.note_settled(invoice.id, invoice.subscription_id, step.event.created)
    return await _after_payment(step)


async def _on_invoice_failed(step: _Step, invoice: Invoice) -> Outcome:
    histories, failed_at = HistoryRepository(step.uow, step.account.org_id), step.event.created
    is_news = await histories.note_failure(invoice.id, invoice.subscription_id, failed_at)
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


async def _after_payment(step: _Step) -> Outcome:
    await step.apply_answer()
    if await accounts.reconsider_debts(step.uow, step.repository, step.account):
        await accounts.reconsider(step.uow, step.repository, step.account, step.deps)
    return "applied"


async def _grant(step: _Step, *, source: str, bundles: list[tuple[str, int]]) -> Outcome:
    sold = [(domain.CREDITS_OF_PRICE[price], count) for price, count in bundles if price in domain.CREDITS_OF_PRICE]
    if not sold:
        return "ignored"
    if not all(is_plausible(count) for _, count in sold):
        raise Parked("bad_quantity", f"{[count for _, count in sold]} bundles", step.account.org_id)
    amount = sum(each * count for each, count in sold)
    grant = await step.repository.grant_credits(step.account, source=source, amount=amount)
    if grant is None:
        return "stale"
    events.credits_granted(step.uow, step.account, grant)
    events.entitlements_changed(step.uow, step.account)
    return "applied"


_SHOWN: Final = (
    "tier", "status", "limits", "period_start", "period_end", "grace_ends_at", "first_failed_at", "extras_granted",
    "stripe_customer_id", "subscription_version",
)  # fmt: skip


def _snapshot(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in _SHOWN}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


Outcome = Literal["applied", "stale", "ignored"]


@dataclass(frozen=True)
class _Kind:
    """How a type of event is read and applied."""

    parse: Callable[[dict[str, Any]], Any]
    metadata: Callable[[Any], Mapping[str, str]]
    subscription_id: Callable[[Any], str | None]
    apply: Callable[[_Step, Any], Awaitable[Outcome]]
    is_over: Callable[[Any], bool]
    """Whether it takes nothing from anybody, so that it may be ignored when the org was deleted."""


def _invoice(apply: Callable[[_Step, Invoice], Awaitable[Outcome]], *, is_over: bool) -> _Kind:
    return _Kind(
        Invoice.model_validate, lambda it: it.all_metadata, lambda it: it.subscription_id, apply, lambda _: is_over
    )


_SUBSCRIPTION = _Kind(
    Subscription.model_validate,
    lambda it: it.metadata,
    lambda it: it.id,
    _on_subscription,
    lambda it: it.status in domain.ENDED_STATUSES,
)
_CHECKOUT = _Kind(
    CheckoutSession.model_validate,
    lambda it: {"org_id": it.client_reference_id or "", **it.metadata},
    lambda it: it.subscription,
    _on_checkout,
    lambda it: it.payment_status == "unpaid",
)
_PAID = _invoice(_on_invoice_paid, is_over=False)
_KINDS: Final[Mapping[str, _Kind]] = {
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
HANDLED_TYPES: Final = tuple(_KINDS)
"""Every type of event that has an effect here."""
