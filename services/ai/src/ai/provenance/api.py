"""Routes of provenance."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from ai.deps import Deps, get_deps
from ai.provenance import domain
from ai.provenance.schemas import ParagraphOut, ProvenanceOut, SharesOut
from ai.provenance.service import Traced
from common.identity import Identity, require

MAX_REVISION: Final = 999_999_999

router = APIRouter(prefix="/api/sections/{section_id}", tags=["sections"])


@router.get("/provenance", summary="Who wrote each paragraph: a person, a model, or both")
async def get_provenance(
    section_id: UUID,
    who: Annotated[Identity, Depends(require("viewer", "proposals:read"))],
    deps: Annotated[Deps, Depends(get_deps)],
    revision: Annotated[int | None, Query(ge=1, le=MAX_REVISION, description="The present one unless given")] = None,
) -> ProvenanceOut:
    """Worked out with each accepted change: a paragraph that stays keeps its origin, also when it moves."""
    number, found = await deps.provenance.of_section(who, section_id, revision)
    return ProvenanceOut(
        section_id=section_id,
        revision=number,
        words=SharesOut(**domain.shares([one.paragraph for one in found], [one.origin for one in found])),
        paragraphs=[_paragraph_out(one) for one in found],
    )


def _paragraph_out(one: Traced) -> ParagraphOut:
    return ParagraphOut(
        start=one.paragraph.start,
        end=one.paragraph.end,
        words=one.paragraph.words,
        by=one.origin.by,
        revision=one.origin.revision,
        at=one.at,
        person_id=one.person_id,
        generation_id=one.origin.generation_id,
        model=one.generation.model if one.generation else None,
        prompt=one.generation.prompt if one.generation else None,
        prompt_checksum=one.generation.prompt_checksum if one.generation else None,
    )
