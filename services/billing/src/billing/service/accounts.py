"""Accounts: opened with the org, looked at again whenever something that decides the tier has changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing import domain, events
from billing.deps import Deps
from billing.models import Account, Subscription
from billing.repository import BillingRepository, entitlement_columns
from billing.stripe_events import StripeEventRepository
from common.db import Tenant, UnitOfWork


async def lock_or_open(
    uow: UnitOfWork, repository: BillingRepository, deps: Deps, *, name: str = "", personal: bool = False
) -> Account:
    """The org's account, locked; opened on the free tier (and told to everyone) when there is none yet.

    Whichever comes first opens it: the event that the org exists, or a purchase.
    """
    account = await repository.lock_account()
    if account is not None:
        return account
    free = domain.entitlement([], first_failed_at=None, rules=deps.rules, now=deps.clock.now())
    opened = await repository.open_account(name=name, personal=personal, entitlement=free)
    if opened is None:  # another transaction opened it between our look and our insert
        account = await repository.lock_account()
        assert account is not None
        return account
    events.entitlements_changed(uow, opened)
    return opened


async def reconsider(uow: UnitOfWork, repository: BillingRepository, account: Account, deps: Deps) -> bool:
    """Works out the entitlement of a locked account again; publishes it when it changed, and returns whether it did."""
    current = domain.entitlement(
        [state_of(row) for row in await repository.subscriptions()],
        first_failed_at=account.first_failed_at,
        rules=deps.rules,
        now=deps.clock.now(),
    )
    await repository.schedule_review(current.review_at)
    columns = entitlement_columns(current)
    if all(getattr(account, name) == value for name, value in columns.items()):
        return False
    for name, value in columns.items():
        setattr(account, name, value)
    events.entitlements_changed(uow, account)
    return True


async def apply_subscription(
    uow: UnitOfWork,
    repository: BillingRepository,
    account: Account,
    deps: Deps,
    state: domain.SubscriptionState,
    as_of: datetime,
) -> bool:
    """Stores what Stripe reported of a subscription, with all that follows from it; False when it is old news."""
    known = await repository.subscription(state.subscription_id)
    if not domain.may_follow(state_of(known) if known else None, known.as_of if known else None, state, as_of):
        return False
    row = await repository.save_subscription(state, as_of)
    if state.customer_id:
        await repository.link_customer(account, state.customer_id)
    if state.status in domain.PAID_STATUSES:
        account.first_failed_at = None
    elif state.status == "past_due" and account.first_failed_at is None:
        account.first_failed_at = as_of
    events.subscription_changed(uow, account, row)
    await reconsider(uow, repository, account, deps)
    return True


async def review_due(deps: Deps) -> int:
    """Looks again at every org whose period or grace has ended. Returns how many there were."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        due = await StripeEventRepository(uow).due_reviews(deps.clock.now())
    for org_id in due:
        await review(deps, org_id)
    return len(due)


async def review(deps: Deps, org_id: UUID) -> None:
    """Looks again at one org."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        repository = BillingRepository(uow, org_id)
        account = await repository.lock_account()
        if account is not None:
            await reconsider(uow, repository, account, deps)
            await uow.commit()


def state_of(row: Subscription) -> domain.SubscriptionState:
    """A stored subscription as the rules see it."""
    return domain.SubscriptionState(
        subscription_id=row.subscription_id,
        customer_id=None,
        status=row.status,
        price=row.price,
        seats=row.seats,
        cancel_at_period_end=row.cancel_at_period_end,
        period_start=row.period_start,
        period_end=row.period_end,
        discount=row.discount,
    )
