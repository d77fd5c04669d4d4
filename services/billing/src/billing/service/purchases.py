"""Buying and changing a plan. Stripe is asked between transactions, never inside one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from billing import domain
from billing.deps import Deps
from billing.domain import SubscriptionState
from billing.errors import AlreadySubscribed, BillingUnavailable, NotSubscribed, SeatsTaken
from billing.ports import Checkout, InvoiceSummary, Order, Payments, SeatsPreview
from billing.repository import BillingRepository
from billing.service import accounts, asking
from common.db import Tenant
from common.identity import Identity

SUCCESS_PATH = "/app/billing?checkout=success&session_id={CHECKOUT_SESSION_ID}"
CANCEL_PATH = "/app/billing?checkout=cancelled"
RETURN_PATH = "/app/billing"
PREVIEW_LIFE = timedelta(minutes=15)
"""How long a preview's amounts may be taken up: time enough to read them and confirm."""
CLOCK_SKEW = timedelta(minutes=1)
"""How far Stripe's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be bought here."""

    available: bool
    prices: list[domain.PriceName]
    trial_days: int


def offers(deps: Deps) -> Offers:
    """What is on sale; nothing when no key is set."""
    available = deps.payments_or_none is not None
    on_sale = [name for name in get_args(domain.PriceName) if deps.prices.id_of(name) is not None]
    return Offers(available, on_sale if available else [], deps.settings.trial_days)


async def start_checkout(
    deps: Deps, identity: Identity, *, price: domain.PriceName, seats: int | None, promotion_code: str | None
) -> Checkout:
    """Opens the hosted page on which the org buys a plan or a bundle.

    The same order again, while its page is open, gets the same page.

    Raises BillingUnavailable, AlreadySubscribed (for a second plan), SeatsTaken, PaymentRejected.
    """
    payments = deps.payments
    if deps.prices.id_of(price) is None:
        raise BillingUnavailable(f"{price} is not on sale here; ask whoever runs this Bidwright to set its price.")
    is_plan = price in domain.TIER_OF_PRICE
    quantity = 1
    if is_plan:
        if await find_subscription(deps, identity) is not None:
            raise AlreadySubscribed
        members = await _members(deps, identity)
        quantity = seats or max(members, 1)
        if quantity < members:
            raise SeatsTaken(members=members)
    order = Order(price, quantity, promotion_code, is_plan)
    customer_id = await _customer(deps, identity)
    # One at a time: of two clicks the second finds the page of the first.
    async with deps.db.lock(f"checkout:{identity.org_id}"):
        return await _open_page(deps, payments, identity, customer_id, order)


async def _open_page(deps: Deps, payments: Payments, identity: Identity, customer_id: str, order: Order) -> Checkout:
    """The page that is open for the same order, or a new one; never two on which a plan could be bought."""
    same = None
    for page in await payments.open_checkouts(customer_id):
        if page.order == order and page.url and same is None:
            same = page
        elif order.is_plan and page.order is not None and page.order.is_plan:
            await payments.close_checkout(page.session_id)
    trial_days = 0
    if order.is_plan:
        # Asked after the other pages were closed: one that was paid meanwhile is a subscription by now.
        plans = await payments.plans(customer_id)
        if plans.running:
            raise AlreadySubscribed
        trial_days = 0 if plans.any_before else deps.settings.trial_days
    if same is not None:
        return same
    return await payments.create_checkout(
        org_id=identity.org_id,
        customer_id=customer_id,
        order=order,
        trial_days=trial_days,
        automatic_tax=deps.settings.stripe_automatic_tax,
        success_url=deps.settings.public_base_url + SUCCESS_PATH,
        cancel_url=deps.settings.public_base_url + CANCEL_PATH,
    )


async def open_portal(deps: Deps, identity: Identity) -> str:
    """The address of the page where the org changes its card. Raises BillingUnavailable."""
    payments = deps.payments
    customer_id = await _customer(deps, identity)
    return await payments.create_portal(customer_id=customer_id, return_url=deps.settings.public_base_url + RETURN_PATH)


async def cancel(deps: Deps, identity: Identity, *, immediate: bool) -> SubscriptionState:
    """Ends the plan with its period, or at once. Raises NotSubscribed, BillingUnavailable."""
    payments = deps.payments
    if immediate:
        return await _change(deps, identity, payments.cancel_now)
    return await _change(deps, identity, lambda it: payments.set_cancel_at_period_end(it, True))


async def resume(deps: Deps, identity: Identity) -> SubscriptionState:
    """Takes a cancellation back while the period still runs. Raises NotSubscribed, BillingUnavailable."""
    payments = deps.payments
    return await _change(deps, identity, lambda it: payments.set_cancel_at_period_end(it, False))


async def preview_seats(deps: Deps, identity: Identity, seats: int) -> SeatsPreview:
    """What another number of seats would cost.

    Raises NotSubscribed, SeatsTaken, BillingUnavailable, PaymentRejected.
    """
    payments = deps.payments
    await _refuse_below_members(deps, identity, seats)
    subscription = await find_subscription(deps, identity)
    if subscription is None:
        raise NotSubscribed
    return await payments.preview_seats(subscription.subscription_id, seats)


async def set_seats(
    deps: Deps, identity: Identity, seats: int, *, prorated_at: datetime | None = None
) -> SubscriptionState:
    """Changes the number of seats; the rest of the period is billed or credited at once.

    Raises NotSubscribed, SeatsTaken, BillingUnavailable, PaymentRejected.

    Args:
        prorated_at: of the preview that was shown, so that what it said is what is paid. One that is not of just now
            does not count: a later moment would make the seats free.
    """
    payments, now = deps.payments, deps.clock.now()
    await _refuse_below_members(deps, identity, seats)
    if prorated_at is not None and not now - PREVIEW_LIFE <= prorated_at <= now + CLOCK_SKEW:
        prorated_at = None
    return await _change(deps, identity, lambda it: payments.set_seats(it, seats, prorated_at=prorated_at))


async def _refuse_below_members(deps: Deps, identity: Identity, seats: int) -> None:
    members = await _members(deps, identity)
    if seats < members:
        raise SeatsTaken(members=members)


async def _members(deps: Deps, identity: Identity) -> int:
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        return await BillingRepository(uow, identity.org_id).counts.count_members()


async def find_subscription(deps: Deps, identity: Identity) -> SubscriptionState | None:
    """The org's plan as it was last known; None on free."""
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        rows = await BillingRepository(uow, identity.org_id).subscriptions.all()
    return domain.current_subscription([accounts.state_of(row) for row in rows])


async def invoices(deps: Deps, identity: Identity) -> Sequence[InvoiceSummary]:
    """The org's latest invoices; none when it never bought anything. Raises BillingUnavailable."""
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        account = await BillingRepository(uow, identity.org_id).find_account()
    if account is None or account.stripe_customer_id is None:
        return []
    return await deps.payments.invoices(account.stripe_customer_id)


async def _change(
    deps: Deps, identity: Identity, change: Callable[[str], Awaitable[SubscriptionState]]
) -> SubscriptionState:
    """Makes a change at Stripe and applies the answer at once, so that the caller sees it before the webhook comes."""
    subscription = await find_subscription(deps, identity)
    if subscription is None:
        raise NotSubscribed
    async with deps.db.lock(asking.lock_name(identity.org_id)):
        changed = await change(subscription.subscription_id)
        async with deps.db.unit_of_work(_tenant(identity)) as uow:
            repository = BillingRepository(uow, identity.org_id)
            account = await accounts.lock_or_open(uow, repository, deps)
            # Dated with Stripe's resolution, so that its own event about this change does not look older.
            as_of = deps.clock.now().replace(microsecond=0)
            await accounts.apply_subscription(uow, repository, account, deps, changed, as_of)
            await uow.commit()
    return changed


async def _customer(deps: Deps, identity: Identity) -> str:
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        account = await BillingRepository(uow, identity.org_id).find_account()
    if account is not None and account.stripe_customer_id is not None:
        return account.stripe_customer_id
    made = await deps.payments.create_customer(
        org_id=identity.org_id, name=identity.org_name or identity.name, email=identity.email
    )
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        repository = BillingRepository(uow, identity.org_id)
        account = await accounts.lock_or_open(uow, repository, deps, name=identity.org_name)
        customer_id = await repository.link_customer(account, made)
        await uow.commit()
    return customer_id


def _tenant(identity: Identity) -> Tenant:
    return Tenant(org_id=identity.org_id, user_id=identity.user_id)
