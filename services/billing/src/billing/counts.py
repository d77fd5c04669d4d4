"""What an org has used: counted once each from what other services report, and read in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from billing.domain import SubscriptionState, Usage
from billing.models import Account, GenerationCount, Member, ProposalCount, StorageCount, UsageThreshold
from common.db import UnitOfWork
from contracts.billing import Limits

# One statement, written out: it is behind every look at /api/usage and every counted event, and
# four by the ORM cost more than twice as much.
_COUNTED: Final = """
    LATERAL (
        SELECT
            count(*) FILTER (WHERE active) AS active,
            count(*) AS ever,
            count(*) FILTER (
                WHERE charged_to = 'cap' AND created_at >= period.starts AND created_at < period.ends
            ) AS created_this_period,
            count(*) FILTER (WHERE charged_to = 'extras') AS extras
        FROM proposal_counts WHERE org_id = :org
    ) AS proposals,
    (
        SELECT count(*) FILTER (WHERE accepted_at >= :today) AS requests, coalesce(sum(tokens), 0) AS tokens
        FROM generation_counts WHERE org_id = :org AND accepted_at >= :month
    ) AS generations,
    (SELECT count(*) AS seats FROM members WHERE org_id = :org) AS members,
    (SELECT coalesce(sum(bytes_used), 0) AS bytes_used FROM storage_counts WHERE org_id = :org) AS storage
"""
_USAGE: Final = text(
    f"""
    SELECT proposals.*, generations.*, members.*, storage.*
    FROM (SELECT CAST(:period_start AS timestamptz) AS starts, CAST(:period_end AS timestamptz) AS ends) AS period,
    {_COUNTED}
    """  # noqa: S608  # of constants alone
)
_OVERVIEW: Final = text(
    f"""
    SELECT
        accounts.name, personal, tier, status, limits, extras_granted, period_start, period_end, grace_ends_at,
        proposals.*, generations.*, members.*, storage.*,
        (SELECT jsonb_agg(to_jsonb(subscriptions)) FROM subscriptions WHERE org_id = :org) AS subscriptions
    FROM
        accounts, LATERAL (SELECT period_start AS starts, period_end AS ends) AS period,
        {_COUNTED}
    WHERE accounts.org_id = :org
    """  # noqa: S608  # of constants alone
)
_STATES: Final = TypeAdapter(list[SubscriptionState])


@dataclass(frozen=True, slots=True)
class Overview:
    """An account, what its org has used, and its subscriptions, the latest report first."""

    name: str
    personal: bool
    tier: str
    status: str
    limits: Limits
    period_start: datetime
    period_end: datetime
    grace_ends_at: datetime | None
    usage: Usage
    subscriptions: list[SubscriptionState]


class CountRepository:
    """The counted things of one org, through a unit of work that has it as its tenant; it never commits."""

    def __init__(self, uow: UnitOfWork, org_id: UUID) -> None:
        self._session = uow.session
        self._org_id = org_id
        self._counted: dict[Any, Row[Any]] = {}

    async def usage(self, account: Account, *, now: datetime) -> Usage:
        """What the org has used, in the account's period, today and this month (UTC)."""
        return await self._usage(account, now)

    async def usage_once(self, account: Account, *, now: datetime) -> Usage:
        """The same, counted once in this transaction: for who counts nothing anew in it, but asks again and again."""
        return await self._usage(account, now, self._counted)

    async def _usage(self, account: Account, now: datetime, counted: dict[Any, Row[Any]] | None = None) -> Usage:
        values = {**self._since(now), "period_start": account.period_start, "period_end": account.period_end}
        key = tuple(values.values())
        row = counted.get(key) if counted is not None else None
        if row is None:
            row = (await self._session.execute(_USAGE, values)).one()
            if counted is not None:
                counted[key] = row
        return _usage_of(row, account.extras_granted)

    async def overview(self, *, now: datetime) -> Overview | None:
        """All that the usage page shows, in one statement; None when there is no account yet."""
        row = (await self._session.execute(_OVERVIEW, self._since(now))).one_or_none()
        if row is None:
            return None
        known = sorted(row.subscriptions or [], key=lambda it: it["subscription_id"])
        known.sort(key=lambda it: datetime.fromisoformat(it["as_of"]), reverse=True)
        return Overview(
            name=row.name,
            personal=row.personal,
            tier=row.tier,
            status=row.status,
            limits=Limits.model_validate(row.limits),
            period_start=row.period_start,
            period_end=row.period_end,
            grace_ends_at=row.grace_ends_at,
            usage=_usage_of(row, row.extras_granted),
            subscriptions=_STATES.validate_python([{"customer_id": None, **it} for it in known]),
        )

    def _since(self, now: datetime) -> dict[str, Any]:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return {"org": self._org_id, "today": today, "month": today.replace(day=1)}

    async def count_proposal(self, proposal_id: UUID, *, created_at: datetime, charged_to: str) -> None:
        """Counts a proposal, once."""
        await self._session.execute(
            insert(ProposalCount)
            .values(
                proposal_id=proposal_id, org_id=self._org_id, created_at=created_at, charged_to=charged_to, active=True
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
            generation_id=generation_id, org_id=self._org_id, accepted_at=accepted_at, tokens=tokens
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
            .values(org_id=self._org_id, service=service, bytes_used=bytes_used)
            .on_conflict_do_update(
                index_elements=[StorageCount.org_id, StorageCount.service], set_={"bytes_used": bytes_used}
            )
        )

    async def count_members(self) -> int:
        """How many seats are taken."""
        return await self._session.scalar(select(func.count()).where(Member.org_id == self._org_id)) or 0

    async def add_member(self, user_id: UUID) -> None:
        """A person takes a seat."""
        await self._session.execute(
            insert(Member).values(org_id=self._org_id, user_id=user_id).on_conflict_do_nothing()
        )

    async def remove_member(self, user_id: UUID) -> None:
        """A seat is free again."""
        await self._session.execute(delete(Member).where(Member.org_id == self._org_id, Member.user_id == user_id))

    async def note_threshold(
        self, cap: str, threshold: int, *, limit: int, period_start: datetime, now: datetime
    ) -> bool:
        """Notes that a threshold is told; False when it was told before in that period, of a cap that was as large."""
        noted = await self._session.scalar(
            insert(UsageThreshold)
            .values(
                org_id=self._org_id,
                cap=cap,
                threshold=threshold,
                cap_limit=limit,
                period_start=period_start,
                reached_at=now,
            )
            .on_conflict_do_nothing()
            .returning(UsageThreshold.threshold)
        )
        return noted is not None


def _usage_of(row: Row[Any], extras_granted: int) -> Usage:
    return Usage(
        active=row.active,
        ever=row.ever,
        created_this_period=row.created_this_period,
        extras_left=max(0, extras_granted - row.extras),
        seats=row.seats,
        ai_requests_today=row.requests,
        ai_tokens_this_month=int(row.tokens),
        storage_bytes=int(row.bytes_used),
    )
