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
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import structlog
from opentelemetry import trace
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import func, or_, select, update

from common.db import Database, Tenant
from common.job_kinds import JobContext as JobContext
from common.job_kinds import JobFailed as JobFailed
from common.job_kinds import JobKind as JobKind
from common.job_kinds import LeaseLost as LeaseLost
from common.job_rows import get_job as get_job
from common.job_rows import request_cancel as request_cancel
from common.job_rows import retry as retry
from common.leases import Lease, Leases
from common.metrics import job_ended
from common.plumbing import LEASE, Job
from common.telemetry import continue_trace, get_logger, messaging_attributes, tracer

D = TypeVar("D")

RETRY_BACK_OFF_SECONDS: Final = (1.0, 5.0, 30.0, 120.0)
SETTLED: Final = {"settled": True}
"""The result of a job whose failure had an effect of its own (`on_failure`): what it was asked for has ended with it,
and running the job alone once more would not bring that back. Whoever asked asks again."""

log = get_logger()

_CLAIM: Final = """
UPDATE jobs SET status = 'running', attempt = attempt + 1, worker = %(worker)s, lease_until = now() + %(lease)s,
    started_at = coalesce(started_at, now())
WHERE id = %(id)s AND attempt < max_attempts
    AND (status = 'queued' AND run_after <= now() OR status = 'running' AND lease_until < now())
RETURNING *, started_at = now() AS is_first
"""
_END: Final = """
UPDATE jobs SET status = %(status)s, result = %(result)s, error_code = %(error_code)s, error_detail = %(error_detail)s,
    lease_until = NULL, finished_at = now()
WHERE id = %(id)s AND status = 'running' AND worker = %(worker)s AND attempt = %(attempt)s
RETURNING created_at, started_at, finished_at
"""


class JobRunner(Generic[D]):
    """Claims and runs jobs of one service, in a worker or, inline, in the API process.

    Args:
        tell: called after the commit in which a job began, went back to the queue, or ended; must not raise.
    """

    def __init__(
        self,
        db: Database,
        kinds: Mapping[str, JobKind[D]],
        deps: D,
        *,
        tell: Callable[[Job], Awaitable[None]] | None = None,
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._deps = deps
        self._tell = tell
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        """What stands in the rows of the jobs that it holds."""
        self._leases = Leases(db, self.name)
        self._inline: set[asyncio.Task[Job | None]] = set()

    async def run(
        self, job_id: UUID, *, tenant: Tenant | None = None, headers: Mapping[str, str] | None = None
    ) -> Job | None:
        """Claims the job and runs one attempt of it; None when there is nothing to claim. `headers` are those of the
        message that told of it: their trace goes on.

        Cancelling the task (a worker that stops) gives the job back to the queue.
        """
        scope = tenant or Tenant.none()
        claimed = await self._claim(job_id, scope)
        if claimed is None:
            return None
        job, is_first = claimed
        await self._told(job)
        return await self._run(JobContext(job, self._deps, self._db, is_first=is_first), scope, headers)

    async def run_inline(self, job_id: UUID, tenant: Tenant) -> Job:
        """Runs the job here and now, and returns it as it is then; it goes on should the caller go away."""
        ended = await self._to_its_end(self.run(job_id, tenant=tenant))
        return ended or await self._read(job_id, tenant)

    async def run_held(self, job: Job, tenant: Tenant) -> JobContext[D]:
        """The same for a job that was enqueued as held by this runner; the context has the job as it is then, and what
        it left as its outcome."""
        context = JobContext(job, self._deps, self._db, is_first=True, is_awaited=True)
        ended = await self._to_its_end(self._run(context, tenant, None))
        context.job = ended or await self._read(job.id, tenant)
        return context

    async def _to_its_end(self, running: Coroutine[Any, Any, Job | None]) -> Job | None:
        task = asyncio.create_task(running)
        self._inline.add(task)
        task.add_done_callback(self._inline.discard)
        return await asyncio.shield(task)

    async def _read(self, job_id: UUID, tenant: Tenant) -> Job:
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

    async def _claim(self, job_id: UUID, scope: Tenant) -> tuple[Job, bool] | None:
        async with self._db.direct.transaction(scope) as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_CLAIM, {"id": job_id, "worker": self.name, "lease": LEASE})
            row = await cursor.fetchone()
        if row is None:
            return None
        # A column that only newer code knows is left alone: old processes run on while a migration is out.
        return Job(**{column.name: row[column.name] for column in Job.__table__.columns}), bool(row["is_first"])

    async def _run(self, context: JobContext[D], scope: Tenant, headers: Mapping[str, str] | None) -> Job | None:
        job = context.job
        subject = f"jobs.{self._db.service}.{job.kind}"
        with (
            tracer.start_as_current_span(
                f"process {subject}",
                context=continue_trace(headers) if headers else None,
                kind=trace.SpanKind.CONSUMER if headers else trace.SpanKind.INTERNAL,
                attributes=messaging_attributes("process", subject),
            ),
            structlog.contextvars.bound_contextvars(**({"org_id": str(job.org_id)} if job.org_id else {})),
        ):
            return await self._attempt(context, scope)

    async def _attempt(self, context: JobContext[D], scope: Tenant) -> Job | None:
        job = context.job
        kind = self._kinds.get(job.kind)
        if kind is None:
            return await self._end(context, "failed", code="unknown_job", detail=f"No such job: {job.kind}.")
        work = asyncio.ensure_future(kind.run(context, job.payload))
        lease = Lease(job.id, job.attempt, scope, work, cancelled=context.cancelled)
        try:
            with self._leases.keep(lease):
                async with asyncio.timeout(kind.timeout_seconds):
                    result = await work
            return await self._end(context, "succeeded", result=result)
        except JobFailed as error:
            return await self._end(context, "failed", code=error.code, detail=error.detail)
        except TimeoutError:
            return await self._retry_or_fail(context, "timed_out", "It took too long and was stopped.")
        except LeaseLost:
            _log_lost(job)
            return None
        except asyncio.CancelledError:
            if context.cancelled.is_set():
                return await self._end(context, "cancelled", code="cancelled", detail="It was cancelled.")
            if lease.lost:
                _log_lost(job)
                return None
            await asyncio.shield(self._give_back(context))
            raise
        except Exception as error:
            log.exception("job.attempt_failed", job_id=str(job.id), kind=job.kind, attempt=job.attempt)
            return await self._retry_or_fail(
                context, "internal_error", f"Something went wrong on our side ({type(error).__name__}); try again."
            )
        finally:
            work.cancel()

    def _held(self, job: Job) -> tuple[Any, ...]:
        return (Job.id == job.id, Job.status == "running", Job.worker == self.name, Job.attempt == job.attempt)

    async def _end(
        self,
        context: JobContext[D],
        status: str,
        *,
        result: dict[str, Any] | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> Job | None:
        job, kind = context.job, self._kinds.get(context.job.kind)
        settles = status != "succeeded" and kind is not None and kind.on_failure is not None
        ending = {"status": status, "result": dict(SETTLED) if settles else result}
        ending |= {"error_code": code, "error_detail": detail}
        parameters = ending | {"id": job.id, "worker": self.name, "attempt": job.attempt}
        parameters["result"] = None if ending["result"] is None else Jsonb(ending["result"])
        async with context.unit_of_work() as uow:
            found = await uow.sql(_END, parameters)
            if not found:
                _log_lost(job)
                return None
            job.created_at, job.started_at, job.finished_at = found[0]
            for name, value in ending.items():
                setattr(job, name, value)
            job.lease_until = None
            if status == "succeeded" and context.on_finish is not None:
                await context.on_finish(uow)
            elif settles and kind is not None and kind.on_failure is not None:
                await kind.on_failure(uow, job, self._deps)
            await uow.commit()
        job_ended(self._db.service, job)
        log.info("job.ended", job_id=str(job.id), kind=job.kind, status=status, error_code=code)
        await self._told(job)
        return job

    async def _told(self, job: Job) -> None:
        if self._tell is not None:
            await self._tell(job)

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
        if waiting is not None:
            await self._told(waiting)
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
        if job is not None:
            await self._told(job)

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
            jobs, ended = list(lost), []
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
                    kind = self._kinds.get(job.kind)
                    if kind is not None and kind.on_failure is not None:
                        await kind.on_failure(uow, job, self._deps)
                        job.result = dict(SETTLED)
                    ended.append(job)
                else:
                    uow.send_job(job)
            await uow.commit()
        for job in ended:
            job_ended(self._db.service, job)
            await self._told(job)
        return len(jobs)


def _log_lost(job: Job) -> None:
    log.warning("job.lease_lost", job_id=str(job.id), kind=job.kind)
