"""Use cases of AI requests: accept one within the limits, run or queue it, follow it, stop it, try it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ai.entitlements.repository import EntitlementsRepository
from ai.errors import GenerationRunning, RevisionCapReached, SectionLocked
from ai.generation import domain
from ai.generation.live import Live
from ai.generation.models import Generation
from ai.generation.ports import JobDeps, Outcome
from ai.generation.repository import GenerationRepository
from ai.generation.settlement import settle_failure
from ai.knowledge import service as knowledge
from ai.proposals.repository import ProposalRepository
from ai.providers.port import Provider
from ai.sections.models import Section
from ai.sections.repository import SectionRepository
from ai.settings import Settings
from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, NotFound
from common.identity import Identity
from common.ids import new_id
from common.jobs import JobRunner, request_cancel, retry
from common.plumbing import Job


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of AI; `about` is the section of write and revise, the proposal of plan and format."""

    kind: domain.Kind
    about: UUID
    answers: Mapping[str, str] | None = None
    upload_ids: Sequence[UUID] = ()
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The job as it is, and what it left when it has succeeded already."""

    job: Job
    outcome: Outcome | None = None


class GenerationService:
    """Accepts AI requests and looks after their jobs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: Settings,
        provider: Provider,
        runner: JobRunner[JobDeps],
        live: Live,
    ) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._provider = provider
        self._runner = runner
        self._live = live

    async def ask(self, who: Identity, wish: Wish, *, wait: bool) -> Asked:
        """Accepts the request within every limit and, with `wait`, runs it before returning.

        Raises QuotaExceeded, DailyCapReached, MonthlyTokensReached, NotFound, SectionLocked, GenerationRunning,
        RevisionCapReached, NotYetConsistent, ValidationFailed. What is raised has cost nothing.
        """
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            await self._check_limits(uow, who, wish.kind, now)
            if wish.kind in ("write", "revise"):
                generation = await self._accept_for_section(uow, who, wish, now)
            else:
                generation = await self._accept_for_proposal(uow, who, wish, now)
            GenerationRepository(uow.session, who.org_id).add(generation)
            job = uow.enqueue(
                wish.kind,
                {},
                org_id=who.org_id,
                user_id=who.user_id,
                job_id=generation.id,
                held_by=self._runner.name if wait else None,
            )
            await uow.commit()
        if not wait:
            return Asked(job)
        done = await self._runner.run_held(job, _tenant(who))
        return Asked(done.job, done.outcome)

    async def job(self, who: Identity, job_id: UUID) -> tuple[Job, Generation]:
        """The job and its request; raises NotFound."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await self._find(uow, who, job_id)

    async def cancel(self, who: Identity, job_id: UUID) -> tuple[Job, Generation]:
        """Stops it; what was set aside is given back. Raises NotFound, Conflict when it has ended."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            _, generation = await self._find(uow, who, job_id)
            job = await request_cancel(uow, job_id)
            if job.status == "cancelled":
                await settle_failure(uow, job, JobDeps(self._clock, self._provider))
            await uow.commit()
        await self._live.tell_job(job)
        return job, generation

    async def retry(self, who: Identity, job_id: UUID) -> tuple[Job, Generation]:
        """Runs a failed or cancelled one again, within the limits of now. Raises what `ask` raises."""
        now = self._clock.now()
        async with self._db.unit_of_work(_tenant(who)) as uow:
            _, generation = await self._find(uow, who, job_id)
            domain.check_retry(generation.finished_at, now, hours=self._settings.ai_retry_kept_hours)
            await self._check_limits(uow, who, _kind(generation), now)
            job = await retry(uow, job_id)
            if generation.section_id is not None:
                section = await SectionRepository(uow.session, who.org_id).lock(generation.section_id)
                await self._check_section(uow, who, _kind(generation), section)
                generation.base_revision = section.revision
            elif generation.proposal_id is None:
                raise Conflict("What this was asked for has been deleted.")
            else:
                await self._check_proposal(uow, who, _kind(generation), generation.proposal_id, now)
            generation.status = "open"
            generation.tokens = generation.finished_at = generation.started_at = generation.applied = None
            await uow.commit()
        return job, generation

    async def recent(self, who: Identity, *, before: UUID | None, limit: int) -> Sequence[Generation]:
        """The org's AI requests, newest first."""
        async with self._db.unit_of_work(_tenant(who)) as uow:
            return await GenerationRepository(uow.session, who.org_id).page(before=before, limit=limit)

    async def _check_limits(self, uow: UnitOfWork, who: Identity, kind: domain.Kind, now: datetime) -> None:
        allowed = await EntitlementsRepository(uow.session, who.org_id).lock()
        domain.check_tier(kind, allowed.tier, gate_open=self._settings.is_plan_gate_open)
        repository = GenerationRepository(uow.session, who.org_id)
        daily = self._settings.daily_request_cap(allowed.tier)
        daily = allowed.ai_daily if daily is None else daily
        if daily is not None:
            domain.check_daily(await repository.requests_since(domain.day_start(now)), daily, now)
        monthly = self._settings.monthly_tokens_cap(allowed.tier)
        monthly = allowed.ai_monthly_tokens if monthly is None else monthly
        if monthly is not None:
            domain.check_tokens(await repository.tokens_since(domain.month_start(now)), monthly, now)

    async def _accept_for_section(self, uow: UnitOfWork, who: Identity, wish: Wish, now: datetime) -> Generation:
        section = await SectionRepository(uow.session, who.org_id).lock(wish.about)
        await self._check_section(uow, who, wish.kind, section)
        for index, upload_id in enumerate(wish.upload_ids):
            await knowledge.require_readable(uow, who.org_id, upload_id, f"upload_ids.{index}", now)
        request: dict[str, Any] = {"instruction": wish.instruction}
        if wish.kind == "write":
            answers = dict(wish.answers or {})
            request = {"answers": answers, "upload_ids": [str(upload_id) for upload_id in wish.upload_ids]}
            await GenerationRepository(uow.session, who.org_id).remember_answers(
                section_id=section.id,
                proposal_id=section.proposal_id,
                questions={str(question["id"]): str(question["text"]) for question in section.questions},
                answers=answers,
                user_id=who.user_id,
                at=now,
            )
        given = [section.text, section.guidance, wish.instruction, *(wish.answers or {}).values()]
        generation = self._new(who, wish.kind, now, request, characters=sum(map(len, given)))
        generation.section_id = section.id
        generation.proposal_id = section.proposal_id
        generation.base_revision = section.revision
        return generation

    async def _check_section(self, uow: UnitOfWork, who: Identity, kind: domain.Kind, section: Section) -> None:
        if section.approved_revision is not None:
            raise SectionLocked
        if await GenerationRepository(uow.session, who.org_id).has_open(section_id=section.id):
            raise GenerationRunning
        if kind == "revise":
            if not section.text.strip():
                raise Conflict("There is no text to revise yet; write it first.")
            if section.revise_count >= self._settings.section_revision_cap:
                raise RevisionCapReached(cap=self._settings.section_revision_cap)
            section.revise_count += 1

    async def _accept_for_proposal(self, uow: UnitOfWork, who: Identity, wish: Wish, now: datetime) -> Generation:
        call_id = await self._check_proposal(uow, who, wish.kind, wish.about, now)
        characters = 0
        if wish.kind == "plan" and self._provider.max_output_tokens is not None:
            characters = await GenerationRepository(uow.session, who.org_id).characters_of(call_id)
        generation = self._new(who, wish.kind, now, {}, characters=characters)
        generation.proposal_id = wish.about
        return generation

    async def _check_proposal(
        self, uow: UnitOfWork, who: Identity, kind: domain.Kind, proposal_id: UUID, now: datetime
    ) -> UUID:
        """The document that holds the call."""
        proposal = await ProposalRepository(uow.session, who.org_id).lock(proposal_id)
        call_id = proposal.call_upload_id or proposal.id
        if kind != "plan":
            return call_id
        if proposal.call_upload_id is not None:
            await knowledge.require_readable(uow, who.org_id, proposal.call_upload_id, "proposal_id", now)
        if await GenerationRepository(uow.session, who.org_id).has_open(plan_of=proposal_id):
            raise GenerationRunning
        return call_id

    def _new(
        self, who: Identity, kind: domain.Kind, now: datetime, request: dict[str, Any], *, characters: int
    ) -> Generation:
        """`characters` is how long the input is, without what is looked up for a draft."""
        max_output = self._provider.max_output_tokens
        if kind == "plan" and characters > self._settings.ai_max_call_characters:
            max_output = None  # the rules will read it
        if kind == "write" and max_output is not None:
            characters += domain.PASSAGES_CHARACTERS
        return Generation(
            id=new_id(),
            org_id=who.org_id,
            user_id=who.user_id,
            kind=kind,
            request=request,
            status="open",
            model=self._provider.model,
            tokens_reserved=domain.tokens_to_reserve(kind, characters, max_output=max_output),
            event_version=0,
            accepted_at=now,
        )

    async def _find(self, uow: UnitOfWork, who: Identity, job_id: UUID) -> tuple[Job, Generation]:
        repository = GenerationRepository(uow.session, who.org_id)
        job, generation = await repository.job(job_id), await repository.get(job_id)
        if job is None or generation is None:
            raise NotFound
        return job, generation


def _kind(generation: Generation) -> domain.Kind:
    return next(kind for kind in domain.KINDS if kind == generation.kind)


def _tenant(who: Identity) -> Tenant:
    return Tenant(org_id=who.org_id, user_id=who.user_id)
