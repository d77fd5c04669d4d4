"""Use cases of the answer library. Each opens its unit of work and commits aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ai.answers.domain import Ranked, tidy_tags
from ai.answers.matching import fitting
from ai.answers.models import LibraryAnswer
from ai.answers.repository import AnswerRepository, AnswerWithSource
from ai.answers.schemas import AnswerCreate, AnswerUpdate, State
from ai.sections.domain import etag
from ai.sections.models import Section
from ai.sections.repository import SectionRepository
from ai.settings import Settings
from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, NotFound, StaleRevision, ValidationFailed
from common.identity import Identity
from common.ids import new_id

_CHANGEABLE: Final = ("question", "answer", "tags", "owner_id", "review_on", "state")
_NULLABLE: Final = ("owner_id", "review_on")


@dataclass(frozen=True, slots=True)
class Suggested:
    """An answer for a question of a section, or for the words that were asked about."""

    question_id: str | None
    ranked: Ranked[AnswerWithSource]


class AnswerService:
    """Keeps, finds, changes and suggests answers."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings

    async def create(self, who: Identity, wish: AnswerCreate) -> AnswerWithSource:
        """Keeps an answer, within the org's number of them, exact however many ask at once.

        Raises ValidationFailed (too long here, no such section), Conflict (the library is full, the section that it
        comes from is not approved).
        """
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            repository = AnswerRepository(uow.session, who.org_id)
            self._check_length(wish.answer)
            source = await self._source(uow, who, wish)
            await repository.lock_library()
            if await repository.count() >= self._settings.answers_max:
                raise Conflict(
                    f"The library holds {self._settings.answers_max} answers, archived ones among them, and no more; "
                    "delete archived ones first.",
                    cap=self._settings.answers_max,
                )
            answer = LibraryAnswer(
                id=new_id(),
                org_id=who.org_id,
                question=wish.question,
                answer=wish.answer,
                tags=tidy_tags(wish.tags),
                owner_id=wish.owner_id if "owner_id" in wish.model_fields_set else who.user_id,
                review_on=wish.review_on,
                state="active",
                proposal_id=source.proposal_id if source else None,
                section_id=source.id if source else None,
                question_id=wish.question_id,
                uses=0,
                last_used_at=None,
                version=1,
                created_at=now,
                updated_at=now,
            )
            repository.add(answer)
            await uow.flush()
            kept = await repository.get(answer.id)
            await uow.commit()
        return kept

    async def get(self, who: Identity, answer_id: UUID) -> AnswerWithSource:
        """The answer; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await AnswerRepository(uow.session, who.org_id).get(answer_id)

    async def page(
        self, who: Identity, *, state: State | None, query: str | None, due: bool, before: UUID | None, limit: int
    ) -> Sequence[AnswerWithSource]:
        """One more than `limit`, newest first, so that the caller knows whether there is a next page."""
        today = self._clock.now().date()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await AnswerRepository(uow.session, who.org_id).page(
                state=state, query=query, due_on=today if due else None, before=before, limit=limit + 1
            )

    async def update(self, who: Identity, answer_id: UUID, wish: AnswerUpdate, expected: int) -> AnswerWithSource:
        """Changes it on top of the version that the caller saw; what changes nothing is no new version.

        Raises NotFound, StaleRevision (with the current version and words), ValidationFailed.
        """
        given = {
            name: getattr(wish, name)
            for name in _CHANGEABLE
            if name in wish.model_fields_set and (name in _NULLABLE or getattr(wish, name) is not None)
        }
        if not given:
            raise ValidationFailed([{"field": "answer", "message": "give something to change"}])
        if wish.tags is not None:
            given["tags"] = tidy_tags(wish.tags)
        if wish.answer is not None:
            self._check_length(wish.answer)
        async with self._db.unit_of_work(_tenant(who)) as uow:
            repository = AnswerRepository(uow.session, who.org_id)
            answer = await repository.lock(answer_id)
            _check_version(answer, expected)
            changed = {name: value for name, value in given.items() if getattr(answer, name) != value}
            if changed:
                for name, value in changed.items():
                    setattr(answer, name, value)
                answer.version += 1
                answer.updated_at = self._clock.now()
                await uow.flush()
            kept = await repository.get(answer_id)
            await uow.commit()
        return kept

    async def use(self, who: Identity, answer_id: UUID, use_id: UUID) -> AnswerWithSource:
        """Counts a use of it, the same one once however often it is told. Raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            repository = AnswerRepository(uow.session, who.org_id)
            await repository.lock(answer_id)
            await repository.count_use(answer_id, use_id, self._clock.now())
            used = await repository.get(answer_id)
            await uow.commit()
        return used

    async def delete(self, who: Identity, answer_id: UUID) -> None:
        """Deletes an archived answer for good. Raises NotFound, Conflict when it is not archived."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            repository = AnswerRepository(uow.session, who.org_id)
            if (await repository.lock(answer_id)).state != "archived":
                raise Conflict("Archive this answer first; only an archived one can be deleted for good.")
            await repository.delete(answer_id)
            await uow.commit()

    async def suggest(self, who: Identity, *, question: str, section_id: UUID | None, limit: int) -> list[Suggested]:
        """What fits the words, then each question of the section, the best `limit` for each. Raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            asked: list[tuple[str | None, str]] = [(None, question)] if question.strip() else []
            if section_id is not None:
                section = await SectionRepository(uow.session, who.org_id).get(section_id)
                asked += [(str(one["id"]), str(one["text"])) for one in section.questions]
            repository = AnswerRepository(uow.session, who.org_id)
            found = await fitting(repository, [words for _, words in asked], limit=limit)
        return [Suggested(key, ranked) for (key, _), fit in zip(asked, found, strict=True) for ranked in fit]

    def _check_length(self, answer: str) -> None:
        longest = self._settings.answer_max_characters
        if len(answer) > longest:
            raise ValidationFailed([{"field": "answer", "message": f"must have at most {longest} characters"}])

    @staticmethod
    async def _source(uow: UnitOfWork, who: Identity, wish: AnswerCreate) -> Section | None:
        if wish.section_id is None:
            return None
        try:
            section = await SectionRepository(uow.session, who.org_id).get(wish.section_id)
        except NotFound as error:
            message = "there is no such section in this organisation"
            raise ValidationFailed([{"field": "section_id", "message": message}]) from error
        if wish.question_id is None and section.approved_revision is None:
            raise Conflict("Approve this section first; the library keeps approved words alone.")
        return section


def _check_version(answer: LibraryAnswer, expected: int) -> None:
    if answer.version != expected:
        raise StaleRevision(
            headers={"ETag": etag(answer.version)},
            revision=answer.version,
            text=answer.answer,
            question=answer.question,
        )


def _tenant(who: Identity) -> Tenant:
    return Tenant(org_id=who.org_id, user_id=who.user_id)
