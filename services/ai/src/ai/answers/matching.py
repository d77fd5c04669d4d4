"""Which answers of the library fit some questions; works in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from ai.answers.domain import SUGGESTED_FROM, WRITTEN_FROM, Known, Likeness, Ranked, is_due, rank
from ai.answers.repository import AnswerRepository, AnswerWithSource
from ai.knowledge.domain import query_words
from ai.providers.port import ApprovedAnswer
from common.db import UnitOfWork

CANDIDATES: Final = 200
"""Of a library of thousands, those that Postgres finds nearest are compared letter by letter: about 5 ms."""
MAX_WRITTEN: Final = 4
"""Answers in one draft; what is set aside for a draft counts with them."""


async def fitting(
    repository: AnswerRepository, questions: Sequence[str], *, limit: int, least: float = SUGGESTED_FROM
) -> list[list[Ranked[AnswerWithSource]]]:
    """For each question the active answers that fit it, the best first."""
    if not questions:
        return []
    found = await repository.candidates(query_words(questions), limit=CANDIDATES)
    known = [Known(one, Likeness.of(one.answer.question), one.answer.uses) for one in found]
    return [rank(question, known, least=least)[:limit] for question in questions]


async def for_draft(
    uow: UnitOfWork, org_id: UUID, *, questions: Sequence[Mapping[str, object]], given: Mapping[str, str], today: date
) -> list[ApprovedAnswer]:
    """What a draft takes from the library, a question's best answer each.

    A question that somebody answered keeps that; where the words are the library's, they are cited as such. An answer
    that is due for review is left to people: it may no longer be true.
    """
    repository = AnswerRepository(uow.session, org_id)
    texts = [str(question["text"]) for question in questions]
    taken: list[ApprovedAnswer] = []
    for question, ranked in zip(questions, await fitting(repository, texts, limit=CANDIDATES), strict=True):
        key = str(question["id"])
        said = given.get(key, "").strip()
        best = next(
            (
                one.item.answer
                for one in ranked
                if (one.item.answer.answer.strip() == said if said else one.score >= WRITTEN_FROM)
                and not is_due(one.item.answer.review_on, today)
            ),
            None,
        )
        if best is not None:
            taken.append(ApprovedAnswer(str(best.id), key, best.question, best.answer))
    return taken[:MAX_WRITTEN]
