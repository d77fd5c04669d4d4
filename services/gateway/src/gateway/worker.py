"""The gateway's worker: lifecycle only."""

from __future__ import annotations

from functools import partial

from common.worker import Timer, Worker
from gateway.accounts.service import purge_expired
from gateway.bootstrap import open_deps
from gateway.erasure.service import measure as measure_erasures
from gateway.handlers import EVENT_HANDLERS, JOB_KINDS
from gateway.settings import Settings

PURGE_SECONDS = 3600.0
FORGET_SECONDS = 0.5
"""A change takes effect within two seconds, also when the process that made it died."""
ERASURE_METRICS_SECONDS = 15.0


async def run(settings: Settings) -> None:
    """Works until it is told to stop."""
    async with open_deps(settings) as deps:
        worker = Worker(
            service="gateway",
            db=deps.db,
            bus=deps.bus,
            deps=deps,
            event_handlers=EVENT_HANDLERS,
            job_kinds=JOB_KINDS,
            timers=(
                Timer("facts.forget", FORGET_SECONDS, deps.cache.forget_left_behind),
                Timer("accounts.purge", PURGE_SECONDS, partial(purge_expired, deps)),
                Timer("erasure.metrics", ERASURE_METRICS_SECONDS, partial(measure_erasures, deps.db, deps.clock)),
            ),
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
