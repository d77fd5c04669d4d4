"""All SQL about provenance in one org."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from ai.generation.models import Generation
from ai.sections.models import SectionRevision
from common.errors import NotFound
from common.plumbing import Job

PROPOSALS: Final = 3
PROPOSED_WITHIN: Final = timedelta(days=1)
"""A proposal that nobody took in a day is taken no more; each is read whenever the section is saved."""
EARLIER: Final = 10
"""Revisions in which a paragraph that comes back is looked for."""


class ProvenanceRepository:
    """What one org's revisions and requests say about who wrote what."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def latest(self, section_id: UUID, revision: int) -> Sequence[SectionRevision]:
        """A revision and those before it, newest first."""
        found = await self._session.scalars(
            select(SectionRevision)
            .where(
                SectionRevision.org_id == self._org_id,
                SectionRevision.section_id == section_id,
                SectionRevision.revision <= revision,
                SectionRevision.revision > revision - EARLIER,
            )
            .order_by(SectionRevision.revision.desc())
        )
        return found.all()

    async def one(self, section_id: UUID, revision: int) -> SectionRevision:
        """A revision; raises NotFound."""
        found = await self._session.scalar(
            select(SectionRevision).where(
                SectionRevision.org_id == self._org_id,
                SectionRevision.section_id == section_id,
                SectionRevision.revision == revision,
            )
        )
        if found is None:
            raise NotFound
        return found

    async def proposed(self, section_id: UUID, now: datetime) -> list[tuple[UUID, str]]:
        """What models have lately proposed for the section and not put into it themselves."""
        rows = await self._session.execute(
            select(Generation.id, cast(Job.result["text"].astext, Text))
            .join(Job, Job.id == Generation.id)
            .where(
                Generation.org_id == self._org_id,
                Generation.section_id == section_id,
                Generation.status == "succeeded",
                Generation.kind.in_(("revise", "write")),
                Generation.applied.is_not(True),
                Generation.finished_at > now - PROPOSED_WITHIN,
            )
            .order_by(Generation.finished_at.desc())
            .limit(PROPOSALS)
        )
        return [(generation_id, text) for generation_id, text in rows if text]

    async def authors(self, section_id: UUID, revisions: Collection[int]) -> dict[int, tuple[UUID | None, datetime]]:
        """Who saved each of these revisions, None for a person who was erased, and when."""
        rows = await self._session.execute(
            select(SectionRevision.revision, SectionRevision.author_id, SectionRevision.created_at).where(
                SectionRevision.org_id == self._org_id,
                SectionRevision.section_id == section_id,
                SectionRevision.revision.in_(revisions),
            )
        )
        return {revision: (author_id, at) for revision, author_id, at in rows}

    async def generations(self, ids: Collection[UUID]) -> dict[UUID, Generation]:
        """These requests."""
        found = await self._session.scalars(
            select(Generation).where(Generation.org_id == self._org_id, Generation.id.in_(ids))
        )
        return {generation.id: generation for generation in found}
