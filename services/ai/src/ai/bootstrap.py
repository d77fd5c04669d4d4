"""The one place where the service's parts are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ai.deps import Deps
from ai.generation.ports import JobDeps
from ai.generation.service import GenerationService
from ai.generation.work import JOB_KINDS
from ai.proposals.service import ProposalService
from ai.providers.port import Provider
from ai.providers.registry import make_provider
from ai.sections.service import SectionService
from ai.settings import Settings
from common.bus import Bus
from common.clock import Clock, SystemClock
from common.db import Database
from common.jobs import JobRunner


@asynccontextmanager
async def open_deps(
    settings: Settings, *, clock: Clock | None = None, provider: Provider | None = None
) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse.

    NATS is joined in the background: an API process must work while it is away, and the worker waits for it itself.
    """
    clock = clock or SystemClock()
    provider = provider or make_provider(settings)
    bus = Bus(settings.nats_url.get_secret_value(), service="ai")
    db = Database(
        settings.database_url.get_secret_value(),
        service="ai",
        clock=clock,
        poke=bus.poke,
        pool_size=settings.database_pool_size,
    )
    job_deps = JobDeps(clock, provider)
    runner = JobRunner(db, JOB_KINDS, job_deps)
    bus.connect_in_background()
    try:
        yield Deps(
            settings=settings,
            clock=clock,
            db=db,
            bus=bus,
            provider=provider,
            runner=runner,
            job_deps=job_deps,
            proposals=ProposalService(db, clock),
            sections=SectionService(db, clock),
            generations=GenerationService(db, clock, settings, provider, runner),
        )
    finally:
        await runner.drain(settings.shutdown_grace_seconds)
        await db.close()
        await bus.close()
