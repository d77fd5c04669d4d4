"""Routes of sections."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response

from ai.deps import Deps, get_deps
from ai.sections.domain import etag, expected_revision, status_of
from ai.sections.models import Section, SectionRevision
from ai.sections.schemas import (
    CriterionOut,
    QuestionOut,
    RevisionOut,
    SectionCreate,
    SectionOrder,
    SectionOut,
    SectionUpdate,
)
from common.errors import InvalidCursor
from common.identity import Identity, require
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor

router = APIRouter(tags=["sections"])

MAX_REVISION_DIGITS: Final = 9
"""Of a number that the column still holds."""

Reader = Annotated[Identity, Depends(require("viewer", "proposals:read"))]
Writer = Annotated[Identity, Depends(require("member", "proposals:write"))]
Services = Annotated[Deps, Depends(get_deps)]
IfMatch = Annotated[str | None, Header(description='The revision that you loaded, as `"3"`')]


@router.get("/api/proposals/{proposal_id}/sections", summary="The sections of a proposal, in order")
async def list_sections(proposal_id: UUID, who: Reader, deps: Services) -> Page[SectionOut]:
    """All of them: a proposal has few."""
    sections = await deps.sections.outline(who, proposal_id)
    return Page(items=[section_out(section, deps.settings.section_revision_cap) for section in sections])


@router.post("/api/proposals/{proposal_id}/sections", status_code=201, summary="Add a section at the end")
async def create_section(
    proposal_id: UUID, body: SectionCreate, who: Writer, deps: Services, response: Response
) -> SectionOut:
    section = await deps.sections.create(who, proposal_id, body)
    response.headers["Location"] = f"/api/sections/{section.id}"
    return _tagged(section, deps, response)


@router.put("/api/proposals/{proposal_id}/sections/order", summary="Put the sections in order")
async def order_sections(
    proposal_id: UUID,
    body: SectionOrder,
    who: Writer,
    deps: Services,
    response: Response,
    if_match: IfMatch = None,
) -> Page[SectionOut]:
    """Needs If-Match with the *proposal's* `revision` (428 `precondition_required`). When the outline or an approval
    changed meanwhile: 412 `stale_revision` with the current `revision` and `section_ids`. The ETag is the new one."""
    expected = expected_revision(if_match)
    proposal, sections = await deps.sections.reorder(who, proposal_id, body.section_ids, expected)
    response.headers["ETag"] = etag(proposal.revision)
    return Page(items=[section_out(section, deps.settings.section_revision_cap) for section in sections])


@router.get("/api/proposals/{proposal_id}/sections/removed", summary="The removed sections, the latest first")
async def list_removed_sections(proposal_id: UUID, who: Reader, deps: Services) -> Page[SectionOut]:
    """At most a hundred."""
    sections = await deps.sections.removed(who, proposal_id)
    return Page(items=[section_out(section, deps.settings.section_revision_cap) for section in sections])


@router.get("/api/sections/{section_id}", summary="One section")
async def get_section(section_id: UUID, who: Reader, deps: Services, response: Response) -> SectionOut:
    """The ETag is the revision, to be sent back as If-Match."""
    return _tagged(await deps.sections.get(who, section_id), deps, response)


@router.patch("/api/sections/{section_id}", summary="Save a text or a title")
async def update_section(
    section_id: UUID, body: SectionUpdate, who: Writer, deps: Services, response: Response, if_match: IfMatch = None
) -> SectionOut:
    """Needs If-Match (428 `precondition_required`). When someone else saved meanwhile: 412 `stale_revision` with the
    current `revision`, `text` and `section_title`. An approved section answers 409 `section_locked`."""
    expected = expected_revision(if_match)
    return _tagged(await deps.sections.update(who, section_id, body, expected), deps, response)


@router.delete("/api/sections/{section_id}", status_code=204, summary="Take a section out of its proposal")
async def remove_section(section_id: UUID, who: Writer, deps: Services) -> None:
    """It stays with the proposal and can be put back. An approved section answers 409 `section_locked`."""
    await deps.sections.remove(who, section_id)


@router.post("/api/sections/{section_id}/restore", summary="Put a removed section back")
async def restore_section(section_id: UUID, who: Writer, deps: Services, response: Response) -> SectionOut:
    """Where it was, with its text and revisions; for one that is there nothing happens."""
    return _tagged(await deps.sections.restore(who, section_id), deps, response)


@router.get("/api/sections/{section_id}/revisions", summary="What the section said before, newest first")
async def list_revisions(
    section_id: UUID, who: Reader, deps: Services, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[RevisionOut]:
    found = await deps.sections.revisions(who, section_id, before=_revision_cursor(cursor), limit=limit)
    items = [_revision_out(item) for item in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].revision)) if len(found) > limit else None)


@router.post("/api/sections/{section_id}/approve", summary="Approve: lock the text and give it to the exports")
async def approve_section(
    section_id: UUID, who: Writer, deps: Services, response: Response, if_match: IfMatch = None
) -> SectionOut:
    """With If-Match, only the revision that you read is approved; another one answers 412."""
    expected = expected_revision(if_match) if if_match else None
    return _tagged(await deps.sections.approve(who, section_id, expected), deps, response)


@router.delete("/api/sections/{section_id}/approve", summary="Take the approval back")
async def unlock_section(section_id: UUID, who: Writer, deps: Services, response: Response) -> SectionOut:
    return _tagged(await deps.sections.unlock(who, section_id), deps, response)


def section_out(section: Section, revision_cap: int) -> SectionOut:
    """The section as the API shows it."""
    return SectionOut(
        id=section.id,
        proposal_id=section.proposal_id,
        title=section.title,
        position=section.position,
        text=section.text,
        revision=section.revision,
        status=status_of(text=section.text, approved_revision=section.approved_revision),
        approved_revision=section.approved_revision,
        guidance=section.guidance,
        page_limit=section.page_limit,
        criteria=[CriterionOut.model_validate(criterion) for criterion in section.criteria],
        questions=[QuestionOut.model_validate(question) for question in section.questions],
        revises_left=max(0, revision_cap - section.revise_count),
        created_at=section.created_at,
        updated_at=section.updated_at,
    )


def _tagged(section: Section, deps: Deps, response: Response) -> SectionOut:
    response.headers["ETag"] = etag(section.revision)
    return section_out(section, deps.settings.section_revision_cap)


def _revision_out(item: SectionRevision) -> RevisionOut:
    return RevisionOut.model_validate(item, from_attributes=True)


def _revision_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    number = decode_cursor(cursor, 1)[0]
    if not number.isdecimal() or len(number) > MAX_REVISION_DIGITS:
        raise InvalidCursor
    return int(number)
