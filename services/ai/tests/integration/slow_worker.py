"""A worker whose provider takes its time, to be killed in the middle of a text."""

from __future__ import annotations

import asyncio

from ai.bootstrap import open_deps
from ai.generation.work import JOB_KINDS
from ai.handlers import HANDLERS
from ai.providers.scripted import ScriptedProvider
from ai.settings import Settings
from common.settings import load
from common.worker import Worker

DELTAS = [f"Sentence number {n} of a long text. " for n in range(80)]


async def main() -> None:
    settings = load(Settings)
    async with open_deps(settings, provider=ScriptedProvider(DELTAS, pause_seconds=0.03)) as deps:
        worker = Worker("ai", deps.db, deps.bus, deps.job_deps, HANDLERS, JOB_KINDS, tell=deps.live.tell_job)
        await worker.run(host=settings.host, port=settings.port, grace_seconds=1)


if __name__ == "__main__":
    asyncio.run(main())
