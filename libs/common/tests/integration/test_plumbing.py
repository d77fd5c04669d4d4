"""Outbox, inbox and jobs on the real servers, seen through two services' schemas."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import nats
import pytest
from sqlalchemy import func, select, text

from common.bus import Bus
from common.clock import SystemClock
from common.db import Database, Tenant, UnitOfWork
from common.ids import new_id
from common.inbox import Consumer
from common.jobs import JobContext, JobFailed, JobKind, JobRunner, get_job, request_cancel, retry
from common.outbox import Relay
from common.plumbing import AggregateVersion, Job, OutboxRow
from common.worker import Worker
from contracts.gateway import OrgCreated, OrgRenamed

pytestmark = pytest.mark.integration
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def gateway_database(service_database: Any) -> Any:
    return service_database("gateway")


@pytest.fixture(scope="module")
def billing_database(service_database: Any) -> Any:
    return service_database("billing")


@pytest.fixture
async def gateway(gateway_database: Any, nats_url: Any) -> AsyncIterator[tuple[Database, Database, Bus]]:
    bus = Bus(nats_url("gateway"), service="gateway")
    await bus.connect()
    app = Database(gateway_database.app_url, service="gateway", clock=CLOCK, poke=bus.poke)
    worker = Database(gateway_database.worker_url, service="gateway", clock=CLOCK)
    yield app, worker, bus
    await app.close()
    await worker.close()
    await bus.close()


@pytest.fixture
async def billing(billing_database: Any, nats_url: Any) -> AsyncIterator[tuple[Database, Database, Bus]]:
    bus = Bus(nats_url("billing"), service="billing")
    await bus.connect()
    app = Database(billing_database.app_url, service="billing", clock=CLOCK, poke=bus.poke)
    worker = Database(billing_database.worker_url, service="billing", clock=CLOCK)
    yield app, worker, bus
    await app.close()
    await worker.close()
    await bus.close()


def org_created(org_id: UUID, version: int = 1) -> OrgCreated:
    return OrgCreated(
        org_id=org_id,
        version=version,
        name="Northwind",
        personal=False,
        owner_user_id=new_id(),
        created_at=datetime.now(UTC),
    )


async def eventually(check: Any, seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        if value := await check():
            return value
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        await asyncio.sleep(0.02)


class TestOutboxToInbox:
    async def test_a_committed_event_has_its_effect_once_and_in_order(self, gateway: Any, billing: Any) -> None:
        app, worker, bus = gateway
        _, billing_worker, billing_bus = billing
        seen: list[tuple[UUID, str, int]] = []

        async def on_created(uow: UnitOfWork, event: OrgCreated, deps: str) -> None:
            seen.append((event.org_id, deps, event.version))

        async def on_renamed(uow: UnitOfWork, event: OrgRenamed, deps: str) -> None:
            seen.append((event.org_id, deps, event.version))

        stop = asyncio.Event()
        consumer = Consumer(billing_worker, billing_bus, {OrgCreated: on_created, OrgRenamed: on_renamed}, "deps")
        tasks = [asyncio.create_task(Relay(worker, bus).run(stop)), asyncio.create_task(consumer.run(stop))]
        org = new_id()
        late = OrgRenamed(org_id=org, version=3, name="C")
        try:
            async with app.unit_of_work(Tenant(org_id=org)) as uow:
                uow.publish(org_created(org))
                await uow.commit()
            async with app.unit_of_work(Tenant(org_id=org)) as uow:  # the third before the second
                uow.publish(late)
                await uow.commit()
            await eventually(lambda: _gap(consumer))
            async with app.unit_of_work(Tenant(org_id=org)) as uow:
                uow.publish(OrgRenamed(org_id=org, version=2, name="B"))
                await uow.commit()
            await eventually(lambda: _length(seen, 3))
            # The same event again, as after a relay that died between sending and marking.
            async with worker.unit_of_work(Tenant.none()) as uow:
                await uow.session.execute(text("UPDATE outbox SET published_at = NULL"))
                await uow.commit()
            await asyncio.sleep(0.3)
        finally:
            stop.set()
            await asyncio.gather(*tasks)
        assert seen == [(org, "deps", 1), (org, "deps", 2), (org, "deps", 3)]
        async with billing_worker.unit_of_work(Tenant(org_id=org)) as uow:
            assert await uow.session.scalar(select(AggregateVersion.version)) == 3

    async def test_a_stale_version_has_no_effect_even_under_a_new_id(self, billing: Any) -> None:
        _, worker, bus = billing
        names: list[str] = []

        async def on_renamed(uow: UnitOfWork, event: OrgRenamed, deps: None) -> None:
            names.append(event.name)

        consumer = Consumer(worker, bus, {OrgRenamed: on_renamed}, None)
        org = new_id()
        for version, name in [(1, "A"), (2, "B"), (1, "A again"), (2, "B again"), (3, "C")]:
            await consumer.apply(OrgRenamed(org_id=org, version=version, name=name), new_id())
        assert names == ["A", "B", "C"]

    async def test_of_many_deliveries_at_once_one_has_the_effect(self, billing: Any) -> None:
        _, worker, bus = billing
        names: list[str] = []

        async def on_renamed(uow: UnitOfWork, event: OrgRenamed, deps: None) -> None:
            names.append(event.name)

        consumer = Consumer(worker, bus, {OrgRenamed: on_renamed}, None)
        event, event_id = OrgRenamed(org_id=new_id(), version=1, name="A"), new_id()
        await asyncio.gather(*(consumer.apply(event, event_id) for _ in range(8)))
        assert names == ["A"]

    async def test_nothing_is_published_that_did_not_commit(self, gateway: Any) -> None:
        app, worker, _ = gateway
        org = new_id()
        async with app.unit_of_work(Tenant(org_id=org)) as uow:
            uow.publish(org_created(org))
            await uow.flush()
        async with worker.unit_of_work(Tenant.none()) as uow:
            assert await uow.session.scalar(select(func.count()).where(OutboxRow.org_id == org)) == 0

    async def test_the_app_role_cannot_publish_for_another_org(self, gateway: Any) -> None:
        app, _, _ = gateway
        async with app.unit_of_work(Tenant(org_id=new_id())) as uow:
            uow.publish(org_created(new_id()))
            with pytest.raises(Exception, match="row-level security"):
                await uow.flush()

    async def test_what_cannot_be_parsed_is_kept_as_a_dead_letter(self, billing: Any, nats_url: Any) -> None:
        _, worker, bus = billing
        admin = await nats.connect(nats_url("admin"))
        stop = asyncio.Event()
        consuming = asyncio.create_task(Consumer(worker, bus, {}, None).run(stop))
        try:
            await admin.jetstream().publish(
                "events.gateway.org.created",
                json.dumps({"org_id": "x"}).encode(),
                headers={"ce-type": "bidwright.gateway.org.created.v1", "ce-id": str(new_id()), "Nats-Msg-Id": "bad"},
            )

            async def buried() -> Any:
                info = await admin.jetstream().stream_info("DEAD_LETTERS")
                return info.state.messages

            await eventually(buried)
            message = await admin.jetstream().get_last_msg("DEAD_LETTERS", "dead.billing.events.gateway.org.created")
            assert message.headers is not None
            assert message.headers["bidwright-reason"] == "invalid_payload"
            assert await bus.count_dead_letters() == 1
        finally:
            stop.set()
            await consuming
            await admin.close()

    async def test_a_service_may_publish_only_its_own(self, billing: Any) -> None:
        _, _, bus = billing
        with pytest.raises(nats.errors.Error):
            await bus.js.publish("events.gateway.org.created", b"{}")


async def _gap(consumer: Consumer) -> bool:
    return bool(consumer.gaps)


async def _length(values: list[Any], length: int) -> bool:
    return len(values) >= length


async def enqueue(db: Database, org: UUID, *, kind: str = "count", inline: bool = True, attempts: int = 3) -> UUID:
    async with db.unit_of_work(Tenant(org_id=org)) as uow:
        job = uow.enqueue(kind, {"n": 1}, org_id=org, inline=inline, max_attempts=attempts)
        await uow.commit()
    return job.id


class TestJobRunner:
    async def test_of_many_at_once_exactly_one_runs_the_job(self, billing: Any) -> None:
        app, worker, _ = billing
        ran: list[int] = []

        async def count(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            ran.append(payload["n"])
            await asyncio.sleep(0.05)
            return {"ran": len(ran)}

        runners = [JobRunner(worker, {"count": JobKind(count, 5)}, None) for _ in range(8)]
        org = new_id()
        job_id = await enqueue(app, org)
        await asyncio.gather(*(runner.run(job_id) for runner in runners))
        assert ran == [1]
        async with app.unit_of_work(Tenant(org_id=org)) as uow:
            job = await get_job(uow, job_id)
        assert (job.status, job.result, job.attempt) == ("succeeded", {"ran": 1}, 1)

    async def test_a_dead_workers_job_is_taken_over_and_its_late_end_has_no_effect(self, billing: Any) -> None:
        app, worker, _ = billing
        started, release = asyncio.Event(), asyncio.Event()
        effects: list[str] = []

        async def slow(ctx: JobContext[str], payload: dict[str, Any]) -> dict[str, Any]:
            if ctx.deps == "first":
                started.set()
                await release.wait()

            async def effect(uow: UnitOfWork) -> None:
                effects.append(ctx.deps)

            ctx.on_finish = effect
            return {"by": ctx.deps}

        kinds = {"count": JobKind(slow, 60)}
        first, second = JobRunner(worker, kinds, "first"), JobRunner(worker, kinds, "second")
        org = new_id()
        job_id = await enqueue(app, org)
        running = asyncio.create_task(first.run(job_id))
        await started.wait()
        async with worker.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
            await uow.commit()
        assert await first.sweep() >= 1
        taken = await second.run(job_id)
        release.set()
        await running
        assert taken is not None
        assert taken.result == {"by": "second"}
        assert effects == ["second"]

    async def test_a_failing_job_is_tried_again_and_ends_with_a_reason(self, billing: Any) -> None:
        app, worker, _ = billing
        told: list[str] = []

        async def crash(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            raise ValueError("no")

        async def refuse(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            raise JobFailed("unreadable", "This file cannot be read.")

        async def on_failure(uow: UnitOfWork, job: Job, deps: None) -> None:
            told.append(f"{job.kind}:{job.status}:{job.error_code}")

        runner = JobRunner(
            worker, {"crash": JobKind(crash, 5, on_failure), "refuse": JobKind(refuse, 5, on_failure)}, None
        )
        org = new_id()
        crashing = await enqueue(app, org, kind="crash", attempts=2)
        first = await runner.run(crashing)
        assert first is not None
        assert first.status == "queued"
        async with worker.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("UPDATE jobs SET run_after = now()"))
            await uow.commit()
        second = await runner.run(crashing)
        assert second is not None
        assert (second.status, second.error_code) == ("failed", "internal_error")
        refused = await runner.run(await enqueue(app, org, kind="refuse"))
        assert refused is not None
        assert (refused.status, refused.error_detail) == ("failed", "This file cannot be read.")
        assert told == ["crash:failed:internal_error", "refuse:failed:unreadable"]

        async with app.unit_of_work(Tenant(org_id=org)) as uow:
            assert (await retry(uow, refused.id)).status == "queued"
            await uow.commit()

    async def test_a_running_job_stops_when_it_is_cancelled(self, billing: Any) -> None:
        app, worker, _ = billing
        started = asyncio.Event()

        async def endless(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            started.set()
            await asyncio.sleep(60)
            return {}

        org = new_id()
        job_id = await enqueue(app, org)
        running = asyncio.create_task(JobRunner(worker, {"count": JobKind(endless, 90)}, None).run(job_id))
        await started.wait()
        async with app.unit_of_work(Tenant(org_id=org)) as uow:
            await request_cancel(uow, job_id)
            await uow.commit()
        job = await running
        assert job is not None
        assert (job.status, job.error_code) == ("cancelled", "cancelled")

    async def test_another_orgs_job_is_not_there(self, billing: Any) -> None:
        app, worker, _ = billing
        job_id = await enqueue(app, new_id())
        async with app.unit_of_work(Tenant(org_id=new_id())) as uow:
            assert await uow.session.get(Job, job_id) is None
        async with worker.unit_of_work(Tenant.none()) as uow:
            assert await uow.session.get(Job, job_id) is not None

    async def test_a_job_given_back_by_a_stopping_worker_is_queued_again(self, billing: Any) -> None:
        app, worker, _ = billing
        started = asyncio.Event()

        async def endless(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            started.set()
            await asyncio.sleep(60)
            return {}

        org = new_id()
        job_id = await enqueue(app, org)
        running = asyncio.create_task(JobRunner(worker, {"count": JobKind(endless, 90)}, None).run(job_id))
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        async with app.unit_of_work(Tenant(org_id=org)) as uow:
            job = await get_job(uow, job_id)
        assert (job.status, job.attempt) == ("queued", 0)


class TestWorker:
    async def test_a_queued_job_is_run_and_sigterm_stops_in_order(
        self, billing_database: Any, nats_url: Any, unused_tcp_port: int
    ) -> None:
        async def count(ctx: JobContext[None], payload: dict[str, Any]) -> dict[str, Any]:
            return {"n": payload["n"]}

        bus = Bus(nats_url("billing"), service="billing")
        db = Database(billing_database.worker_url, service="billing", clock=CLOCK, poke=bus.poke)
        worker = Worker(
            service="billing", db=db, bus=bus, deps=None, event_handlers={}, job_kinds={"count": JobKind(count, 5)}
        )
        running = asyncio.create_task(worker.run(host="127.0.0.1", port=unused_tcp_port, grace_seconds=2))
        org = new_id()
        job_id = await enqueue(db, org, inline=False)

        async def done() -> bool:
            async with db.unit_of_work(Tenant(org_id=org)) as uow:
                return (await get_job(uow, job_id)).status == "succeeded"

        await eventually(done)
        started = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        assert time.monotonic() - started < 5
        await db.close()
        await bus.close()
