"""Jobs: listed, and queued again."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from common.db import Database, Tenant, UnitOfWork
from common.ids import new_id
from common.jobs import JobContext, JobFailed, JobKind, JobRunner
from common.operate import jobs
from common.plumbing import Job, OutboxRow

from .parts import CLOCK, Billing, Command

pytestmark = pytest.mark.integration


class TestJobs:
    async def failed(self, billing: Billing, *, settled: bool = False) -> UUID:
        """A job that failed for good; `settled` when that had an effect of its own."""

        async def give_up(_context: JobContext[None], _payload: dict[str, Any]) -> dict[str, Any]:
            raise JobFailed("no_route", "The mail server refused it.")

        async def told(_uow: UnitOfWork, _job: Job, _deps: None) -> None:
            return

        async with billing.database.unit_of_work(Tenant(org_id=new_id())) as uow:
            job = uow.enqueue("count", {}, org_id=new_id(), inline=True)
            await uow.commit()
        kind = JobKind(give_up, 5, told if settled else None)
        await JobRunner(billing.database, {"count": kind}, None).run(job.id)
        return job.id

    async def messages(self, billing: Billing, job_id: UUID) -> int:
        async with billing.database.unit_of_work(Tenant.none()) as uow:
            query = select(func.count()).where(OutboxRow.body["job_id"].astext == str(job_id))
            return await uow.session.scalar(query) or 0

    async def test_a_failed_job_is_listed_with_its_reason(self, operate: Command, billing: Billing) -> None:
        job_id = await self.failed(billing)
        found = await operate.items("jobs", "list", "--state", "failed", "--service", "billing")
        (item,) = [item for item in found if item["id"] == str(job_id)]
        assert (item["error_code"], item["kind"], item["retry"]) == ("no_route", "count", True)
        assert str(job_id) not in str(await operate.items("jobs", "list", "--state", "queued"))
        assert str(job_id) not in str(await operate.items("jobs", "list", "--service", "gateway"))

    async def test_of_many_operators_at_once_one_queues_it_and_it_runs_once_more(
        self, operate: Command, billing: Billing
    ) -> None:
        job_id = await self.failed(billing)
        assert (await operate.run("jobs", "retry", str(job_id), "--dry-run"))[0] == 0
        assert await self.messages(billing, job_id) == 0
        done = await asyncio.gather(*(operate.run("jobs", "retry", str(job_id)) for _ in range(4)))
        assert sorted(code for code, _ in done) == [0, 1, 1, 1], done
        assert await self.messages(billing, job_id) == 1

        ran: list[int] = []

        async def work(_context: JobContext[None], _payload: dict[str, Any]) -> dict[str, Any]:
            ran.append(1)
            return {}

        runner = JobRunner(billing.database, {"count": JobKind(work, 5)}, None)
        await asyncio.gather(runner.run(job_id), runner.run(job_id))
        assert ran == [1]
        code, said = await operate.run("jobs", "retry", str(job_id))
        assert (code, "is succeeded" in said) == (1, True)

    async def test_operators_who_both_see_it_failed_queue_it_once(self, urls: Any, billing: Billing) -> None:
        job_id = await self.failed(billing)
        url = urls["billing"].worker_url
        operators = [Database(url, service="billing", clock=CLOCK, pool_size=1) for _ in range(6)]
        async with billing.database.unit_of_work(Tenant.none()) as uow:
            await uow.session.get(Job, job_id, with_for_update=True)  # so that all of them come to the same row at once
            retrying = [
                asyncio.create_task(jobs.retry_one({"billing": operator}, job_id, dry_run=False))
                for operator in operators
            ]
            await asyncio.sleep(0.5)
            await uow.commit()
        codes = await asyncio.gather(*retrying)
        for operator in operators:
            await operator.close()
        assert sorted(codes) == [0, 1, 1, 1, 1, 1]
        assert await self.messages(billing, job_id) == 1

    async def test_one_whose_failure_was_told_is_left_to_who_asked_for_it(
        self, operate: Command, billing: Billing
    ) -> None:
        settled, other = await self.failed(billing, settled=True), await self.failed(billing)
        code, said = await operate.run("jobs", "retry", str(settled))
        assert (code, "can ask again" in said) == (1, True)
        code, said = await operate.run("jobs", "retry", "--failed", "--service", "billing")
        assert (code, "left alone" in said) == (0, True)
        assert await self.messages(billing, settled) == 0
        assert await self.messages(billing, other) == 1

    async def test_a_workers_container_needs_no_other_address(self, urls: Any, billing: Billing) -> None:
        job_id = await self.failed(billing)
        command = Command({"DATABASE_URL": urls["billing"].worker_url})
        assert str(job_id) in str(await command.items("jobs", "list", "--state", "failed"))
        code, said = await Command({"DATABASE_URL": urls["billing"].app_url}).run("jobs", "list")
        assert (code, "_WORKER_DATABASE_URL" in said) == (2, True)
