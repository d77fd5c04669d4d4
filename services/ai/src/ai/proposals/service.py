"""Use cases of proposals. Each opens its unit of work and commits aloud."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ai import events
from ai.entitlements.domain import charge, current_period
from ai.entitlements.repository import EntitlementsRepository
from ai.knowledge import service as knowledge
from ai.knowledge.repository import KnowledgeRepository
from ai.proposals.models import Proposal
from ai.proposals.outline import publish_change
from ai.proposals.repository import ProposalRepository, ProposalWithCounts
from ai.proposals.schemas import ProposalCreate, ProposalUpdate
from ai.sections.repository import SectionRepository
from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, ValidationFailed
from common.identity import Identity
from common.ids import new_id


class ProposalService:
    """Makes, lists, changes and deletes proposals."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def create(self, who: Identity, wish: ProposalCreate) -> ProposalWithCounts:
        """Makes a proposal if an allowance pays for it; exact however many ask at once.

        Raises QuotaExceeded, NotYetConsistent (the upload's text has not arrived), ValidationFailed (it has none).
        """
        now = self._clock.now()
        async with self._db.unit_of_work(tenant(who)) as uow:
            if wish.call_upload_id is not None:
                await knowledge.require_readable(uow, who.org_id, wish.call_upload_id, "call_upload_id", now)
            entitlements = EntitlementsRepository(uow.session, who.org_id)
            allowed = await entitlements.lock()
            period_start, _ = current_period(allowed, now)
            charged_to = charge(allowed, await entitlements.proposals_used(period_start))
            proposal = Proposal(
                id=new_id(),
                org_id=who.org_id,
                title=wish.title,
                state="active",
                revision=1,
                event_version=1,
                call_upload_id=wish.call_upload_id,
                has_call_text=bool(wish.call_text),
                created_by=who.user_id,
                created_at=now,
                updated_at=now,
            )
            ProposalRepository(uow.session, who.org_id).add(proposal)
            await uow.flush()
            entitlements.add_charge(proposal.id, charged_to, now)
            if wish.call_text:
                await knowledge.store_call_text(uow, who.org_id, proposal.id, wish.call_text, now)
            uow.publish(events.proposal_created(proposal, created_by=who.user_id, charged_to=charged_to))
            await uow.commit()
        return ProposalWithCounts(proposal, 0, 0)

    async def get(self, who: Identity, proposal_id: UUID) -> ProposalWithCounts:
        """The proposal; raises NotFound."""
        async with self._db.unit_of_work(tenant(who)) as uow:
            return await ProposalRepository(uow.session, who.org_id).get_with_counts(proposal_id)

    async def page(
        self, who: Identity, *, state: str | None, query: str | None, before: UUID | None, limit: int
    ) -> Sequence[ProposalWithCounts]:
        """One more than `limit`, newest first, so that the caller knows whether there is a next page."""
        async with self._db.unit_of_work(tenant(who)) as uow:
            repository = ProposalRepository(uow.session, who.org_id)
            return await repository.page(state=state, query=query, before=before, limit=limit + 1)

    async def update(self, who: Identity, proposal_id: UUID, wish: ProposalUpdate) -> ProposalWithCounts:
        """Renames, archives or takes back; what would change nothing publishes nothing. Raises NotFound."""
        now = self._clock.now()
        async with self._db.unit_of_work(tenant(who)) as uow:
            repository = ProposalRepository(uow.session, who.org_id)
            proposal = await repository.lock(proposal_id)
            renamed = wish.title is not None and wish.title != proposal.title
            moved = wish.state is not None and wish.state != proposal.state
            gives_call = bool(wish.call_text) or wish.call_upload_id is not None
            if wish.title is None and wish.state is None and not gives_call:
                raise ValidationFailed([{"field": "title", "message": "give a title, a state or a call"}])
            if gives_call:
                await _give_call(uow, proposal, wish, now)
            proposal.title = wish.title or proposal.title
            proposal.state = wish.state or proposal.state
            if renamed or (moved and proposal.state == "active"):
                await publish_change(uow, proposal, now, shown=renamed)
            if moved and proposal.state == "archived":
                proposal.event_version += 1
                proposal.updated_at = now
                outline = await SectionRepository(uow.session, who.org_id).outline(proposal_id)
                uow.publish(events.proposal_archived(proposal, outline))
            await uow.flush()
            # Read before the commit: after it the transaction, and with it the tenant, is gone.
            changed = await repository.get_with_counts(proposal_id)
            await uow.commit()
        return changed

    async def delete(self, who: Identity, proposal_id: UUID) -> None:
        """Deletes the proposal with its text; the allowance that it used stays used. Raises NotFound."""
        async with self._db.unit_of_work(tenant(who)) as uow:
            repository = ProposalRepository(uow.session, who.org_id)
            proposal = await repository.lock(proposal_id)
            proposal.event_version += 1
            await uow.flush()
            await KnowledgeRepository(uow.session, who.org_id).delete_document(proposal_id)
            await repository.delete(proposal_id)
            uow.publish(events.proposal_deleted(proposal))
            await uow.commit()


async def _give_call(uow: UnitOfWork, proposal: Proposal, wish: ProposalUpdate, now: datetime) -> None:
    """A call for a proposal that has none; the caller holds its lock, so that of two calls one is too late."""
    if proposal.call_upload_id is not None or proposal.has_call_text:
        raise Conflict("This proposal has its call already; make another proposal for another call.")
    if wish.call_upload_id is not None:
        await knowledge.require_readable(uow, proposal.org_id, wish.call_upload_id, "call_upload_id", now)
        proposal.call_upload_id = wish.call_upload_id
    elif wish.call_text:
        await knowledge.store_call_text(uow, proposal.org_id, proposal.id, wish.call_text, now)
        proposal.has_call_text = True
    proposal.updated_at = now


def tenant(who: Identity) -> Tenant:
    """Whose rows the caller may see."""
    return Tenant(org_id=who.org_id, user_id=who.user_id)
