"""All SQL of billing. A repository belongs to one unit of work and one org; it never commits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from billing.domain import Entitlement, Usage
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

# One statement, written out: it is behind every look at /api/usage and every counted event, and four by the ORM cost
# more than twice as much.
_USAGE = text(
    """
    SELECT p.*, g.*, m.*, s.*
    FROM
        (
            SELECT
                count(*) FILTER (WHERE active) AS active,
                count(*) AS ever,
                count(*) FILTER (
                    WHERE charged_to = 'cap' AND created_at >= :period_start AND created_at < :period_end
                ) AS created_this_period,
                count(*) FILTER (WHERE charged_to = 'extras') AS extras
            FROM proposal_counts WHERE org_id = :org
        ) p,
        (
            SELECT count(*) FILTER (WHERE accepted_at >= :today) AS requests, coalesce(sum(tokens), 0) AS tokens
            FROM generation_counts WHERE org_id = :org AND accepted_at >= :month
        ) g,
        (SELECT count(*) AS seats FROM members WHERE org_id = :org) m,
        (SELECT coalesce(sum(bytes_used), 0) AS bytes_used FROM storage_counts WHERE org_id = :org) s
    """
)


class BillingRepository:
    """The rows of one org, through a unit of work that has it as its tenant."""

    def __init__(self, uow: UnitOfWork, org_id: UUID) -> None:
        self._session = uow.session
        self.org_id = org_id
        self.subscriptions = SubscriptionRepository(uow, org_id)
        self._review_at: datetime | None = None
        """What this transaction has set already."""
        self._counted: dict[Any, Row[Any]] = {}

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

    async def usage(self, account: Account, *, now: datetime) -> Usage:
        """What the org has used, in the account's period, today and this month (UTC)."""
        return await self._usage(account, now)

    async def usage_once(self, account: Account, *, now: datetime) -> Usage:
        """The same, counted once in this transaction: for who counts nothing anew in it, but asks again and again."""
        return await self._usage(account, now, self._counted)

    async def _usage(self, account: Account, now: datetime, counted: dict[Any, Row[Any]] | None = None) -> Usage:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        values = {
            "org": self.org_id,
            "period_start": account.period_start,
            "period_end": account.period_end,
            "today": today,
            "month": today.replace(day=1),
        }
        key = tuple(values.values())
        row = counted.get(key) if counted is not None else None
        if row is None:
            row = (await self._session.execute(_USAGE, values)).one()
            if counted is not None:
                counted[key] = row
        return Usage(
            active=row.active,
            ever=row.ever,
            created_this_period=row.created_this_period,
            extras_left=max(0, account.extras_granted - row.extras),
            seats=row.seats,
            ai_requests_today=row.requests,
            ai_tokens_this_month=int(row.tokens),
            storage_bytes=int(row.bytes_used),
        )

    async def count_proposal(self, proposal_id: UUID, *, created_at: datetime, charged_to: str) -> None:
        """Counts a proposal, once."""
        await self._session.execute(
            insert(ProposalCount)
            .values(
                proposal_id=proposal_id, org_id=self.org_id, created_at=created_at, charged_to=charged_to, active=True
            )
            .on_conflict_do_nothing()
        )

    async def set_proposal_active(self, proposal_id: UUID, active: bool) -> None:
        """A proposal was archived, deleted or taken up again."""
        await self._session.execute(
            update(ProposalCount).where(ProposalCount.proposal_id == proposal_id).values(active=active)
        )

    async def count_generation(self, generation_id: UUID, *, accepted_at: datetime, tokens: int) -> None:
        """Counts an AI request once; one that was retried costs what its last report says."""
        counted = insert(GenerationCount).values(
            generation_id=generation_id, org_id=self.org_id, accepted_at=accepted_at, tokens=tokens
        )
        await self._session.execute(
            counted.on_conflict_do_update(
                index_elements=[GenerationCount.generation_id], set_={"tokens": counted.excluded.tokens}
            )
        )

    async def count_storage(self, service: str, bytes_used: int) -> None:
        """Keeps what a service's files take up."""
        await self._session.execute(
            insert(StorageCount)
            .values(org_id=self.org_id, service=service, bytes_used=bytes_used)
            .on_conflict_do_update(
                index_elements=[StorageCount.org_id, StorageCount.service], set_={"bytes_used": bytes_used}
            )
        )

    async def count_members(self) -> int:
        """How many seats are taken."""
        return await self._session.scalar(select(func.count()).where(Member.org_id == self.org_id)) or 0

    async def add_member(self, user_id: UUID) -> None:
        """A person takes a seat."""
        await self._session.execute(insert(Member).values(org_id=self.org_id, user_id=user_id).on_conflict_do_nothing())

    async def remove_member(self, user_id: UUID) -> None:
        """A seat is free again."""
        await self._session.execute(delete(Member).where(Member.org_id == self.org_id, Member.user_id == user_id))

    async def note_threshold(self, cap: str, threshold: int, *, period_start: datetime, now: datetime) -> bool:
        """Notes that a threshold is told; False when it was told before in that period."""
        noted = await self._session.scalar(
            insert(UsageThreshold)
            .values(org_id=self.org_id, cap=cap, threshold=threshold, period_start=period_start, reached_at=now)
            .on_conflict_do_nothing()
            .returning(UsageThreshold.threshold)
        )
        return noted is not None

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
