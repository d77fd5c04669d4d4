"""Routes of the answer library."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from ai.answers.domain import is_due
from ai.answers.repository import AnswerWithSource
from ai.answers.schemas import (
    MAX_QUESTION,
    AnswerCreate,
    AnswerOut,
    AnswerUpdate,
    SourceOut,
    State,
    SuggestionOut,
)
from ai.deps import Deps, get_deps
from ai.sections.api import IfMatch
from ai.sections.domain import etag, expected_revision
from common.errors import InvalidCursor
from common.identity import Identity, require
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from common.strings import Storable

router = APIRouter(prefix="/api/answers", tags=["answers"])

Reader = Annotated[Identity, Depends(require("viewer", "proposals:read"))]
Writer = Annotated[Identity, Depends(require("member", "proposals:write"))]
Services = Annotated[Deps, Depends(get_deps)]


class AnswerSuggestions(Page[SuggestionOut]):
    """Best first; the first page is all there is."""


@router.post("", status_code=201, summary="Keep an answer in the library")
async def create_answer(body: AnswerCreate, who: Writer, deps: Services, response: Response) -> AnswerOut:
    """From a section, that section must be approved: else 409 `conflict`. So answers a full library, with `cap`."""
    found = await deps.answers.create(who, body)
    response.headers["Location"] = f"/api/answers/{found.answer.id}"
    return _tagged(found, deps, response)


@router.get("", summary="List answers, newest first")
async def list_answers(
    who: Reader,
    deps: Services,
    state: State | None = None,
    q: Annotated[Storable | None, Query(max_length=200, description="In the question, the answer or a tag")] = None,
    due: Annotated[bool, Query(description="Only those that are due for review")] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AnswerOut]:
    before = parse_id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    if cursor is not None and before is None:
        raise InvalidCursor
    found = await deps.answers.page(who, state=state, query=q, due=due, before=before, limit=limit)
    items = [answer_out(item, _today(deps)) for item in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if len(found) > limit else None)


@router.get("/suggestions", summary="Answers that fit a question, by likeness and by use")
async def suggest_answers(
    who: Reader,
    deps: Services,
    question: Annotated[Storable, Query(max_length=MAX_QUESTION, description="Fit these words")] = "",
    section_id: Annotated[UUID | None, Query(description="Fit each question of this section")] = None,
    limit: Annotated[int, Query(ge=1, le=10, description="How many for each question at most")] = 3,
) -> AnswerSuggestions:
    """Archived answers are not among them; one that is due for review says so."""
    found = await deps.answers.suggest(who, question=question, section_id=section_id, limit=limit)
    return AnswerSuggestions(
        items=[
            SuggestionOut(
                question_id=one.question_id, score=one.ranked.score, answer=answer_out(one.ranked.item, _today(deps))
            )
            for one in found
        ]
    )


@router.get("/{answer_id}", summary="One answer")
async def get_answer(answer_id: UUID, who: Reader, deps: Services, response: Response) -> AnswerOut:
    """The ETag is the version, to be sent back as If-Match."""
    return _tagged(await deps.answers.get(who, answer_id), deps, response)


@router.patch("/{answer_id}", summary="Change an answer, archive it or take it back")
async def update_answer(
    answer_id: UUID, body: AnswerUpdate, who: Writer, deps: Services, response: Response, if_match: IfMatch = None
) -> AnswerOut:
    """Needs If-Match (428 `precondition_required`). When someone else changed it meanwhile: 412 `stale_revision` with
    the current `revision`, `question` and `text`."""
    expected = expected_revision(if_match)
    return _tagged(await deps.answers.update(who, answer_id, body, expected), deps, response)


@router.put("/{answer_id}/uses/{use_id}", summary="Count a use of an answer")
async def use_answer(answer_id: UUID, use_id: UUID, who: Writer, deps: Services) -> AnswerOut:
    """`use_id` is a UUID that you make for each use: sent again, the use is counted once."""
    return answer_out(await deps.answers.use(who, answer_id, use_id), _today(deps))


@router.delete("/{answer_id}", status_code=204, summary="Delete an archived answer for good")
async def delete_answer(answer_id: UUID, who: Writer, deps: Services) -> None:
    """One that is not archived answers 409 `conflict`."""
    await deps.answers.delete(who, answer_id)


def answer_out(found: AnswerWithSource, today: date) -> AnswerOut:
    """The answer as the API shows it."""
    answer = found.answer
    source = None
    if answer.proposal_id is not None or answer.section_id is not None:
        source = SourceOut(
            proposal_id=answer.proposal_id,
            proposal_title=found.proposal_title,
            section_id=answer.section_id,
            section_title=found.section_title,
            question_id=answer.question_id,
        )
    return AnswerOut(
        id=answer.id,
        question=answer.question,
        answer=answer.answer,
        tags=answer.tags,
        owner_id=answer.owner_id,
        review_on=answer.review_on,
        review_due=is_due(answer.review_on, today),
        state="archived" if answer.state == "archived" else "active",
        source=source,
        uses=answer.uses,
        last_used_at=answer.last_used_at,
        version=answer.version,
        created_at=answer.created_at,
        updated_at=answer.updated_at,
    )


def _tagged(found: AnswerWithSource, deps: Deps, response: Response) -> AnswerOut:
    response.headers["ETag"] = etag(found.answer.version)
    return answer_out(found, _today(deps))


def _today(deps: Deps) -> date:
    return deps.clock.now().date()
