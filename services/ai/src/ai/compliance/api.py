"""Routes of the compliance matrix and of the check before submission."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from ai.citations.schemas import SpanOut
from ai.compliance.checking import Finding
from ai.compliance.document import MEDIA_TYPE, as_docx
from ai.compliance.domain import SectionFacts
from ai.compliance.schemas import (
    AnsweringOut,
    CheckFindingOut,
    CheckOut,
    ComplianceOut,
    Format,
    Mapping,
    RequirementOut,
)
from ai.compliance.service import Matrix, Row, limit_of
from ai.compliance.sheet import as_csv
from ai.deps import Deps, get_deps
from common.identity import Identity, require

router = APIRouter(prefix="/api/proposals/{proposal_id}", tags=["compliance"])

_BY_ACCEPT: Final[dict[str, Format]] = {"text/csv": "csv", MEDIA_TYPE: "docx"}

Reader = Annotated[Identity, Depends(require("viewer", "proposals:read"))]
Writer = Annotated[Identity, Depends(require("member", "proposals:write"))]
Services = Annotated[Deps, Depends(get_deps)]


@router.get(
    "/compliance",
    summary="Each requirement of the call, what answers it, and how far that is",
    response_model=ComplianceOut,
    responses={200: {"content": {"text/csv": {}, MEDIA_TYPE: {}}}},
)
async def get_compliance(
    proposal_id: UUID,
    who: Reader,
    deps: Services,
    form: Annotated[Format | None, Query(alias="format", description="`json` unless Accept says otherwise")] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> ComplianceOut | Response:
    """In `csv`, a cell that begins with one of `= + - @ '`, a tab or a line end has an apostrophe before it, so that
    no spreadsheet computes it. In `docx` it is one table, and the same matrix gives the same bytes."""
    found = await deps.compliance.matrix(who, proposal_id)
    matrix = matrix_out(found)
    form = form or _asked_for(accept)
    if form == "json":
        return matrix
    headers = {
        "content-disposition": f'attachment; filename="compliance-{proposal_id}.{form}"',
        "cache-control": "no-store",
        "vary": "accept",
    }
    if form == "csv":
        return Response(as_csv(matrix), media_type="text/csv; charset=utf-8", headers=headers)
    written = await asyncio.to_thread(as_docx, found.proposal.title, matrix)
    return Response(written, media_type=MEDIA_TYPE, headers=headers)


@router.put("/requirements/{requirement_id}", summary="Say which sections answer a requirement")
async def map_requirement(
    proposal_id: UUID, requirement_id: UUID, body: Mapping, who: Writer, deps: Services
) -> RequirementOut:
    """Replaces what was said before, by whomever; a new plan leaves it alone. A section that the proposal does not
    have answers 422."""
    return _row_out(await deps.compliance.map(who, proposal_id, requirement_id, body.section_ids))


@router.get("/check", summary="What is left before the proposal can be handed in")
async def check_proposal(proposal_id: UUID, who: Reader, deps: Services) -> CheckOut:
    """An `error` stands in the way; a `warning` may, and needs a look; `info` is to be known."""
    findings = await deps.compliance.check(who, proposal_id)
    counts = Counter(finding.severity for finding in findings)
    return CheckOut(
        proposal_id=proposal_id,
        ready=counts["error"] == 0,
        counts={"error": counts["error"], "warning": counts["warning"], "info": counts["info"]},
        findings=[_finding_out(finding) for finding in findings],
    )


def matrix_out(matrix: Matrix) -> ComplianceOut:
    """The matrix as the API shows it."""
    counts = Counter(row.state for row in matrix.rows)
    return ComplianceOut(
        proposal_id=matrix.proposal.id,
        planned=matrix.proposal.findings is not None,
        counts={state: counts[state] for state in ("uncovered", "open", "drafted", "approved", "over_limit")},
        requirements=[_row_out(row) for row in matrix.rows],
    )


def _row_out(row: Row) -> RequirementOut:
    one, limit = row.requirement, limit_of(row.requirement)
    return RequirementOut.model_validate(
        {
            "id": one.id,
            "kind": one.kind,
            "words": one.words,
            "place": {"page": one.page, "start": one.span_start, "end": one.span_end},
            "weight": one.weight,
            "limit": {"value": limit.value, "unit": limit.unit} if limit else None,
            "sections": [_answering_out(section) for section in row.sections],
            "state": row.state,
            "mapped_by_hand": one.mapped_by_hand,
        }
    )


def _answering_out(section: SectionFacts) -> AnsweringOut:
    return AnsweringOut(id=section.id, title=section.title, status=section.status)


def _finding_out(finding: Finding) -> CheckFindingOut:
    place = SpanOut(start=finding.place[0], end=finding.place[1]) if finding.place else None
    return CheckFindingOut.model_validate(
        {
            **{name: getattr(finding, name) for name in CheckFindingOut.model_fields if name != "place"},
            "place": place,
        }
    )


def _asked_for(accept: str | None) -> Format:
    """What is named first; a browser that takes anything gets JSON."""
    first = (accept or "").split(",")[0].split(";")[0].strip().lower()
    return _BY_ACCEPT.get(first, "json")
