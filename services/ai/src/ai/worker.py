"""The worker: relay, consumer and job lanes."""

from __future__ import annotations

from ai.bootstrap import open_deps
from ai.generation.ports import JobDeps
from ai.generation.work import JOB_KINDS
from ai.handlers import HANDLERS
from ai.settings import Settings
from common.worker import Worker


async def run(settings: Settings) -> None:
    """Works until a stop signal."""
    async with open_deps(settings) as deps:
        worker: Worker[JobDeps] = Worker(
            service="ai",
            db=deps.db,
            bus=deps.bus,
            deps=deps.job_deps,
            event_handlers=HANDLERS,
            job_kinds=JOB_KINDS,
            job_lanes=settings.ai_job_lanes,
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
