"""The worker: receives facts, renders what is asked for asynchronously, removes files. Lifecycle only."""

from __future__ import annotations

from common.health import Dependency
from common.worker import Worker
from exports.bootstrap import Deps
from exports.handlers import HANDLERS
from exports.jobs import job_kinds


async def run(deps: Deps) -> None:
    """Works until it is told to stop."""
    settings = deps.settings
    worker = Worker(
        service=settings.SERVICE,
        db=deps.db,
        bus=deps.bus,
        deps=deps,
        event_handlers=HANDLERS,
        job_kinds=job_kinds(settings.export_render_timeout_seconds),
        job_lanes=settings.export_render_concurrency,
        dependencies=[Dependency("storage", deps.store.ping)],
    )
    try:
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
    finally:
        await deps.close()
