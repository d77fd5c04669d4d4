"""Reading back: usage by kind, model, person and day, and answers that were given before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ai.generation.models import Answer, Generation
from ai.generation.repository import GenerationRepository
from ai.generation.schemas import GenerationOut, MetricsSummary, Suggestion, UsageBy
from ai.knowledge.domain import query_words
from ai.sections.repository import SectionRepository
from common.db import Database, Tenant
from common.identity import Identity


async def summarize(db: Database, who: Identity, *, since: datetime) -> MetricsSummary:
    """What the org used AI for since a moment."""
    async with db.unit_of_work(Tenant(org_id=who.org_id, user_id=who.user_id)) as uow:
        repository = GenerationRepository(uow.session, who.org_id)
        by_kind = await repository.usage_since(since, "kind")
        by_status = await repository.usage_since(since, "status")
        by_model = await repository.usage_since(since, "model")
        by_user = await repository.usage_since(since, "user")
        by_day = await repository.usage_since(since, "day")
    counts = {status: count for status, count, _ in by_status}
    return MetricsSummary(
        since=since,
        requests=sum(counts.values()),
        succeeded=counts.get("succeeded", 0),
        failed=counts.get("failed", 0),
        cancelled=counts.get("cancelled", 0),
        running=counts.get("open", 0),
        tokens=sum(tokens for _, _, tokens in by_status),
        by_kind=_usage(by_kind),
        by_model=_usage(by_model),
        by_user=_usage(by_user),
        by_day=sorted(_usage(by_day), key=lambda usage: usage.name),
    )


async def suggest(db: Database, who: Identity, *, section_id: UUID | None, words: str, limit: int) -> list[Suggestion]:
    """Answers that fit a section's questions or some words; raises NotFound for a section of another org."""
    async with db.unit_of_work(Tenant(org_id=who.org_id, user_id=who.user_id)) as uow:
        about = [words]
        if section_id is not None:
            section = await SectionRepository(uow.session, who.org_id).get(section_id)
            about += [section.title, *(str(question["text"]) for question in section.questions)]
        found = await GenerationRepository(uow.session, who.org_id).suggestions(
            query_words(about), not_of=section_id, limit=limit
        )
    return [_suggestion(answer) for answer in found]


def generation_out(generation: Generation) -> GenerationOut:
    """The request as the API shows it."""
    duration = None
    if generation.finished_at is not None:
        began = generation.started_at or generation.accepted_at
        duration = max(0, int((generation.finished_at - began).total_seconds() * 1000))
    return GenerationOut.model_validate(
        {
            **{name: getattr(generation, name) for name in GenerationOut.model_fields if name != "duration_ms"},
            "duration_ms": duration,
        }
    )


def _usage(rows: Sequence[tuple[str, int, int]]) -> list[UsageBy]:
    return [UsageBy(name=name, requests=count, tokens=tokens) for name, count, tokens in rows]


def _suggestion(answer: Answer) -> Suggestion:
    return Suggestion(
        section_id=answer.section_id,
        proposal_id=answer.proposal_id,
        question_id=answer.key,
        question=answer.question,
        text=answer.text,
        uses=answer.uses,
        used_at=answer.used_at,
    )
