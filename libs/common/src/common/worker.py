"""A service's worker: relay, consumer, job lanes, sweeps and timers, with probes, and an ordered stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from sqlalchemy import text

from common.bus import JOBS_STREAM, Bus
from common.db import Database, Tenant
from common.health import Dependency, Health
from common.http import create_app
from common.inbox import Consumer, Handler
from common.jobs import JobKind, JobRunner
from common.lanes import Waiting, job_loop
from common.outbox import Relay
from common.plumbing import Job
from common.plumbing_metrics import PlumbingMetrics
from common.serve import uvicorn_config
from common.telemetry import get_logger
from common.waiting import wait_any
from contracts import Event
from contracts.subscriptions import SUBSCRIPTIONS

D = TypeVar("D")

SWEEP_SECONDS: Final = 5.0
METRICS_SECONDS: Final = 5.0
PURGE_SECONDS: Final = 3600.0
JOB_FETCH_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0
OUTBOX_RETENTION: Final = timedelta(days=7)
"""How long a sent message is kept, to rebuild a stream from."""
INBOX_RETENTION: Final = timedelta(days=35)
"""Longer than the EVENTS stream keeps an event (30 days), else a replay could have its effect twice."""

log = get_logger()


@dataclass(frozen=True)
class Timer:
    """Something that is done every so often; one failing run is logged and the next one comes."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[Any]]
    wake: str | None = None
    """A core NATS subject (`live.<service>...`) that brings the next run forward; see `Bus.notify`."""


@dataclass(frozen=True)
class Worker(Generic[D]):
    """What a service's worker does. `deps` is what its handlers and jobs are given."""

    service: str
    db: Database
    bus: Bus
    deps: D
    event_handlers: Mapping[type[Event], Handler[D]]
    job_kinds: Mapping[str, JobKind[D]]
    timers: Sequence[Timer] = ()
    job_lanes: int = 2
    """Jobs at a time in this process."""
    dependencies: Sequence[Dependency] = ()
    tell: Callable[[Job], Awaitable[None]] | None = None
    """See `JobRunner`."""

    async def run(self, *, host: str, port: int, grace_seconds: float) -> None:
        """Works until SIGTERM or SIGINT, then finishes or gives back what runs. The caller closes `db` and `bus`."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stop.set)

        self.bus.connect_in_background()
        health = Health([Dependency("postgres", self.db.ping), Dependency("nats", self.bus.ping), *self.dependencies])
        runner = JobRunner(self.db, self.job_kinds, self.deps, tell=self.tell)
        consumer = Consumer(self.db, self.bus, self.event_handlers, self.deps)
        metrics = PlumbingMetrics(self.db, self.bus, consumer, self.job_kinds)
        timers = [
            Timer("jobs.sweep", SWEEP_SECONDS, runner.sweep),
            Timer("plumbing.metrics", METRICS_SECONDS, metrics.refresh),
            Timer("plumbing.purge", PURGE_SECONDS, self._purge),
            *self.timers,
        ]
        tasks = [
            asyncio.create_task(Relay(self.db, self.bus).run(stop), name="relay"),
            *(asyncio.create_task(self._tick(timer, stop), name=timer.name) for timer in timers),
        ]
        if SUBSCRIPTIONS.get(self.service):
            tasks.append(asyncio.create_task(consumer.run(stop), name="consumer"))
        if self.job_kinds:
            tasks.append(asyncio.create_task(self._run_jobs(runner, stop, grace_seconds), name="jobs"))

        probes = _ProbeServer(
            uvicorn_config(
                create_app(service=f"{self.service}-worker", title="probes", routers=[], health=health),
                host=host,
                port=port,
                grace_seconds=1,
            )
        )
        serving = asyncio.create_task(probes.serve(), name="probes")
        log.info("worker.started", port=port)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, serving, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        # Told to stop, the quick ones among them may have ended before this line is reached.
        crashed = [] if stop.is_set() else [task for task in (serving, *tasks) if task.done()]

        health.draining = True
        stop.set()
        log.info("worker.stopping")
        await asyncio.wait(tasks, timeout=grace_seconds + 2)
        probes.should_exit = True
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(serving, *tasks, return_exceptions=True)
        errors = [result for result in results if isinstance(result, Exception)]
        for error in errors:
            log.error("worker.part_failed", error=repr(error), exc_info=error)
        if crashed:
            raise RuntimeError(f"{', '.join(task.get_name() for task in crashed)} ended by itself")

    async def _tick(self, timer: Timer, stop: asyncio.Event) -> None:
        woken = asyncio.Event()
        subscribed = timer.wake is None
        while not stop.is_set():
            woken.clear()
            try:
                if not subscribed:
                    subscribed = await self.bus.on_notify(timer.wake or "", woken.set)
                await timer.run()
            except Exception as error:  # noqa: BLE001  # a timer outlives any one failure; the log says what it was
                log.error("timer.failed", timer=timer.name, error=repr(error))
            await wait_any(stop, woken, timeout=timer.every_seconds)

    async def _run_jobs(self, runner: JobRunner[D], stop: asyncio.Event, grace_seconds: float) -> None:
        while not stop.is_set():
            try:
                subscription = await self.bus.js.pull_subscribe_bind(f"{self.service}-jobs", stream=JOBS_STREAM)
                break
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("jobs.subscribe_failed", error=str(error) or type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
        else:
            return
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self.job_lanes):
                lanes.create_task(job_loop(runner, _JobQueue(subscription).next, stop, grace_seconds))
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await subscription.unsubscribe()

    async def _purge(self) -> None:
        async with self.db.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(
                text("DELETE FROM outbox WHERE published_at < now() - make_interval(days => :days)"),
                {"days": OUTBOX_RETENTION.days},
            )
            await uow.session.execute(
                text("DELETE FROM inbox WHERE received_at < now() - make_interval(days => :days)"),
                {"days": INBOX_RETENTION.days},
            )
            await uow.commit()


class _ProbeServer:
    """uvicorn without its own signal handlers: the worker has set its own."""

    def __init__(self, config: Any) -> None:
        import uvicorn

        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]

    @property
    def should_exit(self) -> bool:
        return self._server.should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._server.should_exit = value

    async def serve(self) -> None:
        await self._server.serve()


class _JobQueue:
    """The jobs that wait. A message is acknowledged when it is fetched: from then on the row is the truth,
    and a job that no one claims is found by the sweep."""

    def __init__(self, subscription: JetStreamContext.PullSubscription) -> None:
        self._subscription = subscription

    async def next(self) -> Waiting | None:
        try:
            messages = await self._subscription.fetch(1, timeout=JOB_FETCH_SECONDS)
        except (NatsTimeout, TimeoutError):
            return None
        except (NatsError, OSError) as error:
            log.warning("jobs.fetch_failed", error=str(error) or type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            return None
        await messages[0].ack()
        try:
            return Waiting(UUID(json.loads(messages[0].data)["job_id"]), messages[0].headers or {})
        except (ValueError, KeyError, TypeError):
            log.error("jobs.message_unreadable", subject=messages[0].subject)
            return None
