"""The worker: reads files, sends and receives events, sweeps. Lifecycle only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from common.health import Dependency
from common.jobs import JobKind
from common.worker import Timer, Worker
from uploads import erasing, extracting, pictures, storing
from uploads.bootstrap import open_deps
from uploads.deps import Deps
from uploads.handlers import EVENT_HANDLERS
from uploads.resumable import service as resumable
from uploads.service import ERASE_ORG, EXTRACT
from uploads.settings import Settings

SWEEP_SECONDS: Final = 300.0
JOB_MARGIN_SECONDS: Final = 120.0
"""What a job may take besides its child: fetching the file, storing the text."""
ERASE_SECONDS: Final = 600.0


def job_kinds(settings: Settings) -> Mapping[str, JobKind[Deps]]:
    """The jobs of this service."""
    return {
        EXTRACT: JobKind(
            run=extracting.run,
            timeout_seconds=extracting.BROKEN_PAGES * settings.text_extraction_timeout_seconds + JOB_MARGIN_SECONDS,
            on_failure=extracting.on_failure,
        ),
        pictures.PICTURE: JobKind(
            run=pictures.run, timeout_seconds=pictures.SECONDS + JOB_MARGIN_SECONDS, on_failure=pictures.on_failure
        ),
        ERASE_ORG: JobKind(run=erasing.erase_org, timeout_seconds=ERASE_SECONDS),
    }


async def run(settings: Settings) -> None:
    """Works until it is told to stop."""
    async with open_deps(settings) as deps:
        worker = Worker(
            service="uploads",
            db=deps.db,
            bus=deps.bus,
            deps=deps,
            event_handlers=EVENT_HANDLERS,
            job_kinds=job_kinds(settings),
            timers=(
                Timer("uploads.sweep", SWEEP_SECONDS, partial(storing.sweep, deps)),
                Timer("uploads.sweep_resumable", SWEEP_SECONDS, partial(resumable.sweep, deps)),
            ),
            dependencies=(Dependency("storage", deps.store.ping),),
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
