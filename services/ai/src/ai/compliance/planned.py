"""What a plan does to the matrix: requirements that are found again keep their id, and what a person mapped."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ai.compliance import domain
from ai.compliance.facts import facts_of
from ai.compliance.models import Requirement
from ai.compliance.repository import RequirementRepository
from ai.planning import requirements as planning
from ai.sections.models import Section
from common.db import UnitOfWork
from common.ids import new_id


async def put(
    uow: UnitOfWork,
    org_id: UUID,
    proposal_id: UUID,
    found: Sequence[planning.Requirement],
    sections: Sequence[Section],
) -> None:
    """Makes the proposal's requirements those that the plan found. The caller holds the proposal's lock.

    One that only a person's mapping still knows stays as it is, at the end.
    """
    repository = RequirementRepository(uow.session, org_id)
    known = {planning.key_of(row.words): row for row in await repository.of_proposal(proposal_id)}
    facts = [facts_of(section) for section in sections]
    kept: list[tuple[Requirement, list[UUID] | None]] = []
    for position, one in enumerate(found, start=1):
        row = known.pop(planning.key_of(one.words), None)
        if row is None:
            row = Requirement(id=new_id(), org_id=org_id, proposal_id=proposal_id, mapped_by_hand=False)
            repository.add(row)
        _describe(row, one, position)
        kept.append((row, None if row.mapped_by_hand else domain.answering(one, facts)))
    gone = [row.id for row in known.values() if not row.mapped_by_hand]
    for position, row in enumerate((row for row in known.values() if row.mapped_by_hand), start=len(kept) + 1):
        row.position = position
    await repository.remove(gone)
    await uow.flush()
    await repository.clear_answers(row.id for row, answers in kept if answers is not None)
    for row, answers in kept:
        repository.answer(row, answers or ())


def _describe(row: Requirement, found: planning.Requirement, position: int) -> None:
    row.position = position
    row.kind = found.kind
    row.words = found.words
    row.page = found.page
    row.span_start, row.span_end = found.start, found.end
    row.weight = found.weight
    row.limit_value, row.limit_unit = found.limit, found.limit_unit
