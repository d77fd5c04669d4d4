"""The jobs of the services: which there are, and those that failed once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import Database, Tenant
from common.errors import Conflict, NotFound
from common.jobs import SETTLED, retry
from common.operate.output import say, say_json
from common.plumbing import Job

STATES = ("queued", "running", "succeeded", "failed", "cancelled")


async def show_list(
    databases: Mapping[str, Database], *, state: str | None, kind: str | None, limit: int, as_json: bool
) -> int:
    """Prints the latest jobs."""
    found = [
        (service, job) for service in databases for job in await _latest(databases[service], state, kind, limit=limit)
    ]
    found = sorted(found, key=lambda one: one[1].created_at, reverse=True)[:limit]
    if as_json:
        say_json({"items": [_summary(service, job) for service, job in found]})
        return 0
    now = datetime.now(UTC)
    for service, job in found:
        age = int((now - job.created_at).total_seconds())
        why = f"  {job.error_code}: {job.error_detail}" if job.error_code else ""
        tried = f"{job.attempt}/{job.max_attempts}"
        say(f"{job.id}  {service:<8} {job.kind:<16} {job.status:<9} {tried:>5}  {age} s ago{why}")
    say(f"{len(found)} jobs" + (f"; there may be more than --limit {limit}" if len(found) == limit else ""))
    return 0


async def retry_one(databases: Mapping[str, Database], job_id: UUID, *, dry_run: bool) -> int:
    """Queues a failed job again; 1 when there is none of that id, or it is in no state for it."""
    for service, database in databases.items():
        async with database.unit_of_work(Tenant.none()) as uow:
            job = await uow.session.get(Job, job_id)
        if job is not None:
            return 0 if await _retry(service, database, job, dry_run=dry_run) else 1
    say(f"{job_id}  no job of {', '.join(databases)} has this id")
    return 1


async def retry_failed(databases: Mapping[str, Database], *, kind: str | None, dry_run: bool) -> int:
    """Queues every failed job again that may be; what another operator is faster with is not our failure."""
    queued = settled = 0
    for service, database in databases.items():
        for job in reversed(await _latest(database, "failed", kind, limit=None)):
            if job.result == SETTLED:
                settled += 1
            else:
                queued += await _retry(service, database, job, dry_run=dry_run)
    say(f"{queued} {'would be ' if dry_run else ''}queued again")
    if settled:
        say(f"{settled} left alone: their failure was told, and whoever asked for them can ask again")
    if dry_run:
        say("dry run: nothing was changed")
    return 0


async def _retry(service: str, database: Database, job: Job, *, dry_run: bool) -> bool:
    refusal = _refusal(job)
    if refusal is None and not dry_run:
        async with database.unit_of_work(Tenant.none()) as uow:
            try:
                # Looks again, with the row locked: of two operators the second finds it queued.
                await retry(uow, job.id)
                await uow.commit()
            except NotFound:
                refusal = "is there no more"
            except Conflict as conflict:
                refusal = str(conflict)
    what = refusal or ("would be queued again" if dry_run else "queued again")
    say(f"{job.id}  {service:<8} {job.kind:<16} {what}")
    return refusal is None


def _refusal(job: Job) -> str | None:
    if job.status == "cancelled":
        return "was cancelled; whoever asked for it can ask again"
    if job.status != "failed":
        return f"is {job.status}; only a failed job is queued again"
    if job.result == SETTLED:
        return "its failure was told, and whoever asked for it can ask again"
    return None


async def _latest(database: Database, state: str | None, kind: str | None, *, limit: int | None) -> Sequence[Job]:
    query = select(Job).order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Job.status == state)
    if kind is not None:
        query = query.where(Job.kind == kind)
    async with database.unit_of_work(Tenant.none()) as uow:
        return (await uow.session.scalars(query)).all()


def _summary(service: str, job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "service": service,
        "kind": job.kind,
        "state": job.status,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "org_id": job.org_id,
        "user_id": job.user_id,
        "error_code": job.error_code,
        "error_detail": job.error_detail,
        "retry": _refusal(job) is None,
        "created_at": job.created_at.isoformat(),
        "run_after": job.run_after.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }
