"""Routes of AI requests and their jobs."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response

from ai.deps import Deps, get_deps
from ai.generation.results import job_out, refusal, result_out
from ai.generation.schemas import (
    FormatOut,
    FormatRequest,
    JobAccepted,
    JobOut,
    PlanOut,
    PlanRequest,
    ReviseOut,
    ReviseRequest,
    WriteOut,
    WriteRequest,
)
from ai.generation.service import Wish
from common.identity import Identity, require

router = APIRouter(prefix="/api/ai", tags=["ai"])

Drafter = Annotated[Identity, Depends(require("member", "ai:use"))]
Services = Annotated[Deps, Depends(get_deps)]
Prefer = Annotated[str, Header(description="`respond-async` asks for 202 and a job")]

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "model": JobAccepted,
        "description": "It is being done: follow Location",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}


@router.post("/plan", response_model=PlanOut, responses=ACCEPTED, summary="Plan a proposal from its call")
async def plan(body: PlanRequest, who: Drafter, deps: Services, prefer: Prefer = "") -> Response:
    """Reads the call and lays out the sections that answer it: what it asks of each and on which page, limits,
    criteria, and questions to you. Sections with text stay; untouched ones of an earlier plan give way.
    Open to every tier."""
    return await _answer(deps, who, Wish("plan", body.proposal_id), prefer)


@router.post("/write", response_model=WriteOut, responses=ACCEPTED, summary="Draft a section")
async def write(body: WriteRequest, who: Drafter, deps: Services, prefer: Prefer = "") -> Response:
    """Drafts from your answers, the call and the uploads, with sources as `[call, p. 4]`; what nobody has said stands
    as `[To complete: …]`. The draft becomes a new revision of the section, unless someone changed it meanwhile."""
    wish = Wish("write", body.section_id, answers=body.answers, upload_ids=body.upload_ids)
    return await _answer(deps, who, wish, prefer)


@router.post("/revise", response_model=ReviseOut, responses=ACCEPTED, summary="Propose a changed text")
async def revise(body: ReviseRequest, who: Drafter, deps: Services, prefer: Prefer = "") -> Response:
    """The section itself stays as it is. To accept, PATCH it with the text and If-Match `base_revision`."""
    return await _answer(deps, who, Wish("revise", body.section_id, instruction=body.instruction), prefer)


@router.post("/format", response_model=FormatOut, responses=ACCEPTED, summary="Assemble the approved sections")
async def assemble(body: FormatRequest, who: Drafter, deps: Services, prefer: Prefer = "") -> Response:
    """One Markdown document of the approved texts, and what is still missing from it."""
    return await _answer(deps, who, Wish("format", body.proposal_id), prefer)


@router.get("/jobs/{job_id}", summary="A job and its result")
async def get_job(job_id: UUID, who: Drafter, deps: Services) -> JobOut:
    return await job_out(deps, who, *await deps.generations.job(who, job_id))


@router.post("/jobs/{job_id}/cancel", summary="Stop a job")
async def cancel_job(job_id: UUID, who: Drafter, deps: Services) -> JobOut:
    """A running one stops within about a second; nothing is charged and no text is changed."""
    return await job_out(deps, who, *await deps.generations.cancel(who, job_id))


@router.post("/jobs/{job_id}/retry", status_code=202, summary="Try a failed or cancelled job again")
async def retry_job(job_id: UUID, who: Drafter, deps: Services, response: Response) -> JobOut:
    response.headers["Location"] = _location(job_id)
    return await job_out(deps, who, *await deps.generations.retry(who, job_id))


async def _answer(deps: Deps, who: Identity, wish: Wish, prefer: str) -> Response:
    wait = not deps.settings.ai_async and "respond-async" not in prefer.lower()
    asked = await deps.generations.ask(who, wish, wait=wait)
    job = asked.job
    if job.status in ("queued", "running"):
        return JSONResponse({"job_id": str(job.id)}, status_code=202, headers={"Location": _location(job.id)})
    if job.status != "succeeded":
        raise refusal(job)
    result = await result_out(deps, who, job, asked.outcome) if asked.outcome else None
    if result is None:
        raise refusal(job)
    return JSONResponse(result.model_dump(mode="json"), headers={"Content-Location": _location(job.id)})


def _location(job_id: UUID) -> str:
    return f"/api/ai/jobs/{job_id}"
