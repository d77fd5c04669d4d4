"""All SQL about AI requests of one org."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ai.generation.models import Answer, Generation
from ai.knowledge.models import DocumentPage
from common.db import unit_of
from common.plumbing import Job

MAX_GROUPS: Final = 400
Grouping = Literal["kind", "status", "model", "user", "day"]
_GROUPINGS: Final[Mapping[Grouping, ColumnElement[str]]] = {
    "kind": cast(Generation.kind, Text),
    "status": cast(Generation.status, Text),
    "model": cast(Generation.model, Text),
    "user": cast(Generation.user_id, Text),
    "day": func.to_char(func.timezone("UTC", Generation.accepted_at), "YYYY-MM-DD"),
}

# What every request and every end of one runs is given to the driver as it is.
_OPEN_IN_SECTION: Final = """
SELECT 1 FROM generations WHERE org_id = %(org_id)s AND section_id = %(about)s AND finished_at IS NULL
"""
_OPEN_PLAN: Final = """
SELECT 1 FROM generations
WHERE org_id = %(org_id)s AND proposal_id = %(about)s AND finished_at IS NULL AND kind = 'plan'
"""
_REQUESTS: Final = "SELECT count(*) FROM generations WHERE org_id = %(org_id)s AND accepted_at >= %(moment)s"
_TOKENS: Final = """
SELECT coalesce(sum(coalesce(tokens, tokens_reserved)), 0)::bigint FROM generations
WHERE org_id = %(org_id)s AND accepted_at >= %(moment)s
"""
_SETTLED: Final = (
    "status", "applied", "model", "tokens", "input_tokens", "output_tokens", "prompt", "prompt_checksum",
    "event_version", "finished_at",
)  # fmt: skip
_SETTLE: Final = """
UPDATE generations SET status = %(status)s, applied = %(applied)s, model = %(model)s, tokens = %(tokens)s,
    input_tokens = %(input_tokens)s, output_tokens = %(output_tokens)s, prompt = %(prompt)s,
    prompt_checksum = %(prompt_checksum)s, event_version = %(event_version)s, finished_at = %(finished_at)s
WHERE org_id = %(org_id)s AND id = %(id)s RETURNING user_id
"""


class GenerationRepository:
    """One org's AI requests within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    def add(self, generation: Generation) -> None:
        """Adds an accepted request."""
        self._session.add(generation)

    async def get(self, generation_id: UUID) -> Generation | None:
        """The request, or None (unknown here, or erased)."""
        return await self._session.scalar(
            select(Generation).where(Generation.org_id == self._org_id, Generation.id == generation_id)
        )

    async def has_open(self, *, section_id: UUID | None = None, plan_of: UUID | None = None) -> bool:
        """Whether something is being written in this section, or planned for this proposal."""
        statement = _OPEN_PLAN if section_id is None else _OPEN_IN_SECTION
        parameters = {"org_id": self._org_id, "about": section_id or plan_of}
        return bool(await unit_of(self._session).sql(statement, parameters))

    async def requests_since(self, moment: datetime) -> int:
        """How many were accepted; exact while the entitlements are locked."""
        [[count]] = await unit_of(self._session).sql(_REQUESTS, {"org_id": self._org_id, "moment": moment})
        return int(count)

    async def tokens_since(self, moment: datetime) -> int:
        """Tokens used, and for what still runs, set aside."""
        [[total]] = await unit_of(self._session).sql(_TOKENS, {"org_id": self._org_id, "moment": moment})
        return int(total)

    async def settle(self, generation: Generation) -> bool:
        """Stores how a request ended; False when it was erased. Reads back whose it is: they may have been erased."""
        parameters = {name: getattr(generation, name) for name in _SETTLED} | {
            "id": generation.id,
            "org_id": self._org_id,
        }
        found = await unit_of(self._session).sql(_SETTLE, parameters)
        if found:
            [[generation.user_id]] = found
        return bool(found)

    async def characters_of(self, document_id: UUID) -> int:
        """How long a document's text is."""
        total = await self._session.scalar(
            select(cast(func.sum(func.length(DocumentPage.text)), BigInteger)).where(
                DocumentPage.org_id == self._org_id, DocumentPage.document_id == document_id
            )
        )
        return total or 0

    async def page(self, *, before: UUID | None, limit: int) -> Sequence[Generation]:
        """Newest first."""
        statement = select(Generation).where(Generation.org_id == self._org_id)
        if before is not None:
            statement = statement.where(Generation.id < before)
        return (await self._session.scalars(statement.order_by(Generation.id.desc()).limit(limit))).all()

    async def usage_since(self, moment: datetime, by: Grouping) -> Sequence[tuple[str, int, int]]:
        """(name, requests, tokens) for each kind, status, model, person or day (UTC), most tokens first."""
        name = _GROUPINGS[by]
        tokens = cast(func.coalesce(func.sum(Generation.tokens), 0), BigInteger)
        rows = await self._session.execute(
            select(name, func.count(), tokens)
            .where(Generation.org_id == self._org_id, Generation.accepted_at >= moment)
            .group_by(name)
            .order_by(tokens.desc(), name)
            .limit(MAX_GROUPS)
        )
        return [(value or "", count, total) for value, count, total in rows]

    async def job(self, job_id: UUID) -> Job | None:
        """The request's job, or None when it is not this org's."""
        return await self._session.scalar(
            select(Job).where(Job.org_id == self._org_id, Job.id == job_id).execution_options(populate_existing=True)
        )

    async def remember_answers(
        self,
        *,
        section_id: UUID,
        proposal_id: UUID,
        questions: Mapping[str, str],
        answers: Mapping[str, str],
        user_id: UUID,
        at: datetime,
    ) -> None:
        """Keeps the answers for suggestions; the same answer again counts as one more use."""
        for key, text in answers.items():
            if not text.strip():
                continue
            statement = insert(Answer).values(
                section_id=section_id,
                key=key,
                org_id=self._org_id,
                proposal_id=proposal_id,
                question=questions.get(key, key),
                text=text,
                uses=1,
                user_id=user_id,
                used_at=at,
            )
            await self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=[Answer.section_id, Answer.key],
                    set_={"text": text, "uses": Answer.uses + 1, "user_id": user_id, "used_at": at},
                )
            )

    async def suggestions(self, words: Sequence[str], *, not_of: UUID | None, limit: int) -> Sequence[Answer]:
        """The answers whose question or text fits the words best; without words, the latest."""
        statement = select(Answer).where(Answer.org_id == self._org_id)
        if not_of is not None:
            statement = statement.where(Answer.section_id != not_of)
        if words:
            vector = func.to_tsvector("english", Answer.question + " " + Answer.text)
            query = func.to_tsquery("english", " | ".join(words))
            statement = statement.where(vector.op("@@")(query)).order_by(
                func.ts_rank_cd(vector, query).desc(), Answer.uses.desc()
            )
        return (await self._session.scalars(statement.order_by(Answer.used_at.desc()).limit(limit))).all()
