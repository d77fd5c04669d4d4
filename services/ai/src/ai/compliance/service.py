"""Use cases of the compliance matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ai.citations import service as citations
from ai.compliance import checking, domain
from ai.compliance.facts import facts_of
from ai.compliance.models import Requirement
from ai.compliance.repository import RequirementRepository
from ai.knowledge.repository import KnowledgeRepository
from ai.proposals.models import Proposal
from ai.proposals.repository import ProposalRepository
from ai.sections.repository import SectionRepository
from common.db import Database, Tenant, UnitOfWork
from common.errors import ValidationFailed
from common.identity import Identity


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement, the sections that answer it in the proposal's order, and how far they are."""

    requirement: Requirement
    sections: tuple[domain.SectionFacts, ...]
    state: domain.State


@dataclass(frozen=True, slots=True)
class Matrix:
    """A proposal's requirements against its sections."""

    proposal: Proposal
    sections: tuple[domain.SectionFacts, ...]
    rows: tuple[Row, ...]


class ComplianceService:
    """Reads the matrix as it is now, maps by hand, and checks before submission."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def matrix(self, who: Identity, proposal_id: UUID) -> Matrix:
        """The matrix; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await _matrix(uow, who.org_id, proposal_id)

    async def map(self, who: Identity, proposal_id: UUID, requirement_id: UUID, section_ids: Sequence[UUID]) -> Row:
        """Says which sections answer a requirement, none among them; the last one who says so wins.

        Raises NotFound, ValidationFailed (a section that the proposal does not have).
        """
        async with self._db.unit_of_work(_tenant(who)) as uow:
            # A section that is deleted at the same time, or another mapping, waits for this lock.
            await ProposalRepository(uow.session, who.org_id).lock(proposal_id)
            repository = RequirementRepository(uow.session, who.org_id)
            requirement = await repository.get(proposal_id, requirement_id)
            sections = [facts_of(one) for one in await SectionRepository(uow.session, who.org_id).outline(proposal_id)]
            wanted = dict.fromkeys(section_ids)
            if not wanted.keys() <= {section.id for section in sections}:
                raise ValidationFailed(
                    [{"field": "section_ids", "message": "there is no such section in the proposal"}]
                )
            requirement.mapped_by_hand = True
            await repository.clear_answers([requirement_id])
            repository.answer(requirement, wanted)
            row = _row(requirement, sections, set(wanted))
            await uow.commit()
        return row

    async def check(self, who: Identity, proposal_id: UUID) -> list[checking.Finding]:
        """What is left before the proposal can be handed in; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            matrix = await _matrix(uow, who.org_id, proposal_id)
            documents = await KnowledgeRepository(uow.session, who.org_id).of_proposal(proposal_id)
            call_id = matrix.proposal.call_upload_id
            written = [section for section in matrix.sections if section.status != "empty"]
            examined = await citations.examine(uow, matrix.proposal, [section.text for section in written])
            filenames = [document.filename for document in documents if document.id not in (call_id, proposal_id)]
        facts = [
            checking.RequirementFacts(
                row.requirement.id, row.requirement.kind, row.requirement.words, limit_of(row.requirement), row.sections
            )
            for row in matrix.rows
        ]
        sourcing = {section.id: found for section, found in zip(written, examined, strict=True)}
        return checking.check(matrix.sections, facts, filenames, sourcing)


def limit_of(requirement: Requirement) -> domain.Limit | None:
    """The requirement's limit, where it has one."""
    if requirement.limit_value is None or requirement.limit_unit is None:
        return None
    return domain.Limit(requirement.limit_value, requirement.limit_unit)


async def _matrix(uow: UnitOfWork, org_id: UUID, proposal_id: UUID) -> Matrix:
    proposal = await ProposalRepository(uow.session, org_id).get(proposal_id)
    sections = tuple(facts_of(one) for one in await SectionRepository(uow.session, org_id).outline(proposal_id))
    repository = RequirementRepository(uow.session, org_id)
    answers = await repository.answers(proposal_id)
    rows = tuple(
        _row(requirement, sections, answers.get(requirement.id, set()))
        for requirement in await repository.of_proposal(proposal_id)
    )
    return Matrix(proposal, sections, rows)


def _row(requirement: Requirement, sections: Sequence[domain.SectionFacts], answering: set[UUID]) -> Row:
    chosen = tuple(section for section in sections if section.id in answering)
    return Row(requirement, chosen, domain.state_of(limit_of(requirement), chosen))


def _tenant(who: Identity) -> Tenant:
    return Tenant(org_id=who.org_id, user_id=who.user_id)
