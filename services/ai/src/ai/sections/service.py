"""Use cases of sections. Locks go from the outside in: the proposal before its section."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ai import events
from ai.errors import SectionLocked
from ai.proposals.models import Proposal
from ai.proposals.outline import publish_change
from ai.proposals.repository import ProposalRepository
from ai.sections.domain import etag
from ai.sections.models import Section, SectionRevision
from ai.sections.repository import SectionRepository
from ai.sections.schemas import SectionCreate, SectionUpdate
from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, StaleRevision, ValidationFailed
from common.identity import Identity


class SectionService:
    """Adds, changes, approves and deletes sections."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def outline(self, who: Identity, proposal_id: UUID) -> Sequence[Section]:
        """The proposal's sections in order; raises NotFound for another org's proposal."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            await ProposalRepository(uow.session, who.org_id).get(proposal_id)
            return await SectionRepository(uow.session, who.org_id).outline(proposal_id)

    async def create(self, who: Identity, proposal_id: UUID, wish: SectionCreate) -> Section:
        """Adds a section at the end; raises NotFound."""
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal = await ProposalRepository(uow.session, who.org_id).lock(proposal_id)
            sections = SectionRepository(uow.session, who.org_id)
            section = sections.add(
                proposal_id,
                title=wish.title,
                text=wish.text,
                position=await sections.next_position(proposal_id),
                origin="user",
                author=who.user_id,
                at=now,
            )
            await uow.flush()
            sections.record(section, origin="user", author=who.user_id, at=now)
            await publish_change(uow, proposal, now)
            await uow.commit()
        return section

    async def get(self, who: Identity, section_id: UUID) -> Section:
        """The section; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await SectionRepository(uow.session, who.org_id).get(section_id)

    async def update(self, who: Identity, section_id: UUID, wish: SectionUpdate, expected: int) -> Section:
        """Saves a new text or title on top of the revision that the caller saw.

        Raises NotFound, SectionLocked, StaleRevision (with the current revision and text).
        """
        if wish.text is None and wish.title is None:
            raise ValidationFailed([{"field": "text", "message": "give a text or a title to change"}])
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal, section = await _lock_both(uow, who.org_id, section_id, with_proposal=wish.title is not None)
            if section.approved_revision is not None:
                raise SectionLocked
            check_revision(section, expected)
            renamed = wish.title is not None and wish.title != section.title
            rewritten = wish.text is not None and wish.text != section.text
            if renamed or rewritten:
                apply_change(uow, section, text=wish.text, title=wish.title, author=who.user_id, origin="user", at=now)
            if renamed and proposal is not None:
                await publish_change(uow, proposal, now)
            await uow.commit()
        return section

    async def approve(self, who: Identity, section_id: UUID, expected: int | None) -> Section:
        """Approves the text as it is: locks it and tells the exports. Approving again changes nothing.

        Raises NotFound, StaleRevision (when the caller says which revision they saw), Conflict (there is no text).
        """
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal, section = await _lock_both(uow, who.org_id, section_id)
            if expected is not None:
                check_revision(section, expected)
            if section.approved_revision is not None:
                return section
            if not section.text.strip():
                raise Conflict("There is no text to approve yet.")
            section.approved_revision = section.revision
            section.event_version += 1
            section.revise_count = 0
            section.updated_at = now
            uow.publish(events.section_approved(section, approved_by=who.user_id, approved_at=now))
            await publish_change(uow, _present(proposal), now)
            await uow.commit()
        return section

    async def unlock(self, who: Identity, section_id: UUID) -> Section:
        """Takes the approval back, so that the text can be changed; without one, nothing happens. Raises NotFound."""
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal, section = await _lock_both(uow, who.org_id, section_id)
            if section.approved_revision is None:
                return section
            section.approved_revision = None
            section.updated_at = now
            await publish_change(uow, _present(proposal), now)
            await uow.commit()
        return section

    async def delete(self, who: Identity, section_id: UUID) -> None:
        """Deletes the section with its revisions. Raises NotFound, SectionLocked."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal, section = await _lock_both(uow, who.org_id, section_id)
            if section.approved_revision is not None:
                raise SectionLocked
            await SectionRepository(uow.session, who.org_id).delete(section_id)
            await publish_change(uow, _present(proposal), self._clock.now())
            await uow.commit()

    async def revisions(
        self, who: Identity, section_id: UUID, *, before: int | None, limit: int
    ) -> Sequence[SectionRevision]:
        """One more than `limit`, newest first; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            repository = SectionRepository(uow.session, who.org_id)
            await repository.get(section_id)
            return await repository.revisions(section_id, before=before, limit=limit + 1)


def check_revision(section: Section, expected: int) -> None:
    """Raises StaleRevision, with what the section says now, unless it is at the expected revision."""
    if section.revision != expected:
        raise StaleRevision(
            headers={"ETag": etag(section.revision)},
            revision=section.revision,
            text=section.text,
            section_title=section.title,  # `title` is the problem's own
        )


def apply_change(
    uow: UnitOfWork,
    section: Section,
    *,
    text: str | None,
    author: UUID | None,
    origin: str,
    at: datetime,
    title: str | None = None,
) -> None:
    """A new revision of a section that the caller holds locked."""
    section.text = section.text if text is None else text
    section.title = section.title if title is None else title
    section.revision += 1
    section.updated_at = at
    repository = SectionRepository(uow.session, section.org_id)
    repository.record(section, origin="write" if origin == "write" else "user", author=author, at=at)


async def _lock_both(
    uow: UnitOfWork, org_id: UUID, section_id: UUID, *, with_proposal: bool = True
) -> tuple[Proposal | None, Section]:
    sections = SectionRepository(uow.session, org_id)
    proposal = None
    if with_proposal:
        unlocked = await sections.get(section_id)
        proposal = await ProposalRepository(uow.session, org_id).lock(unlocked.proposal_id)
    return proposal, await sections.lock(section_id)


def _present(proposal: Proposal | None) -> Proposal:
    assert proposal is not None
    return proposal


def _tenant(who: Identity) -> Tenant:
    return Tenant(org_id=who.org_id, user_id=who.user_id)
