"""From a job to its answer: what it stored, with the proposal and sections as they are now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ai.deps import Deps
from ai.errors import GenerationFailed, ProviderUnavailable
from ai.generation.models import Generation
from ai.generation.ports import Outcome
from ai.generation.schemas import FormatOut, JobError, JobOut, PlanOut, Progress, ReviseOut, WriteOut
from ai.proposals.api import proposal_out
from ai.sections.api import section_out
from ai.sections.models import Section
from ai.sections.schemas import SectionOut
from common.errors import BidwrightError, NotFound
from common.identity import Identity
from common.plumbing import Job

AnyResult = PlanOut | WriteOut | ReviseOut | FormatOut


async def job_out(deps: Deps, who: Identity, job: Job, generation: Generation) -> JobOut:
    """The job as the API shows it."""
    progress = None
    if job.progress_done is not None and job.progress_total is not None:
        progress = Progress(done=job.progress_done, total=job.progress_total)
    return JobOut.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "status": job.status,
            "proposal_id": generation.proposal_id,
            "section_id": generation.section_id,
            "progress": progress,
            "result": await result_out(deps, who, job, Outcome(generation)),
            "error": JobError(code=job.error_code, detail=job.error_detail or "") if job.error_code else None,
            "created_at": job.created_at,
            "finished_at": job.finished_at,
        }
    )


async def result_out(deps: Deps, who: Identity, job: Job, outcome: Outcome) -> AnyResult | None:
    """What a succeeded job has to show; None for any other, or when what it was about is gone. The section, when the
    outcome has none, is as it is now."""
    if job.status != "succeeded" or job.result is None:
        return None
    stored: dict[str, Any] = job.result
    try:
        match job.kind:
            case "plan":
                proposal_id = UUID(stored["proposal_id"])
                return PlanOut(
                    proposal=proposal_out(await deps.proposals.get(who, proposal_id)),
                    sections=[_section(deps, section) for section in await deps.sections.outline(who, proposal_id)],
                )
            case "write":
                return WriteOut(
                    section=await _section_of(deps, who, outcome.section, UUID(stored["section_id"])),
                    text=stored["text"],
                    applied=bool(outcome.generation.applied),
                )
            case "revise":
                return ReviseOut.model_validate(stored)
            case _:
                return FormatOut.model_validate(stored)
    except NotFound:
        return None


def refusal(job: Job) -> BidwrightError:
    """Why a synchronous request got no result."""
    detail = job.error_detail or None
    if job.error_code == "provider_unavailable":
        return ProviderUnavailable(detail)
    return GenerationFailed(detail, reason=job.error_code)


async def _section_of(deps: Deps, who: Identity, known: Section | None, section_id: UUID) -> SectionOut | None:
    try:
        return _section(deps, known or await deps.sections.get(who, section_id))
    except NotFound:
        return None


def _section(deps: Deps, section: Any) -> SectionOut:
    return section_out(section, deps.settings.section_revision_cap)
