"""The worker: relay, consumer and job lanes."""

from __future__ import annotations

from ai.bootstrap import open_deps
from ai.deps import Deps
from ai.generation.ports import JobDeps
from ai.generation.work import JOB_KINDS
from ai.handlers import HANDLERS
from ai.knowledge import indexing
from ai.redaction import keeping
from ai.settings import Settings
from common.worker import Timer, Worker


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
            timers=[
                Timer("knowledge.index", indexing.EVERY_SECONDS, lambda: indexing.order_missing(deps.db)),
                Timer("requests.redact", keeping.EVERY_SECONDS, lambda: _redact_ended(deps)),
            ],
            tell=deps.live.tell_job,
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)


async def _redact_ended(deps: Deps) -> int:
    hours = deps.settings.ai_retry_kept_hours
    return await keeping.redact_ended(deps.db, deps.settings.secret_key, deps.clock.now(), retry_hours=hours)
