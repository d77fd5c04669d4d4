"""The end of a generation: what was set aside is settled, and billing is told, in one transaction with the result."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ai import events
from ai.generation.models import Generation
from ai.generation.ports import JobDeps
from ai.generation.repository import GenerationRepository
from ai.providers.port import Written
from ai.sections.models import Section
from ai.telemetry import GENERATION_SECONDS, GENERATIONS, TOKENS
from common.db import UnitOfWork
from common.plumbing import Job

NOBODY = UUID(int=0)
"""Stands for a person who was erased while their request ran."""


async def settle(
    uow: UnitOfWork,
    generation: Generation,
    status: str,
    *,
    tokens: int,
    now: datetime,
    written: Written | None = None,
) -> bool:
    """Ends a generation; one that failed or was cancelled costs nothing. False, and nothing done, when it was erased.

    `tokens` is our own measure; the vendor's count, where `written` has one, is what is charged.
    """
    if written is not None:
        generation.model = written.model
        generation.prompt = written.prompt.name
        generation.prompt_checksum = written.prompt.checksum
        if written.usage is not None:
            tokens = written.usage.total
            generation.input_tokens = written.usage.input_tokens
            generation.output_tokens = written.usage.output_tokens
    generation.status = status
    generation.tokens = tokens if status == "succeeded" else 0
    generation.finished_at = now
    generation.event_version += 1
    if not await GenerationRepository(uow.session, generation.org_id).settle(generation):
        return False
    uow.publish(events.generation_finished(generation, user_id=generation.user_id or NOBODY, finished_at=now))
    GENERATIONS.labels(generation.kind, status, generation.model).inc()
    TOKENS.labels(generation.kind, generation.model).inc(generation.tokens)
    began = generation.started_at or generation.accepted_at
    GENERATION_SECONDS.labels(generation.kind).observe(max(0.0, (now - began).total_seconds()))
    return True


async def settle_failure(uow: UnitOfWork, job: Job, deps: JobDeps) -> None:
    """Ends the generation of a job that failed or was cancelled, and gives its revise call back."""
    if job.org_id is None:
        return
    generation = await GenerationRepository(uow.session, job.org_id).get(job.id)
    if generation is None or generation.finished_at is not None:
        return  # erased, or settled already
    await settle(
        uow, generation, "cancelled" if job.status == "cancelled" else "failed", tokens=0, now=deps.clock.now()
    )
    if generation.kind == "revise" and generation.section_id is not None:
        section = await uow.session.get(Section, generation.section_id, with_for_update=True)
        if section is not None and section.revise_count > 0:
            section.revise_count -= 1
