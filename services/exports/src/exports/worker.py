"""The worker: receives facts, renders what is asked for asynchronously, removes files. Lifecycle only."""

from __future__ import annotations

from functools import partial

from common.health import Dependency
from common.worker import Timer, Worker
from exports.bootstrap import open_deps
from exports.handlers import HANDLERS
from exports.jobs import job_kinds
from exports.settings import Settings
from exports.sweeping import sweep


async def run(settings: Settings) -> None:
    """Works until it is told to stop."""
    async with open_deps(settings) as deps:
        worker = Worker(
            service="exports",
            db=deps.db,
            bus=deps.bus,
            deps=deps,
            event_handlers=HANDLERS,
            job_kinds=job_kinds(settings.export_render_timeout_seconds),
            timers=(Timer("exports.sweep", settings.export_sweep_seconds, partial(sweep, deps)),),
            job_lanes=settings.export_render_concurrency,
            dependencies=(Dependency("storage", deps.store.ping),),
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
