"""The rows of jobs as use cases see them: found, cancelled, queued once more."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func

from common.db import UnitOfWork
from common.errors import Conflict, NotFound
from common.plumbing import Job


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
