"""The one place where the service's parts are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from ai.answers.service import AnswerService
from ai.citations.service import CitationService
from ai.compliance.service import ComplianceService
from ai.deps import Deps
from ai.generation.live import Live
from ai.generation.pieces import Pieces
from ai.generation.ports import JobDeps
from ai.generation.service import GenerationService
from ai.generation.work import JOB_KINDS
from ai.proposals.service import ProposalService
from ai.provenance.service import ProvenanceService
from ai.providers.port import Provider
from ai.providers.registry import open_provider
from ai.sections.service import SectionService
from ai.settings import Settings
from common.clock import Clock
from common.jobs import JobRunner
from common.parts import open_parts


@asynccontextmanager
async def open_deps(
    settings: Settings, *, clock: Clock | None = None, provider: Provider | None = None
) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse."""
    async with (
        nullcontext(provider) if provider is not None else open_provider(settings) as writer,
        open_parts(settings, clock=clock) as parts,
    ):
        live = Live(parts.bus)
        pieces = Pieces(parts.db, live.tell_piece)
        job_deps = JobDeps(parts.clock, writer, settings.ai_max_call_characters, pieces)
        runner = JobRunner(parts.db, JOB_KINDS, job_deps, tell=live.tell_job)
        try:
            yield Deps(
                clock=parts.clock,
                db=parts.db,
                bus=parts.bus,
                settings=settings,
                provider=writer,
                runner=runner,
                live=live,
                pieces=pieces,
                job_deps=job_deps,
                proposals=ProposalService(parts.db, parts.clock),
                sections=SectionService(parts.db, parts.clock),
                provenance=ProvenanceService(parts.db),
                citations=CitationService(parts.db),
                compliance=ComplianceService(parts.db),
                answers=AnswerService(parts.db, parts.clock, settings),
                generations=GenerationService(parts.db, parts.clock, settings, writer, runner, live),
            )
        finally:
            await runner.drain(settings.shutdown_grace_seconds)
