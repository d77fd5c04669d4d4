"""All SQL of billing. A repository belongs to one unit of work and one org; it never commits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from billing.counts import CountRepository
from billing.domain import Entitlement
from billing.models import (
    Account,
    CreditGrant,
    ErasedOrg,
    GenerationCount,
    InvoicePayment,
    Member,
    ProposalCount,
    Review,
    StorageCount,
    StripeCustomer,
    StripeSubscription,
    Subscription,
    SubscriptionHistory,
    UsageThreshold,
)
from billing.subscriptions import SubscriptionRepository
from common.db import UnitOfWork


class BillingRepository:
    """The rows of one org, through a unit of work that has it as its tenant."""

    def __init__(self, uow: UnitOfWork, org_id: UUID) -> None:
        self._session = uow.session
        self.org_id = org_id
        self.subscriptions = SubscriptionRepository(uow, org_id)
        self.counts = CountRepository(uow, org_id)
        self._review_at: datetime | None = None
        """What this transaction has set already."""

    async def find_account(self) -> Account | None:
        """The account, unlocked; for reading."""
        return await self._session.get(Account, self.org_id)

    async def lock_account(self) -> Account | None:
        """The account, locked until the transaction ends: everything that changes an org's billing takes this lock."""
        return await self._session.get(Account, self.org_id, with_for_update=True, populate_existing=True)

    async def open_account(self, *, name: str, personal: bool, entitlement: Entitlement) -> Account | None:
        """Makes the account and returns it locked; None when there is one already."""
        made = await self._session.scalar(
            insert(Account)
            .values(
                org_id=self.org_id,
                name=name,
                personal=personal,
                extras_granted=0,
                entitlements_version=0,
                subscription_version=0,
                credits_version=0,
                payment_version=0,
                usage_version=0,
                **entitlement_columns(entitlement),
            )
            .on_conflict_do_nothing()
            .returning(Account)
        )
        if made is not None:
            await self.schedule_review(entitlement.review_at)
        return made

    async def schedule_review(self, due_at: datetime) -> None:
        """Sets when the entitlement is looked at next."""
        if due_at == self._review_at:
            return
        self._review_at = due_at
        await self._session.execute(
            insert(Review)
            .values(org_id=self.org_id, due_at=due_at)
            .on_conflict_do_update(index_elements=[Review.org_id], set_={"due_at": due_at})
        )

    async def link_customer(self, account: Account, stripe_customer_id: str) -> str:
        """Remembers the org's Stripe customer; returns the one that counts, should another have been faster."""
        if account.stripe_customer_id is None:
            account.stripe_customer_id = stripe_customer_id
        await self._session.execute(
            insert(StripeCustomer)
            .values(stripe_customer_id=stripe_customer_id, org_id=self.org_id)
            .on_conflict_do_nothing()
        )
        return account.stripe_customer_id

    async def grant_credits(self, account: Account, *, source: str, amount: int) -> CreditGrant | None:
        """Credits a bundle; None when that source was credited before."""
        grant = await self._session.scalar(
            insert(CreditGrant)
            .values(source=source, org_id=self.org_id, credits=amount)
            .on_conflict_do_nothing()
            .returning(CreditGrant)
        )
        if grant is not None:
            account.extras_granted += amount
        return grant

    async def is_erased(self) -> bool:
        """Whether the org is gone for good."""
        return await self._session.get(ErasedOrg, self.org_id) is not None

    async def erase(self, now: datetime) -> None:
        """Deletes what is kept of the org. Stripe's own records stay with Stripe, as the law wants invoices kept."""
        for table in _ERASED_TABLES:
            await self._session.execute(delete(table).where(table.org_id == self.org_id))
        await self._session.execute(
            insert(ErasedOrg).values(org_id=self.org_id, erased_at=now).on_conflict_do_nothing()
        )


_ERASED_TABLES: Final = (
    Subscription,
    SubscriptionHistory,
    InvoicePayment,
    StripeSubscription,
    CreditGrant,
    ProposalCount,
    GenerationCount,
    StorageCount,
    Member,
    Review,
    UsageThreshold,
    StripeCustomer,
    Account,
)


def entitlement_columns(entitlement: Entitlement) -> dict[str, Any]:
    """An entitlement as columns of an account."""
    return {
        "tier": entitlement.tier,
        "status": entitlement.status,
        "limits": entitlement.limits.model_dump(mode="json"),
        "period_start": entitlement.period_start,
        "period_end": entitlement.period_end,
        "grace_ends_at": entitlement.grace_ends_at,
    }
