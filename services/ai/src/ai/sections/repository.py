"""All SQL about sections of one org."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ai.sections.domain import Origin
from ai.sections.models import Section, SectionRevision
from common.errors import NotFound
from common.ids import new_id


class SectionRepository:
    """One org's sections within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def outline(self, proposal_id: UUID) -> Sequence[Section]:
        """The proposal's sections in order, without removed ones."""
        found = await self._session.scalars(
            select(Section)
            .where(Section.org_id == self._org_id, Section.proposal_id == proposal_id, Section.removed_at.is_(None))
            .order_by(Section.position, Section.id)
        )
        return found.all()

    async def removed(self, proposal_id: UUID, *, limit: int) -> Sequence[Section]:
        """The sections that were taken out of the proposal, the latest first."""
        found = await self._session.scalars(
            select(Section)
            .where(Section.org_id == self._org_id, Section.proposal_id == proposal_id, Section.removed_at.is_not(None))
            .order_by(Section.removed_at.desc(), Section.id.desc())
            .limit(limit)
        )
        return found.all()

    async def get(self, section_id: UUID) -> Section:
        """The section; raises NotFound, for a removed one too."""
        return await self._one(section_id, lock=False)

    async def lock(self, section_id: UUID) -> Section:
        """The section, locked until the transaction ends, after its proposal where both are; raises NotFound, for a
        removed one too."""
        return await self._one(section_id, lock=True)

    async def get_any(self, section_id: UUID, *, lock: bool = False) -> Section:
        """The section, removed or not; raises NotFound."""
        return await self._one(section_id, lock=lock, removed=True)

    async def next_position(self, proposal_id: UUID) -> int:
        """Where the next section goes. The caller holds the proposal's lock."""
        last = await self._session.scalar(
            select(func.max(Section.position)).where(Section.org_id == self._org_id, Section.proposal_id == proposal_id)
        )
        return (last or 0) + 1

    def add(
        self,
        proposal_id: UUID,
        *,
        title: str,
        text: str,
        position: int,
        origin: Origin,
        author: UUID | None,
        at: datetime,
    ) -> Section:
        """Adds a section at revision 1."""
        section = Section(
            id=new_id(),
            org_id=self._org_id,
            proposal_id=proposal_id,
            title=title,
            position=position,
            text=text,
            revision=1,
            approved_revision=None,
            event_version=0,
            planned=origin == "plan",
            guidance="",
            page_limit=None,
            criteria=[],
            questions=[],
            revise_count=0,
            removed_at=None,
            created_at=at,
            updated_at=at,
        )
        self._session.add(section)
        return section

    def record(
        self,
        section: Section,
        *,
        origin: Origin,
        author: UUID | None,
        at: datetime,
        provenance: list[dict[str, Any]] | None = None,
    ) -> None:
        """Keeps what the section says now as its present revision."""
        self._session.add(
            SectionRevision(
                section_id=section.id,
                revision=section.revision,
                org_id=self._org_id,
                title=section.title,
                text=section.text,
                origin=origin,
                provenance=provenance,
                author_id=author,
                created_at=at,
            )
        )

    async def revisions(self, section_id: UUID, *, before: int | None, limit: int) -> Sequence[SectionRevision]:
        """Newest first; `before` is the number of the last one seen."""
        statement = select(SectionRevision).where(
            SectionRevision.org_id == self._org_id, SectionRevision.section_id == section_id
        )
        if before is not None:
            statement = statement.where(SectionRevision.revision < before)
        found = await self._session.scalars(statement.order_by(SectionRevision.revision.desc()).limit(limit))
        return found.all()

    async def delete(self, section_id: UUID) -> None:
        """Deletes the section and its revisions for good."""
        await self._session.execute(delete(Section).where(Section.org_id == self._org_id, Section.id == section_id))

    async def _one(self, section_id: UUID, *, lock: bool, removed: bool = False) -> Section:
        statement = select(Section).where(Section.org_id == self._org_id, Section.id == section_id)
        if not removed:
            statement = statement.where(Section.removed_at.is_(None))
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        section = await self._session.scalar(statement)
        if section is None:
            raise NotFound
        return section
