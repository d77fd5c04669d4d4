"""What other services report: orgs, members, proposals, generations and files, counted once each."""

from __future__ import annotations

from collections.abc import Collection

from billing import events
from billing.deps import Deps
from billing.domain import ENDED_STATUSES
from billing.repository import BillingRepository
from billing.service import accounts, thresholds
from common.db import UnitOfWork
from contracts.billing import CapName
from contracts.gateway import OrgCreated, OrgDeleted, OrgRenamed

CANCEL_JOB = "cancel_subscription"


async def open_for_org(uow: UnitOfWork, deps: Deps, event: OrgCreated) -> None:
    """Opens the org's account; one that a purchase opened before gets its name now."""
    repository = BillingRepository(uow, event.org_id)
    account = await accounts.lock_or_open(uow, repository, deps, name=event.name, personal=event.personal)
    account.name = event.name
    account.personal = event.personal
    # What was counted before there was an account has not been measured yet.
    await thresholds.check(uow, repository, account, deps, thresholds.EVERY)


async def counted(uow: UnitOfWork, repository: BillingRepository, deps: Deps, caps: Collection[CapName]) -> None:
    """To be called when something was counted: tells which thresholds of `caps` that has come to.

    What arrives late about an org that is gone is forgotten again.
    """
    account = await repository.lock_account()
    if account is not None:
        await thresholds.check(uow, repository, account, deps, caps)
    elif await repository.is_erased():
        await repository.erase(deps.clock.now())


async def rename(uow: UnitOfWork, event: OrgRenamed) -> None:
    """The org has a new name."""
    account = await BillingRepository(uow, event.org_id).lock_account()
    if account is not None:
        account.name = event.name


async def erase(uow: UnitOfWork, deps: Deps, event: OrgDeleted) -> None:
    """Erases the org, answers with the receipt, and has its plan ended at Stripe, so that no one pays for nothing."""
    repository = BillingRepository(uow, event.org_id)
    account = await repository.lock_account()
    if account is None:
        return
    for row in await repository.subscriptions.all():
        if row.status not in ENDED_STATUSES:
            uow.enqueue(CANCEL_JOB, {"subscription_id": row.subscription_id}, org_id=event.org_id, max_attempts=10)
    events.org_erased(uow, account, deps.clock.now())
    await uow.flush()  # before the account's row goes
    await repository.erase(deps.clock.now())
