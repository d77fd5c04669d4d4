"""Use cases of citations: what each rests on, and which claims rest on nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ai.citations import domain
from ai.citations.domain import Citation, Examined, Judged, Source, Sourcing
from ai.citations.repository import SourceRepository
from ai.knowledge.service import CALL_LABEL
from ai.proposals.models import Proposal
from ai.proposals.repository import ProposalRepository
from ai.sections.repository import SectionRepository
from common.db import Database, Tenant, UnitOfWork
from common.identity import Identity


class CitationService:
    """Answers what a section rests on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_section(self, who: Identity, section_id: UUID) -> tuple[int, Sourcing]:
        """The section's revision and what its text rests on; raises NotFound."""
        async with self._db.unit_of_work(Tenant(org_id=who.org_id, user_id=who.user_id)) as uow:
            section = await SectionRepository(uow.session, who.org_id).get(section_id)
            proposal = await ProposalRepository(uow.session, who.org_id).get(section.proposal_id)
            (sourcing,) = await examine(uow, proposal, [section.text])
            return section.revision, sourcing


async def examine(uow: UnitOfWork, proposal: Proposal, texts: Sequence[str]) -> list[Sourcing]:
    """What each of a proposal's texts rests on."""
    repository = SourceRepository(uow.session, proposal.org_id)
    read = [domain.sentences_of(text) for text in texts]
    named = {citation.source for sentences in read for one in sentences for citation in one.citations}
    documents = await repository.documents({one.label for one in named if one.page is not None} - {CALL_LABEL})
    documents[CALL_LABEL] = [proposal.call_upload_id or proposal.id]
    pages = await repository.pages(
        {(document_id, one.page) for one in named if one.page for document_id in documents.get(one.label, [])}
    )
    answers = await repository.approved_answers({UUID(one.answer_id) for one in named if one.answer_id})
    vouched = await repository.vouched(proposal.id)

    def sources(source: Source) -> list[tuple[UUID | None, str]]:
        if source.answer_id:
            return [(None, answers[UUID(source.answer_id)])] if UUID(source.answer_id) in answers else []
        assert source.page is not None
        places = [(document_id, source.page) for document_id in documents.get(source.label, [])]
        return [(place[0], pages[place]) for place in places if place in pages]

    return [
        Sourcing(
            None if proposal.call_upload_id else proposal.id,
            tuple(_judge(citation, sources(citation.source)) for one in sentences for citation in one.citations),
            tuple(domain.uncited(sentences, vouched, [*pages.values()])),
        )
        for sentences in read
    ]


def _judge(citation: Citation, sources: Sequence[tuple[UUID | None, str]]) -> Examined:
    if not sources:
        return Examined(citation, None, Judged("unknown_source"))
    judged = [Examined(citation, document_id, domain.judge(citation.claim, text)) for document_id, text in sources]
    return next((one for one in judged if one.judged.standing == "supported"), judged[0])
