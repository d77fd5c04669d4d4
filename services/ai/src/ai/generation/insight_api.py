"""Routes about what AI was used for, and what people answered before."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from ai.generation.api import Drafter, Services
from ai.generation.insight import generation_out, suggest, summarize
from ai.generation.schemas import GenerationOut, MetricsSummary, Suggestions
from common.errors import InvalidCursor
from common.identity import Identity, require
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor

router = APIRouter(prefix="/api/ai", tags=["ai"])

Reader = Annotated[Identity, Depends(require("viewer", "ai:use"))]


@router.get("/metrics/summary", summary="What the organisation used AI for")
async def metrics_summary(
    who: Reader, deps: Services, days: Annotated[int, Query(ge=1, le=366, description="How far back")] = 30
) -> MetricsSummary:
    """Requests and tokens by kind, model, person and day. What failed or was cancelled cost nothing."""
    return await summarize(deps.db, who, since=deps.clock.now() - timedelta(days=days))


@router.get("/metrics/recent", summary="The latest AI requests, newest first")
async def metrics_recent(
    who: Reader, deps: Services, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[GenerationOut]:
    before = parse_id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    if cursor is not None and before is None:
        raise InvalidCursor
    found = await deps.generations.recent(who, before=before, limit=limit + 1)
    items = [generation_out(generation) for generation in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if len(found) > limit else None)


@router.get("/memory/suggestions", summary="Earlier answers of your organisation that may fit")
async def memory_suggestions(
    who: Drafter,
    deps: Services,
    section_id: Annotated[UUID | None, Query(description="Fit this section's questions")] = None,
    q: Annotated[str, Query(max_length=500, description="Fit these words")] = "",
    limit: Limit = 10,
) -> Suggestions:
    """Without `section_id` and `q`: the latest."""
    return Suggestions(items=await suggest(deps.db, who, section_id=section_id, words=q, limit=limit))
