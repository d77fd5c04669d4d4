"""Buying and changing a plan. Stripe is asked between transactions, never inside one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from billing import domain
from billing.deps import Deps
from billing.domain import SubscriptionState
from billing.errors import AlreadySubscribed, BillingUnavailable, NotSubscribed
from billing.ports import Checkout, InvoiceSummary
from billing.repository import BillingRepository
from billing.service import accounts
from common.db import Tenant
from common.identity import Identity

SUCCESS_PATH = "/app/billing?checkout=success&session_id={CHECKOUT_SESSION_ID}"
CANCEL_PATH = "/app/billing?checkout=cancelled"
RETURN_PATH = "/app/billing"


async def start_checkout(
    deps: Deps, identity: Identity, *, price: domain.PriceName, seats: int | None, promotion_code: str | None
) -> Checkout:
    """Opens the hosted page on which the org buys a plan or a bundle.

    Raises BillingUnavailable, AlreadySubscribed (for a second plan), PaymentRejected.
    """
    payments = deps.payments
    if deps.prices.id_of(price) is None:
        raise BillingUnavailable(f"{price} is not on sale here; ask whoever runs this Bidwright to set its price.")
    is_plan = price in domain.TIER_OF_PRICE
    if is_plan and await find_subscription(deps, identity) is not None:
        raise AlreadySubscribed
    customer_id = await _customer(deps, identity)
    return await payments.create_checkout(
        org_id=identity.org_id,
        customer_id=customer_id,
        price=price,
        quantity=(seats or 1) if is_plan else 1,
        subscription=is_plan,
        promotion_code=promotion_code,
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


async def set_seats(deps: Deps, identity: Identity, seats: int) -> SubscriptionState:
    """Changes the number of seats, prorated. Raises NotSubscribed, BillingUnavailable."""
    payments = deps.payments
    return await _change(deps, identity, lambda it: payments.set_seats(it, seats))


async def find_subscription(deps: Deps, identity: Identity) -> SubscriptionState | None:
    """The org's plan as it was last known; None on free."""
    async with deps.db.unit_of_work(_tenant(identity)) as uow:
        rows = await BillingRepository(uow, identity.org_id).subscriptions()
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
    async with deps.db.lock(f"stripe:{identity.org_id}"):
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
