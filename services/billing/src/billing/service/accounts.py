"""Accounts: opened with the org, looked at again whenever something that decides the tier has changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing import domain, events, history
from billing.deps import Deps
from billing.errors import OrgGone
from billing.models import Account, Subscription
from billing.repository import BillingRepository, entitlement_columns
from billing.service import thresholds
from billing.stripe_events import REVIEWS_AT_ONCE, StripeEventRepository
from common.db import Tenant, UnitOfWork
from common.telemetry import get_logger

log = get_logger()


async def lock_or_open(
    uow: UnitOfWork, repository: BillingRepository, deps: Deps, *, name: str = "", personal: bool = False
) -> Account:
    """The org's account, locked; opened on the free tier (and told to everyone) when there is none yet.

    Whichever comes first opens it: the event that the org exists, or a purchase. Raises OrgGone when it was erased.
    """
    account = await repository.lock_account()
    if account is not None:
        return account
    if await repository.is_erased():
        raise OrgGone
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
        [state_of(row) for row in await repository.subscriptions.all()],
        first_failed_at=account.first_failed_at,
        rules=deps.rules,
        now=deps.clock.now(),
    )
    await repository.schedule_review(current.review_at)
    columns = entitlement_columns(current)
    changed = {name for name, value in columns.items() if getattr(account, name) != value}
    if not changed:
        return False
    for name, value in columns.items():
        setattr(account, name, value)
    events.entitlements_changed(uow, account)
    # A smaller cap can be passed without anything being used; a new month alone is no news to who uses no more.
    caps = thresholds.EVERY if "limits" in changed else thresholds.PROPOSALS_OF_THE_PERIOD
    await thresholds.check(uow, repository, account, deps, caps, counts_nothing=True)
    return True


async def apply_subscription(
    uow: UnitOfWork,
    repository: BillingRepository,
    account: Account,
    deps: Deps,
    state: domain.SubscriptionState,
    as_of: datetime,
) -> bool:
    """Stores what Stripe answers now of a subscription, with all that follows from it; whether anything changed.

    It replaces whatever was reported: ask under `asking.lock_name`, so that no older answer comes after it.
    """
    known = await _reports(repository, state.subscription_id)
    return await _stand(uow, repository, account, deps, known, history.with_answer(known, state, as_of))


async def apply_report(
    uow: UnitOfWork, repository: BillingRepository, account: Account, deps: Deps, report: history.Report
) -> bool:
    """Stores what an event tells of a subscription, with all that follows from it; False when it is old news.

    Whatever order the events of a subscription come in, once all are in it stands the same.
    """
    known = await _reports(repository, report.state.subscription_id)
    await _stand(uow, repository, account, deps, known, history.with_report(known, report))
    row = await repository.subscriptions.find(report.state.subscription_id)
    return row is not None and row.as_of <= report.created


async def _reports(repository: BillingRepository, subscription_id: str) -> tuple[history.Report, ...]:
    known = await repository.subscriptions.reports(subscription_id)
    if known:
        return known
    row = await repository.subscriptions.find(subscription_id)  # one from before histories were kept
    return (history.Report("known", row.as_of, state_of(row)),) if row is not None else ()


async def _stand(
    uow: UnitOfWork,
    repository: BillingRepository,
    account: Account,
    deps: Deps,
    known: tuple[history.Report, ...],
    reports: tuple[history.Report, ...],
) -> bool:
    if reports == known:
        return False
    current = history.standing(reports)
    row = await repository.subscriptions.find(current.state.subscription_id)
    before = state_of(row) if row is not None else None
    row = await repository.subscriptions.save(current.state, current.as_of, reports)
    customer_id = current.state.customer_id
    if customer_id is not None and customer_id != account.stripe_customer_id:
        await repository.link_customer(account, customer_id)
    changed = before != state_of(row)
    if changed:
        await repository.subscriptions.index(current.state)
        events.subscription_changed(uow, account, row, _news(before, current.state))
    if await reconsider_debts(repository, account) or changed:
        await reconsider(uow, repository, account, deps)
    return changed


async def reconsider_debts(repository: BillingRepository, account: Account) -> bool:
    """Works out anew when the payment first failed that a locked account still owes; whether that changed."""
    moments = []
    for row in await repository.subscriptions.all():
        if row.status in history.OWED_STATUSES:
            owed, settled_at = await repository.subscriptions.payments(row.subscription_id)
            current = history.standing(await _reports(repository, row.subscription_id))
            moments.append(history.first_failure(current, owed_failures=owed, last_settled_at=settled_at))
    first = min((it for it in moments if it is not None), default=None)
    if first == account.first_failed_at:
        return False
    account.first_failed_at = first
    return True


def _news(before: domain.SubscriptionState | None, after: domain.SubscriptionState) -> events.SubscriptionNews | None:
    """What of a change its people should hear of. An attempt to buy that came to nothing is none."""
    if before is None or before.status == "incomplete":
        return None
    if after.status == "canceled":
        return "ended"
    return "cancel_scheduled" if after.cancel_at_period_end and not before.cancel_at_period_end else None


async def review_due(deps: Deps) -> int:
    """Looks again at every org whose period or grace has ended. Returns how many there were.

    However many workers do this at once, an org is looked at by one, and changes once: under its account's lock.
    """
    count = 0
    while True:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            claimed = await StripeEventRepository(uow).claim_reviews(deps.clock.now())
            await uow.commit()
        for org_id in claimed:
            try:
                await review(deps, org_id)
            except Exception:
                # One that cannot be reviewed must not hold up the others; it comes up again.
                log.exception("accounts.review_failed", org_id=str(org_id))
        count += len(claimed)
        if len(claimed) < REVIEWS_AT_ONCE:
            return count


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
