"""Routes of citations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from ai.citations.domain import Examined
from ai.citations.schemas import CitationOut, CitationsOut, SpanOut, UncitedOut
from ai.deps import Deps, get_deps
from common.identity import Identity, require

router = APIRouter(prefix="/api/sections/{section_id}", tags=["sections"])


@router.get("/citations", summary="What each claim of the text rests on, and which rest on nothing")
async def get_citations(
    section_id: UUID,
    who: Annotated[Identity, Depends(require("viewer", "proposals:read"))],
    deps: Annotated[Deps, Depends(get_deps)],
) -> CitationsOut:
    """Judged by figures and words: it finds a page that does not speak of a claim, not one that contradicts it."""
    revision, found = await deps.citations.of_section(who, section_id)
    return CitationsOut(
        section_id=section_id,
        revision=revision,
        citations=[_citation_out(one, pasted=found.call_id) for one in found.citations],
        uncited=[
            UncitedOut(place=SpanOut(start=one.start, end=one.end), words=one.words, facts=list(one.facts))
            for one in found.uncited
        ],
    )


def _citation_out(one: Examined, *, pasted: UUID | None) -> CitationOut:
    cited, judged = one.citation, one.judged
    span = SpanOut(start=judged.start, end=judged.end) if judged.start is not None and judged.end is not None else None
    return CitationOut(
        place=SpanOut(start=cited.start, end=cited.end),
        claim=cited.claim,
        label=cited.source.label,
        page=cited.source.page,
        upload_id=one.document_id if one.document_id != pasted else None,
        answer_id=UUID(cited.source.answer_id) if cited.source.answer_id else None,
        span=span,
        standing=judged.standing,
        missing=list(judged.missing),
    )
