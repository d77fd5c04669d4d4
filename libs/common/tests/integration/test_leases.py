"""A job that runs keeps its lease, however busy its process is, and is told when it has lost it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from common import jobs, leases
from common.clock import SystemClock
from common.db import Database, Tenant
from common.ids import new_id
from common.jobs import JobContext, JobKind, JobRunner, get_job
from common.plumbing import Job
from devstack.pytest_plugin import DatabaseFactory

pytestmark = pytest.mark.integration

MANY = 100
POOL = 3
SHORT = timedelta(seconds=3)


@pytest.fixture(scope="module")
def url(service_database: DatabaseFactory) -> str:
    return service_database("billing").worker_url


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    found = Database(url, service="billing", clock=SystemClock(), pool_size=POOL)
    yield found
    await found.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[Database]:
    """Another process's."""
    found = Database(url, service="billing", clock=SystemClock())
    yield found
    await found.close()


async def queued(db: Database, org_id: UUID, count: int) -> list[UUID]:
    async with db.unit_of_work(Tenant(org_id=org_id)) as uow:
        found = [uow.enqueue("slow", {}, org_id=org_id, inline=True).id for _ in range(count)]
        await uow.commit()
    return found


async def test_a_hundred_jobs_keep_theirs_while_every_connection_of_the_pool_is_taken(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", SHORT)
    monkeypatch.setattr(jobs, "LEASE", SHORT)
    ran: Counter[UUID] = Counter()
    release = asyncio.Event()

    async def slow(context: JobContext[None], _payload: dict[str, Any]) -> dict[str, Any]:
        ran[context.job.id] += 1
        await release.wait()
        return {}

    async def hold() -> None:
        async with db.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("SELECT pg_sleep(5)"))

    runner = JobRunner(db, {"slow": JobKind(slow, 60)}, None)
    org_id = new_id()
    ids = await queued(db, org_id, MANY)
    running = [asyncio.create_task(runner.run(job_id)) for job_id in ids]
    while len(ran) < MANY:  # noqa: ASYNC110  # every job has begun
        await asyncio.sleep(0.01)
    holding = [asyncio.create_task(hold()) for _ in range(POOL)]  # for longer than a lease
    await asyncio.sleep(4.5)
    assert await JobRunner(other, {}, None).sweep() == 0, "a lease ran out"
    await asyncio.gather(*holding)
    release.set()
    ended = await asyncio.gather(*running)
    assert [job.status if job else None for job in ended] == ["succeeded"] * MANY
    assert set(ran.values()) == {1}


async def test_one_that_was_taken_over_is_told_and_leaves_the_others_alone(db: Database) -> None:
    stopped: set[UUID] = set()
    release = asyncio.Event()

    async def slow(context: JobContext[None], _payload: dict[str, Any]) -> dict[str, Any]:
        try:
            await release.wait()
        except asyncio.CancelledError:
            stopped.add(context.job.id)
            raise
        return {}

    runner = JobRunner(db, {"slow": JobKind(slow, 60)}, None)
    org_id = new_id()
    taken, kept = await queued(db, org_id, 2)
    running = [asyncio.create_task(runner.run(job_id)) for job_id in (taken, kept)]
    await asyncio.sleep(0.2)
    async with db.unit_of_work(Tenant.none()) as uow:
        await uow.session.execute(update(Job).where(Job.id == taken).values(worker="another", attempt=2))
        await uow.commit()
    async with asyncio.timeout(10):
        assert await running[0] is None
    release.set()
    assert (await running[1]) is not None
    assert stopped == {taken}
    async with db.unit_of_work(Tenant(org_id=org_id)) as uow:
        assert (await get_job(uow, taken)).status == "running", "the other worker's"


async def test_a_held_job_is_run_without_a_claim_and_taken_over_when_its_process_dies(db: Database) -> None:
    async def leave(context: JobContext[None], _payload: dict[str, Any]) -> dict[str, Any]:
        context.outcome = "left"
        return {"attempt": context.job.attempt, "first": context.is_first}

    runner = JobRunner(db, {"slow": JobKind(leave, 60)}, None)
    tenant = Tenant(org_id=new_id())
    async with db.unit_of_work(tenant) as uow:
        run, died = (uow.enqueue("slow", {}, org_id=tenant.org_id, held_by=runner.name) for _ in range(2))
        await uow.commit()
    assert await runner.run(run.id) is None, "it is held"
    done = await runner.run_held(run, tenant)
    assert (done.job.status, done.job.result, done.outcome) == ("succeeded", {"attempt": 1, "first": True}, "left")
    async with db.unit_of_work(Tenant.none()) as uow:
        await uow.session.execute(
            text("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = :id"), {"id": died.id}
        )
        await uow.commit()
    assert await runner.sweep() == 1
    again = await runner.run(died.id)
    assert again is not None
    assert (again.status, again.result) == ("succeeded", {"attempt": 2, "first": False})
