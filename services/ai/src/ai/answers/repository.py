"""All SQL about the answer library of one org."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ai.answers.models import LibraryAnswer, LibraryUse
from ai.proposals.models import Proposal
from ai.sections.models import Section
from common.errors import NotFound


@dataclass(frozen=True, slots=True)
class AnswerWithSource:
    """An answer, and what the proposal and the section that it came from are called now."""

    answer: LibraryAnswer
    proposal_title: str | None
    section_title: str | None


class AnswerRepository:
    """One org's answers within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    def add(self, answer: LibraryAnswer) -> None:
        """Adds a new answer."""
        self._session.add(answer)

    async def lock_library(self) -> None:
        """Until the transaction ends nobody else adds an answer, so that a count of them holds."""
        await self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('ai.library:' || :org, 0))"),
            {"org": str(self._org_id)},
        )

    async def count(self) -> int:
        """How many the org keeps, archived ones among them."""
        mine = select(func.count()).select_from(LibraryAnswer).where(LibraryAnswer.org_id == self._org_id)
        return await self._session.scalar(mine) or 0

    async def get(self, answer_id: UUID) -> AnswerWithSource:
        """The answer with its source; raises NotFound."""
        found = (await self._session.execute(self._with_source(LibraryAnswer.id == answer_id))).one_or_none()
        if found is None:
            raise NotFound
        return _joined(found)

    async def lock(self, answer_id: UUID) -> LibraryAnswer:
        """The answer, locked until the transaction ends; raises NotFound."""
        answer = await self._session.scalar(
            select(LibraryAnswer)
            .where(LibraryAnswer.org_id == self._org_id, LibraryAnswer.id == answer_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if answer is None:
            raise NotFound
        return answer

    async def page(
        self, *, state: str | None, query: str | None, due_on: date | None, before: UUID | None, limit: int
    ) -> Sequence[AnswerWithSource]:
        """Newest first; `before` is the id of the last one seen, `due_on` leaves those that are due on that day."""
        conditions: list[ColumnElement[bool]] = []
        if state is not None:
            conditions.append(LibraryAnswer.state == state)
        if query:
            fields = (LibraryAnswer.question, LibraryAnswer.answer, cast(LibraryAnswer.tags, String))
            conditions.append(or_(*(field.icontains(query, autoescape=True) for field in fields)))
        if due_on is not None:
            conditions.append(LibraryAnswer.review_on <= due_on)
        if before is not None:
            conditions.append(LibraryAnswer.id < before)
        rows = await self._session.execute(
            self._with_source(*conditions).order_by(LibraryAnswer.id.desc()).limit(limit)
        )
        return [_joined(row) for row in rows]

    async def candidates(self, words: Sequence[str], *, limit: int) -> Sequence[AnswerWithSource]:
        """The active ones whose question shares the most words, then the most used: what is worth a closer look."""
        statement = self._with_source(LibraryAnswer.state == "active")
        if words:
            query = func.to_tsquery("english", " | ".join(words))
            statement = statement.order_by(func.ts_rank(LibraryAnswer.words, query).desc())
        ordered = statement.order_by(LibraryAnswer.uses.desc(), LibraryAnswer.id.desc())
        return [_joined(row) for row in await self._session.execute(ordered.limit(limit))]

    async def count_use(self, answer_id: UUID, use_id: UUID, at: datetime) -> None:
        """One more use, unless this very one was counted. The caller knows that the answer is there."""
        new = await self._session.scalar(
            insert(LibraryUse)
            .values(answer_id=answer_id, use_id=use_id, org_id=self._org_id, used_at=at)
            .on_conflict_do_nothing()
            .returning(LibraryUse.use_id)
        )
        if new is not None:
            await self._session.execute(
                update(LibraryAnswer)
                .where(LibraryAnswer.org_id == self._org_id, LibraryAnswer.id == answer_id)
                .values(uses=LibraryAnswer.uses + 1, last_used_at=func.greatest(LibraryAnswer.last_used_at, at))
            )

    async def delete(self, answer_id: UUID) -> None:
        """Deletes the answer with its uses."""
        await self._session.execute(
            delete(LibraryAnswer).where(LibraryAnswer.org_id == self._org_id, LibraryAnswer.id == answer_id)
        )

    def _with_source(self, *conditions: ColumnElement[bool]) -> Select[LibraryAnswer, str, str]:
        return (
            select(LibraryAnswer, Proposal.title, Section.title)
            .outerjoin(Proposal, and_(Proposal.org_id == self._org_id, Proposal.id == LibraryAnswer.proposal_id))
            .outerjoin(Section, and_(Section.org_id == self._org_id, Section.id == LibraryAnswer.section_id))
            .where(LibraryAnswer.org_id == self._org_id, *conditions)
            .execution_options(populate_existing=True)
        )


def _joined(row: Row[LibraryAnswer, str, str]) -> AnswerWithSource:
    answer, proposal_title, section_title = row
    return AnswerWithSource(answer, proposal_title, section_title)
