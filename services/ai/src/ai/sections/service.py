"""Use cases of sections. Locks go from the outside in: the proposal before its section."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from ai import events
from ai.errors import SectionLocked
from ai.proposals.models import Proposal
from ai.proposals.outline import publish_change
from ai.proposals.repository import ProposalRepository
from ai.provenance import service as provenance
from ai.sections.domain import etag
from ai.sections.models import Section, SectionRevision
from ai.sections.repository import SectionRepository
from ai.sections.schemas import SectionCreate, SectionUpdate
from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, StaleRevision, ValidationFailed
from common.identity import Identity

MAX_REMOVED: Final = 100
"""As many as a page shows; older ones stay with the proposal all the same."""


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
            written = provenance.of_first(wish.text)
            sections.record(section, origin="user", author=who.user_id, at=now, provenance=written)
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
                await apply_change(
                    uow, section, text=wish.text, title=wish.title, author=who.user_id, origin="user", at=now
                )
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
            paragraphs = await provenance.traced(uow, who.org_id, section.id, section.revision)
            uow.publish(
                events.section_approved(section, approved_by=who.user_id, approved_at=now, paragraphs=paragraphs)
            )
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

    async def remove(self, who: Identity, section_id: UUID) -> None:
        """Takes the section out of the proposal; it can be put back. Raises NotFound, SectionLocked."""
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal, section = await _lock_both(uow, who.org_id, section_id)
            if section.approved_revision is not None:
                raise SectionLocked
            section.removed_at = now
            await publish_change(uow, _present(proposal), now)
            await uow.commit()

    async def restore(self, who: Identity, section_id: UUID) -> Section:
        """Puts a removed section back where it was, with its text and revisions; one that is there stays as it is.

        Raises NotFound.
        """
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            sections = SectionRepository(uow.session, who.org_id)
            unlocked = await sections.get_any(section_id)
            proposal = await ProposalRepository(uow.session, who.org_id).lock(unlocked.proposal_id)
            section = await sections.get_any(section_id, lock=True)
            if section.removed_at is None:
                return section
            section.removed_at = None
            await publish_change(uow, proposal, now)
            await uow.commit()
        return section

    async def removed(self, who: Identity, proposal_id: UUID) -> Sequence[Section]:
        """What was taken out of the proposal, the latest first; raises NotFound for another org's proposal."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            await ProposalRepository(uow.session, who.org_id).get(proposal_id)
            return await SectionRepository(uow.session, who.org_id).removed(proposal_id, limit=MAX_REMOVED)

    async def reorder(
        self, who: Identity, proposal_id: UUID, section_ids: Sequence[UUID], expected: int
    ) -> tuple[Proposal, Sequence[Section]]:
        """Puts the sections in this order, on top of the proposal's revision that the caller saw.

        Raises NotFound, StaleRevision (with the order as it is), ValidationFailed (not each of its sections once).
        """
        async with self._db.unit_of_work(_tenant(who)) as uow:
            proposal = await ProposalRepository(uow.session, who.org_id).lock(proposal_id)
            sections = SectionRepository(uow.session, who.org_id)
            current = {section.id: section for section in await sections.outline(proposal_id)}
            if proposal.revision != expected:
                raise StaleRevision(
                    headers={"ETag": etag(proposal.revision)},
                    revision=proposal.revision,
                    section_ids=[str(section_id) for section_id in current],
                )
            if len(section_ids) != len(current) or set(section_ids) != current.keys():
                message = "must name each section of the proposal once"
                raise ValidationFailed([{"field": "section_ids", "message": message}])
            if list(current) != list(section_ids):
                for position, section_id in enumerate(section_ids, start=1):
                    current[section_id].position = position
                await publish_change(uow, proposal, self._clock.now())
                await uow.commit()
            return proposal, [current[section_id] for section_id in section_ids]

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


async def apply_change(
    uow: UnitOfWork,
    section: Section,
    *,
    text: str | None,
    author: UUID | None,
    origin: str,
    at: datetime,
    title: str | None = None,
    generation_id: UUID | None = None,
) -> None:
    """A new revision of a section that the caller holds locked; `generation_id` where a model wrote the text."""
    text_now = section.text if text is None else text
    written = await provenance.of_change(uow, section, text_now, generation_id=generation_id, at=at)
    section.text = text_now
    section.title = section.title if title is None else title
    section.revision += 1
    section.updated_at = at
    repository = SectionRepository(uow.session, section.org_id)
    repository.record(
        section, origin="write" if origin == "write" else "user", author=author, at=at, provenance=written
    )


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
