"""What the jobs do: plan, write, revise, format. Each reads, works outside transactions, then has its effect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from ai.answers import matching
from ai.generation import assembling, model_planning, planning_effect
from ai.generation.beginning import begin
from ai.generation.diff import compare
from ai.generation.models import Generation
from ai.generation.ports import JobDeps, Outcome
from ai.generation.settlement import settle, settle_failure
from ai.generation.streaming import open_log
from ai.knowledge import indexing
from ai.knowledge import service as knowledge
from ai.proposals.repository import ProposalRepository
from ai.providers.port import Criterion, Mark, ProviderFailed, ProviderRequest, Question, Written
from ai.sections.models import Section
from ai.sections.repository import SectionRepository
from ai.sections.schemas import MAX_TEXT
from ai.sections.service import apply_change
from common.db import UnitOfWork
from common.errors import NotFound
from common.jobs import JobContext, JobFailed, JobKind

Context = JobContext[JobDeps]
Payload = dict[str, Any]

PLAN_TIMEOUT_SECONDS: Final = 60.0
WRITE_TIMEOUT_SECONDS: Final = 300.0
FORMAT_TIMEOUT_SECONDS: Final = 60.0


async def plan(context: Context, _payload: Payload) -> dict[str, Any]:
    """Reads the call and lays out the sections that answer it."""
    generation = await begin(context)
    async with context.unit_of_work() as uow:
        proposal = await _the(ProposalRepository(uow.session, generation.org_id).get(_id(generation.proposal_id)))
        pages = await knowledge.call_pages(uow, generation.org_id, proposal.id, proposal.call_upload_id)
    try:
        planned, written = await model_planning.plan(context.deps, pages)
    except ProviderFailed as error:
        raise JobFailed(error.code, str(error)) from error
    tokens = context.deps.provider.count_tokens("".join(section.guidance for section in planned.sections))

    async def finish(uow: UnitOfWork) -> None:
        now = context.deps.clock.now()
        await _the(planning_effect.apply(uow, generation.org_id, proposal.id, planned, now))
        await _settle(uow, generation, tokens=tokens, context=context, written=written)

    context.on_finish = finish
    return {"proposal_id": str(proposal.id)}


async def write(context: Context, _payload: Payload) -> dict[str, Any]:
    """Drafts a section, and puts the draft into it unless someone changed it meanwhile."""
    generation = await begin(context)
    request, _ = await _provider_request(context, generation, kind="write")
    text, written = await _stream(context, request)

    async def finish(uow: UnitOfWork) -> None:
        section = await _the(SectionRepository(uow.session, generation.org_id).lock(_id(generation.section_id)))
        applied = section.revision == generation.base_revision and section.approved_revision is None
        if applied:
            now = context.deps.clock.now()
            await apply_change(
                uow,
                section,
                text=text,
                author=generation.user_id,
                origin="write",
                at=now,
                generation_id=generation.id,
            )
            section.revise_count = 0
        tokens = _tokens(context, request, text)
        await _settle(
            uow, generation, tokens=tokens, context=context, written=written, applied=applied, section=section
        )

    context.on_finish = finish
    return {"section_id": str(generation.section_id), "text": text}


async def revise(context: Context, _payload: Payload) -> dict[str, Any]:
    """Proposes a changed text with its difference; the section stays as it is until the user saves it."""
    generation = await begin(context)
    request, base_revision = await _provider_request(context, generation, kind="revise")
    text, written = await _stream(context, request)
    difference = await asyncio.to_thread(compare, request.text, text)

    async def finish(uow: UnitOfWork) -> None:
        tokens = _tokens(context, request, text)
        await _settle(uow, generation, tokens=tokens, context=context, written=written)

    context.on_finish = finish
    return {
        "section_id": str(generation.section_id),
        "base_revision": base_revision,
        "text": text,
        "diff": asdict(difference),
    }


async def assemble(context: Context, _payload: Payload) -> dict[str, Any]:
    """Puts the approved sections together as one document."""
    generation = await begin(context)
    async with context.unit_of_work() as uow:
        proposal = await _the(ProposalRepository(uow.session, generation.org_id).get(_id(generation.proposal_id)))
        sections = await SectionRepository(uow.session, generation.org_id).outline(proposal.id)

    async def finish(uow: UnitOfWork) -> None:
        await _settle(uow, generation, tokens=0, context=context)

    context.on_finish = finish
    return assembling.assemble(proposal, sections)


async def _provider_request(context: Context, generation: Generation, *, kind: str) -> tuple[ProviderRequest, int]:
    async with context.unit_of_work() as uow:
        section = await _the(SectionRepository(uow.session, generation.org_id).get(_id(generation.section_id)))
        proposal = await _the(ProposalRepository(uow.session, generation.org_id).get(section.proposal_id))
        if kind == "revise":
            instruction = str(generation.request["instruction"])
            return ProviderRequest(
                kind="revise", section_title=section.title, text=section.text, instruction=instruction
            ), section.revision
        answers: dict[str, str] = dict(generation.request.get("answers", {}))
        passages = await knowledge.find_passages(
            uow,
            generation.org_id,
            proposal_id=proposal.id,
            call_upload_id=proposal.call_upload_id,
            upload_ids=[UUID(upload_id) for upload_id in generation.request.get("upload_ids", [])],
            about=[section.title, *answers.values(), *_criteria_titles(section)],
        )
        today = context.deps.clock.now().date()
        library = await matching.for_draft(
            uow, generation.org_id, questions=section.questions, given=answers, today=today
        )
    return ProviderRequest(
        kind="write",
        section_title=section.title,
        guidance=section.guidance,
        page_limit=section.page_limit,
        criteria=[Criterion(str(item["title"]), item.get("points")) for item in section.criteria],
        questions=[Question(str(item["id"]), str(item["text"])) for item in section.questions],
        answers=answers,
        passages=passages,
        library=library,
    ), section.revision


async def _stream(context: Context, request: ProviderRequest) -> tuple[str, Written | None]:
    """The whole text and who wrote it; what listeners are told on the way is never a mix of two texts."""
    log = await open_log(context)
    written: Written | None = None
    try:
        async with aclosing(context.deps.provider.stream(request)) as pieces:
            async for piece in pieces:
                if piece is Mark.RESTART:
                    log.restart()
                elif isinstance(piece, str):
                    await log.add(piece)
                    if len(log.text) > MAX_TEXT:
                        raise JobFailed("too_long", "The text grew longer than a section may be; ask for less.")
                elif isinstance(piece, Written):
                    written = piece
    except ProviderFailed as error:
        raise JobFailed(error.code, str(error)) from error
    text = await log.close()
    if not text.strip():
        raise JobFailed("empty_result", "Nothing was written; your text is unchanged and nothing was charged.")
    return text, written


async def _settle(
    uow: UnitOfWork,
    generation: Generation,
    *,
    tokens: int,
    context: Context,
    written: Written | None = None,
    applied: bool | None = None,
    section: Section | None = None,
) -> None:
    now = context.deps.clock.now()
    generation.applied = applied
    if not await settle(uow, generation, "succeeded", tokens=tokens, now=now, written=written):
        raise JobFailed("gone", "What this was asked for has been deleted.")
    context.outcome = Outcome(generation, section)


def _tokens(context: Context, request: ProviderRequest, text: str) -> int:
    parts = [request.guidance, request.text, request.instruction, *request.answers.values()]
    parts += [passage.text for passage in request.passages] + [item.text for item in request.library]
    return context.deps.provider.count_tokens("".join(parts)) + context.deps.provider.count_tokens(text)


def _criteria_titles(section: Section) -> list[str]:
    return [str(item["title"]) for item in section.criteria]


async def _the(found: Any) -> Any:
    """What is awaited; that it was deleted meanwhile ends the job with a reason that its user can read."""
    try:
        return await found
    except NotFound:
        raise JobFailed("gone", "What this was asked for has been deleted meanwhile.") from None


def _id(value: UUID | None) -> UUID:
    if value is None:
        raise JobFailed("gone", "What this was asked for has been deleted meanwhile.")
    return value


JOB_KINDS: Final[Mapping[str, JobKind[JobDeps]]] = {
    "plan": JobKind(plan, PLAN_TIMEOUT_SECONDS, settle_failure),
    "write": JobKind(write, WRITE_TIMEOUT_SECONDS, settle_failure),
    "revise": JobKind(revise, WRITE_TIMEOUT_SECONDS, settle_failure),
    "format": JobKind(assemble, FORMAT_TIMEOUT_SECONDS, settle_failure),
    indexing.KIND: JobKind(indexing.index, indexing.TIMEOUT_SECONDS),
}
