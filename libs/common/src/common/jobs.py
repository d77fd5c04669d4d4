"""Jobs: work as rows, claimed with a lease.

    queued -> running -> succeeded | failed | cancelled
       ^         |
       '---------'  the lease expired (its worker died), or an attempt failed and may be tried again

The queue message carries only the id. Whoever claims the row holds a lease and renews it; a killed worker's lease
expires and another takes over. The end of a job is one transaction with what it changed (`ctx.on_finish`), and it
only happens while the lease is still held, so that a job has its effect once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import func, or_, select, update

from common.db import Database, Tenant, UnitOfWork
from common.errors import Conflict, NotFound
from common.plumbing import Job
from common.telemetry import get_logger, tracer

D = TypeVar("D")

LEASE: Final = timedelta(seconds=15)
"""Fifteen missed heartbeats: longer than a restart of the database, short enough for the person who waits."""
HEARTBEAT_SECONDS: Final = 1.0
"""How often a running job renews its lease and looks whether it was cancelled."""
RETRY_BACK_OFF_SECONDS: Final = (1.0, 5.0, 30.0, 120.0)
SETTLED: Final = {"settled": True}
"""The result of a job whose failure had an effect of its own (`on_failure`): what it was asked for has ended with it,
and running the job alone once more would not bring that back. Whoever asked asks again."""

log = get_logger()


class JobFailed(Exception):
    """A job that need not be tried again; `code` is stable, `detail` is for the person who reads it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class LeaseLost(Exception):
    """Another worker has taken the job over; this one's result is thrown away."""


@dataclass
class JobContext(Generic[D]):
    """What a running job works with."""

    job: Job
    deps: D
    db: Database
    on_finish: Callable[[UnitOfWork], Awaitable[None]] | None = None
    """Set by the job: its effect, in the same transaction as its success."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tenant(self) -> Tenant:
        """Whose job it is."""
        return Tenant(org_id=self.job.org_id, user_id=self.job.user_id)

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction as the job's tenant."""
        return self.db.unit_of_work(self.tenant)

    async def progress(self, done: int, total: int) -> None:
        """Stores how far the job is, for those who wait for it."""
        async with self.unit_of_work() as uow:
            await uow.session.execute(
                update(Job).where(Job.id == self.job.id).values(progress_done=done, progress_total=total)
            )
            await uow.commit()


@dataclass(frozen=True)
class JobKind(Generic[D]):
    """How a kind of job is done.

    Args:
        run: does the work; what it returns becomes the job's result. Raises JobFailed for a final failure; any other
            exception is tried again until `max_attempts`.
        timeout_seconds: an attempt that takes longer fails.
        on_failure: in the transaction that ends the job as failed or cancelled (`job.status` says which).
    """

    run: Callable[[JobContext[D], dict[str, Any]], Awaitable[dict[str, Any]]]
    timeout_seconds: float
    on_failure: Callable[[UnitOfWork, Job, D], Awaitable[None]] | None = None


class JobRunner(Generic[D]):
    """Claims and runs jobs of one service, in a worker or, inline, in the API process."""

    def __init__(self, db: Database, kinds: Mapping[str, JobKind[D]], deps: D) -> None:
        self._db = db
        self._kinds = kinds
        self._deps = deps
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._inline: set[asyncio.Task[Job | None]] = set()

    async def run(self, job_id: UUID, *, tenant: Tenant | None = None) -> Job | None:
        """Claims the job and runs one attempt of it; None when there is nothing to claim.

        Cancelling the task (a worker that stops) gives the job back to the queue.
        """
        scope = tenant or Tenant.none()
        job = await self._claim(job_id, scope)
        if job is None:
            return None
        with tracer.start_as_current_span(f"job {job.kind}"):
            return await self._attempt(job)

    async def run_inline(self, job_id: UUID, tenant: Tenant) -> Job:
        """Runs the job here and now, and returns it as it is then; it goes on should the caller go away."""
        task = asyncio.create_task(self.run(job_id, tenant=tenant))
        self._inline.add(task)
        task.add_done_callback(self._inline.discard)
        await asyncio.shield(task)
        async with self._db.unit_of_work(tenant) as uow:
            return await get_job(uow, job_id)

    async def drain(self, seconds: float) -> None:
        """Waits for inline jobs; those that take longer go back to the queue."""
        if not self._inline:
            return
        _, unfinished = await asyncio.wait(self._inline, timeout=seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _claim(self, job_id: UUID, scope: Tenant) -> Job | None:
        claimable = or_(
            (Job.status == "queued") & (Job.run_after <= func.now()),
            (Job.status == "running") & (Job.lease_until < func.now()),
        )
        async with self._db.unit_of_work(scope) as uow:
            job = await uow.session.scalar(
                update(Job)
                .where(Job.id == job_id, claimable, Job.attempt < Job.max_attempts)
                .values(
                    status="running",
                    attempt=Job.attempt + 1,
                    worker=self._worker,
                    lease_until=func.now() + LEASE,
                    started_at=func.coalesce(Job.started_at, func.now()),
                )
                .returning(Job)
            )
            await uow.commit()
        return job

    async def _attempt(self, job: Job) -> Job | None:
        context = JobContext(job=job, deps=self._deps, db=self._db)
        kind = self._kinds.get(job.kind)
        if kind is None:
            return await self._end(context, "failed", code="unknown_job", detail=f"No such job: {job.kind}.")
        work = asyncio.ensure_future(kind.run(context, job.payload))
        heartbeat = asyncio.create_task(self._keep_lease(context, work))
        try:
            async with asyncio.timeout(kind.timeout_seconds):
                result = await work
            return await self._end(context, "succeeded", result=result)
        except JobFailed as error:
            return await self._end(context, "failed", code=error.code, detail=error.detail)
        except TimeoutError:
            return await self._retry_or_fail(context, "timed_out", "It took too long and was stopped.")
        except LeaseLost:
            log.warning("job.lease_lost", job_id=str(job.id), kind=job.kind)
            return None
        except asyncio.CancelledError:
            if context.cancelled.is_set():
                return await self._end(context, "cancelled", code="cancelled", detail="It was cancelled.")
            await asyncio.shield(self._give_back(context))
            raise
        except Exception as error:
            log.exception("job.attempt_failed", job_id=str(job.id), kind=job.kind, attempt=job.attempt)
            return await self._retry_or_fail(
                context, "internal_error", f"Something went wrong on our side ({type(error).__name__}); try again."
            )
        finally:
            heartbeat.cancel()
            work.cancel()

    async def _keep_lease(self, context: JobContext[D], work: asyncio.Future[dict[str, Any]]) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                async with context.unit_of_work() as uow:
                    held = (
                        await uow.session.execute(
                            update(Job)
                            .where(*self._held(context.job))
                            .values(lease_until=func.now() + LEASE)
                            .returning(Job.cancel_requested_at)
                        )
                    ).first()
                    await uow.commit()
            except Exception as error:  # noqa: BLE001  # the database may be away for a while; the lease outlives that
                log.warning("job.heartbeat_failed", job_id=str(context.job.id), error=repr(error))
                continue
            if held is None or held[0] is not None:
                if held is not None:
                    context.cancelled.set()
                work.cancel()
                return

    def _held(self, job: Job) -> tuple[Any, ...]:
        return (Job.id == job.id, Job.status == "running", Job.worker == self._worker, Job.attempt == job.attempt)

    async def _end(
        self,
        context: JobContext[D],
        status: str,
        *,
        result: dict[str, Any] | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> Job | None:
        async with context.unit_of_work() as uow:
            job: Job | None = await uow.session.scalar(
                update(Job)
                .where(*self._held(context.job))
                .values(
                    status=status,
                    result=result,
                    error_code=code,
                    error_detail=detail,
                    lease_until=None,
                    finished_at=func.now(),
                )
                .returning(Job)
            )
            if job is None:
                log.warning("job.lease_lost", job_id=str(context.job.id), kind=context.job.kind)
                return None
            if status == "succeeded" and context.on_finish is not None:
                await context.on_finish(uow)
            elif status != "succeeded":
                await self._tell_failure(uow, job)
            await uow.commit()
        log.info("job.ended", job_id=str(job.id), kind=job.kind, status=status, error_code=code)
        return job

    async def _tell_failure(self, uow: UnitOfWork, job: Job) -> None:
        kind = self._kinds.get(job.kind)
        if kind is not None and kind.on_failure is not None:
            await kind.on_failure(uow, job, self._deps)
            job.result = dict(SETTLED)

    async def _retry_or_fail(self, context: JobContext[D], code: str, detail: str) -> Job | None:
        job = context.job
        if job.attempt >= job.max_attempts:
            return await self._end(context, "failed", code=code, detail=detail)
        delay = RETRY_BACK_OFF_SECONDS[min(job.attempt, len(RETRY_BACK_OFF_SECONDS)) - 1]
        async with context.unit_of_work() as uow:
            waiting = await uow.session.scalar(
                update(Job)
                .where(*self._held(job))
                .values(status="queued", lease_until=None, run_after=func.now() + timedelta(seconds=delay))
                .returning(Job)
            )
            await uow.commit()
        return waiting

    async def _give_back(self, context: JobContext[D]) -> None:
        """A worker that stops: the attempt does not count, and the next worker may start at once."""
        async with context.unit_of_work() as uow:
            job = await uow.session.scalar(
                update(Job)
                .where(*self._held(context.job))
                .values(status="queued", lease_until=None, attempt=Job.attempt - 1, run_after=func.now())
                .returning(Job)
            )
            if job is not None:
                uow.send_job(job)
            await uow.commit()

    async def sweep(self, *, stale_after: timedelta = timedelta(seconds=10)) -> int:
        """Finds jobs whose worker died or whose message was lost, and wakes or ends them. Returns how many.

        Needs the worker role, which sees the jobs of every org.
        """
        async with self._db.unit_of_work(Tenant.none()) as uow:
            lost = await uow.session.scalars(
                select(Job)
                .where(
                    or_(
                        (Job.status == "running") & (Job.lease_until < func.now()),
                        (Job.status == "queued") & (Job.run_after < func.now()),
                    ),
                    or_(Job.swept_at.is_(None), Job.swept_at < func.now() - stale_after),
                    or_(Job.status == "running", Job.attempt > 0, Job.created_at < func.now() - stale_after),
                )
                .order_by(Job.id)
                .limit(100)
                .with_for_update(skip_locked=True)
            )
            jobs = list(lost)
            for job in jobs:
                job.swept_at = func.now()
                if job.status == "running" and job.attempt >= job.max_attempts:
                    job.status = "failed"
                    job.error_code = "worker_lost"
                    job.error_detail = "The work was interrupted several times; try again."
                    job.lease_until = None
                    job.finished_at = func.now()
                    await uow.flush()
                    await uow.set_tenant(Tenant(org_id=job.org_id, user_id=job.user_id))
                    await self._tell_failure(uow, job)
                else:
                    uow.send_job(job)
            await uow.commit()
        return len(jobs)


async def get_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """The job, when the unit of work's tenant may see it; raises NotFound."""
    job = await uow.session.get(Job, job_id)
    if job is None:
        raise NotFound
    return job


async def request_cancel(uow: UnitOfWork, job_id: UUID) -> Job:
    """Cancels a queued job, or tells a running one to stop. Raises NotFound, Conflict when it has ended."""
    job = await uow.session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound
    if job.status not in ("queued", "running"):
        raise Conflict(f"This job has already ended ({job.status}).")
    job.cancel_requested_at = func.now()
    if job.status == "queued":
        job.status = "cancelled"
        job.error_code = "cancelled"
        job.error_detail = "It was cancelled."
        job.finished_at = func.now()
    await uow.flush()
    await uow.session.refresh(job)
    return job


async def retry(uow: UnitOfWork, job_id: UUID) -> Job:
    """Queues a failed or cancelled job again with all its attempts. Raises NotFound, Conflict."""
    job = await uow.session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound
    if job.status not in ("failed", "cancelled"):
        raise Conflict(f"Only a failed or cancelled job can be retried; this one is {job.status}.")
    job.status = "queued"
    job.attempt = 0
    job.run_after = func.now()
    job.cancel_requested_at = job.finished_at = job.error_code = job.error_detail = job.result = None
    job.progress_done = job.progress_total = None
    uow.send_job(job)
    await uow.flush()
    await uow.session.refresh(job)
    return job


async def job_loop(
    runner: JobRunner[Any], fetch: Callable[[], Awaitable[UUID | None]], stop: asyncio.Event, grace_seconds: float
) -> None:
    """One lane of a worker: fetches ids and runs them until `stop`, then finishes or gives back what it holds."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            job_id = await fetch()
            if job_id is None:
                continue
            running = asyncio.create_task(runner.run(job_id))
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
    except Exception:
        log.exception("job.run_failed")
