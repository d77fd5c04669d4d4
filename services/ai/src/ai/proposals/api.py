"""Routes of proposals."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from ai.deps import Deps, get_deps
from ai.proposals.repository import ProposalWithCounts
from ai.proposals.schemas import FindingOut, ProposalCreate, ProposalOut, ProposalUpdate, State
from common.errors import InvalidCursor
from common.identity import Identity, require
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from common.strings import Storable

router = APIRouter(prefix="/api/proposals", tags=["proposals"])

Reader = Annotated[Identity, Depends(require("viewer", "proposals:read"))]
Writer = Annotated[Identity, Depends(require("member", "proposals:write"))]
Services = Annotated[Deps, Depends(get_deps)]


@router.post("", status_code=201, summary="Make a proposal")
async def create_proposal(body: ProposalCreate, who: Writer, deps: Services, response: Response) -> ProposalOut:
    """Counts against the plan: 402 `quota_exceeded` when no allowance is left. A `call_upload_id` whose text has not
    arrived yet answers 409 `not_yet_consistent`; one without readable text 422."""
    found = await deps.proposals.create(who, body)
    response.headers["Location"] = f"/api/proposals/{found.proposal.id}"
    return proposal_out(found)


@router.get("", summary="List proposals, newest first")
async def list_proposals(
    who: Reader,
    deps: Services,
    state: State | None = None,
    q: Annotated[Storable | None, Query(max_length=200, description="Part of the title")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ProposalOut]:
    before = parse_id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    if cursor is not None and before is None:
        raise InvalidCursor
    found = await deps.proposals.page(who, state=state, query=q, before=before, limit=limit)
    items = [proposal_out(item) for item in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if len(found) > limit else None)


@router.get("/{proposal_id}", summary="One proposal")
async def get_proposal(proposal_id: UUID, who: Reader, deps: Services) -> ProposalOut:
    return proposal_out(await deps.proposals.get(who, proposal_id))


@router.patch("/{proposal_id}", summary="Rename, archive or take back; give it its call")
async def update_proposal(proposal_id: UUID, body: ProposalUpdate, who: Writer, deps: Services) -> ProposalOut:
    """A second call answers 409 `conflict`; an upload whose text has not arrived yet 409 `not_yet_consistent`, one
    without readable text 422."""
    return proposal_out(await deps.proposals.update(who, proposal_id, body))


@router.delete("/{proposal_id}", status_code=204, summary="Delete with all its text")
async def delete_proposal(proposal_id: UUID, who: Writer, deps: Services) -> None:
    """The allowance that it used stays used."""
    await deps.proposals.delete(who, proposal_id)


def proposal_out(found: ProposalWithCounts) -> ProposalOut:
    """The proposal as the API shows it."""
    proposal = found.proposal
    return ProposalOut(
        id=proposal.id,
        title=proposal.title,
        state="archived" if proposal.state == "archived" else "active",
        revision=proposal.revision,
        call_upload_id=proposal.call_upload_id,
        has_call_text=proposal.has_call_text,
        findings=[FindingOut.model_validate(finding) for finding in proposal.findings or []],
        created_by=proposal.created_by,
        created_at=proposal.created_at,
        updated_at=proposal.updated_at,
        sections_total=found.sections_total,
        sections_approved=found.sections_approved,
    )
