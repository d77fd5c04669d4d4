"""The lanes of a worker: each fetches what waits and runs it, one job at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.jobs import JobRunner
from common.plumbing import Job
from common.telemetry import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a queue message tells: a job that waits, and the trace of whoever asked for it."""

    job_id: UUID
    headers: Mapping[str, str] = field(default_factory=dict)


async def job_loop(
    runner: JobRunner[Any], fetch: Callable[[], Awaitable[Waiting | None]], stop: asyncio.Event, grace_seconds: float
) -> None:
    """One lane of a worker: fetches what waits and runs it until `stop`, then finishes or gives back what it holds."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            waiting = await fetch()
            if waiting is None:
                continue
            running = asyncio.create_task(runner.run(waiting.job_id, headers=waiting.headers))
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait({running}, timeout=grace_seconds)
                running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await _report(running)
    finally:
        stopping.cancel()


async def _report(task: asyncio.Task[Job | None]) -> None:
    try:
        await task
    except Exception:  # a lane outlives its jobs; the lease runs out, and the sweep finds this one
        log.exception("job.run_failed")
