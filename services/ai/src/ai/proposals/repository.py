"""All SQL about proposals of one org."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ai.proposals.models import Proposal
from ai.sections.models import Section
from common.errors import NotFound


@dataclass(frozen=True, slots=True)
class ProposalWithCounts:
    """A proposal and how many of its sections there are, and are approved."""

    proposal: Proposal
    sections_total: int
    sections_approved: int


class ProposalRepository:
    """One org's proposals within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    def add(self, proposal: Proposal) -> None:
        """Adds a new proposal."""
        self._session.add(proposal)

    async def get(self, proposal_id: UUID) -> Proposal:
        """The proposal; raises NotFound."""
        return await self._one(proposal_id, lock=False)

    async def lock(self, proposal_id: UUID) -> Proposal:
        """The proposal, locked until the transaction ends; raises NotFound."""
        return await self._one(proposal_id, lock=True)

    async def get_with_counts(self, proposal_id: UUID) -> ProposalWithCounts:
        """The proposal with its section counts; raises NotFound."""
        found = await self._select(Proposal.id == proposal_id, limit=1)
        if not found:
            raise NotFound
        return found[0]

    async def page(
        self, *, state: str | None, query: str | None, before: UUID | None, limit: int
    ) -> Sequence[ProposalWithCounts]:
        """Newest first; `before` is the id of the last one seen. Ids are UUIDv7, so their order is that of making."""
        conditions: list[ColumnElement[bool]] = []
        if state is not None:
            conditions.append(Proposal.state == state)
        if query:
            conditions.append(Proposal.title.icontains(query, autoescape=True))
        if before is not None:
            conditions.append(Proposal.id < before)
        return await self._select(*conditions, limit=limit)

    async def delete(self, proposal_id: UUID) -> None:
        """Deletes the proposal and, by the foreign keys, all that hangs on it."""
        await self._session.execute(delete(Proposal).where(Proposal.org_id == self._org_id, Proposal.id == proposal_id))

    async def _one(self, proposal_id: UUID, *, lock: bool) -> Proposal:
        statement = select(Proposal).where(Proposal.org_id == self._org_id, Proposal.id == proposal_id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        proposal = await self._session.scalar(statement)
        if proposal is None:
            raise NotFound
        return proposal

    async def _select(self, *conditions: ColumnElement[bool], limit: int) -> list[ProposalWithCounts]:
        page = (
            select(Proposal.id)
            .where(Proposal.org_id == self._org_id, *conditions)
            .order_by(Proposal.id.desc())
            .limit(limit)
            .subquery()
        )
        counts = (
            select(
                Section.proposal_id,
                func.count().label("total"),
                func.count(Section.approved_revision).label("approved"),
            )
            .where(
                Section.org_id == self._org_id,
                Section.proposal_id.in_(select(page.c.id)),
                Section.removed_at.is_(None),
            )
            .group_by(Section.proposal_id)
            .subquery()
        )
        rows = await self._session.execute(
            select(Proposal, func.coalesce(counts.c.total, 0), func.coalesce(counts.c.approved, 0))
            .join(page, page.c.id == Proposal.id)
            .outerjoin(counts, counts.c.proposal_id == Proposal.id)
            .order_by(Proposal.id.desc())
        )
        return [ProposalWithCounts(proposal, total, approved) for proposal, total, approved in rows]
