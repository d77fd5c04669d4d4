"""What a plan does to a proposal: it adds and describes sections, and never touches a text."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from ai.compliance import planned as compliance
from ai.planning.outline import Plan, PlannedSection
from ai.proposals.outline import publish_change
from ai.proposals.repository import ProposalRepository
from ai.sections.models import Section
from ai.sections.repository import SectionRepository
from common.db import UnitOfWork

MAX_TITLE: int = 200


async def apply(uow: UnitOfWork, org_id: UUID, proposal_id: UUID, plan: Plan, now: datetime) -> None:
    """Puts the plan into the proposal. Raises NotFound when it was deleted meanwhile.

    A section of the same title keeps its text and is described anew; one that an earlier plan made and nobody has
    touched goes when the new plan does not have it; everything else stays, after the planned ones.
    """
    proposal = await ProposalRepository(uow.session, org_id).lock(proposal_id)
    repository = SectionRepository(uow.session, org_id)
    existing = {_key(section.title): section for section in await repository.outline(proposal_id)}
    for position, planned in enumerate(plan.sections, start=1):
        section = existing.pop(_key(planned.title), None)
        if section is None:
            section = repository.add(
                proposal_id,
                title=planned.title[:MAX_TITLE],
                text="",
                position=position,
                origin="plan",
                author=None,
                at=now,
            )
            await uow.flush()
            repository.record(section, origin="plan", author=None, at=now)
        section.position = position
        _describe(section, planned)
    kept = len(plan.sections)
    for section in sorted(existing.values(), key=lambda item: item.position):
        if section.planned and section.revision == 1 and section.approved_revision is None:
            await repository.delete(section.id)
            continue
        kept += 1
        section.position = kept
    proposal.findings = [asdict(finding) for finding in plan.findings]
    await publish_change(uow, proposal, now)
    outline = await repository.outline(proposal_id)
    await compliance.put(uow, org_id, proposal_id, plan.requirements, outline)


def _describe(section: Section, planned: PlannedSection) -> None:
    section.guidance = planned.guidance
    section.page_limit = planned.page_limit
    section.criteria = [asdict(criterion) for criterion in planned.criteria]
    section.questions = [asdict(question) for question in planned.questions]


def _key(title: str) -> str:
    return re.sub(r"\W+", " ", title).strip().lower()
