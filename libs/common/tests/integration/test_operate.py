"""What an operator does by hand, on the real servers: the command as its own process, beside the workers' parts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.js import JetStreamContext
from sqlalchemy import func, select

from common import inbox
from common.bus import DEAD_LETTERS_STREAM, EVENTS_STREAM, REPLAY, Bus
from common.clock import SystemClock
from common.db import Database, Tenant, UnitOfWork
from common.ids import new_id
from common.inbox import Consumer
from common.jobs import JobContext, JobFailed, JobKind, JobRunner
from common.operate import dead, jobs, letters
from common.outbox import Relay
from common.plumbing import Job, OutboxRow
from common.provision import ensure_streams
from contracts.gateway import OrgCreated, OrgRenamed

pytestmark = pytest.mark.integration
CLOCK = SystemClock()


@dataclass
class Command:
    """The command with a stack's addresses."""

    env: dict[str, str]

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        argv = (sys.executable, "-m", "common.operate", *words)
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe, env={**os.environ, **self.env})

    async def run(self, *words: str) -> tuple[int, str]:
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, (out + err).decode()

    async def items(self, *words: str) -> list[dict[str, Any]]:
        code, said = await self.run(*words, "--json")
        assert code == 0, said
        found: list[dict[str, Any]] = json.loads(said)["items"]
        return found


@pytest.fixture(scope="module")
def urls(service_database: Any) -> dict[str, Any]:
    return {service: service_database(service) for service in ("gateway", "billing")}


@pytest.fixture
def operate(urls: dict[str, Any], nats_url: Any) -> Command:
    rows = {f"{service.upper()}_WORKER_DATABASE_URL": found.worker_url for service, found in urls.items()}
    return Command({**rows, "PROVISION_NATS_URL": nats_url("admin")})


@pytest.fixture
async def gateway(urls: Any, nats_url: Any) -> AsyncIterator[Database]:
    """The gateway's rows, and its relay, which sends them."""
    bus = Bus(nats_url("gateway"), service="gateway")
    await bus.connect()
    database = Database(urls["gateway"].worker_url, service="gateway", clock=CLOCK, poke=bus.poke)
    stop = asyncio.Event()
    relay = asyncio.create_task(Relay(database, bus).run(stop))
    yield database
    stop.set()
    await relay
    await database.close()
    await bus.close()


@dataclass
class Billing:
    """Billing's consumer with a handler that may be broken, and what came of each event."""

    database: Database
    bus: Bus
    consumer: Consumer
    names: list[str]
    broken: set[str]
    failures: list[str]


@pytest.fixture
async def billing(urls: Any, nats_url: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Billing]:
    monkeypatch.setattr(inbox, "BACK_OFF_SECONDS", (0.01,))
    bus = Bus(nats_url("billing"), service="billing")
    await bus.connect()
    database = Database(urls["billing"].worker_url, service="billing", clock=CLOCK)

    async def on_renamed(_uow: UnitOfWork, event: OrgRenamed, deps: Billing) -> None:
        if event.name in deps.broken:
            deps.failures.append(event.name)
            raise LookupError(f"no plan for {event.name}")
        deps.names.append(event.name)

    found = Billing(database, bus, None, [], set(), [])  # type: ignore[arg-type]  # its consumer needs it first
    found.consumer = Consumer(database, bus, {OrgRenamed: on_renamed}, found)
    stop = asyncio.Event()
    consuming = asyncio.create_task(found.consumer.run(stop))
    yield found
    stop.set()
    await consuming
    await database.close()
    await bus.close()


@pytest.fixture
async def js(nats_url: Any) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(nats_url("admin"))
    found = client.jetstream()
    await found.purge_stream(DEAD_LETTERS_STREAM)
    yield found
    await client.close()


async def publish(database: Database, *events: OrgCreated | OrgRenamed) -> list[UUID]:
    async with database.unit_of_work(Tenant(org_id=events[0].org_id)) as uow:
        ids = [uow.publish(event) for event in events]
        await uow.commit()
    return ids


def created(org: UUID) -> OrgCreated:
    return OrgCreated(
        org_id=org, version=1, name="A", personal=False, owner_user_id=new_id(), created_at=datetime.now(UTC)
    )


async def until(check: Any, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


async def parked(js: JetStreamContext, count: int = 1) -> list[letters.Letter]:
    async def enough() -> bool:
        return len(await letters.read(js, "billing")) >= count

    await until(enough)
    return await letters.read(js, "billing")


class TestDeadLetters:
    async def test_a_poisoned_event_is_shown_and_after_the_mending_applied_once_with_those_that_waited_for_it(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        ids = await publish(
            gateway,
            created(org),
            OrgRenamed(org_id=org, version=2, name="B"),
            OrgRenamed(org_id=org, version=3, name="C"),
        )
        await parked(js)
        assert billing.failures == ["B"] * inbox.MAX_ATTEMPTS

        (item,) = await operate.items("events", "dead", "list", "--service", "billing")
        assert item["event_id"] == str(ids[1])
        assert (item["reason"], item["subject"]) == ("handler_failed", "events.gateway.org.renamed")
        assert "no plan for B" in item["detail"]
        code, said = await operate.run("events", "dead", "show", str(item["id"]))
        assert (code, json.loads(said)["body"]["name"]) == (0, "B")

        billing.broken.clear()
        code, said = await operate.run("events", "dead", "replay", str(item["id"]), "--dry-run")
        assert (code, billing.names) == (0, [])
        code, said = await operate.run("events", "dead", "replay", str(item["id"]))
        assert code == 0, said
        assert "billing: applied" in said

        async def both() -> bool:
            return billing.names == ["B", "C"]

        await until(both)
        assert await operate.items("events", "dead", "list") == []
        code, said = await operate.run("events", "dead", "replay", str(item["id"]))
        assert (code, f"no dead letter {item['id']}" in said) == (1, True)

    async def test_what_is_still_broken_is_given_up_again_and_can_be_replayed_again(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (first,) = await parked(js)
        code, said = await operate.run("events", "dead", "replay", "--all")
        (second,) = await letters.read(js, "billing")
        assert (code, f"given up again as {second.id} (handler_failed)" in said) == (1, True)
        assert (second.subject, second.headers["ce-id"]) == (first.subject, first.headers["ce-id"])
        billing.broken.clear()
        code, said = await operate.run("events", "dead", "replay", second.headers["ce-id"])
        assert (code, billing.names) == (0, ["B"])

    async def test_of_many_replays_at_once_one_has_the_effect(
        self, gateway: Database, billing: Billing, js: JetStreamContext, nats_url: Any
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (letter,) = await parked(js)
        billing.broken.clear()
        clients = [await nats.connect(nats_url("admin")) for _ in range(8)]
        before = (await js.stream_info(EVENTS_STREAM)).state.messages
        handed = await asyncio.gather(*(letters.hand_over(client.jetstream(), letter.id) for client in clients))
        for client in clients:
            await client.close()
        assert handed.count(True) == 1
        assert (await js.stream_info(EVENTS_STREAM)).state.messages == before + 1

        async def applied() -> bool:
            return billing.names != []

        await until(applied)
        await asyncio.sleep(0.3)
        assert billing.names == ["B"]
        assert await letters.read(js, None) == []

    async def test_one_that_was_killed_before_it_removed_the_letter_is_made_good_by_the_next(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (listed,) = await parked(js)
        letter = await letters.get(js, listed.id)
        assert letter is not None
        billing.broken.clear()
        # What it had done; so long ago that NATS does not know the message's id any more.
        headers = {name: value for name, value in letter.headers.items() if name.startswith("ce-")}
        await js.publish(f"{REPLAY}.billing.{letter.subject}", letter.data, headers=headers)
        code, said = await operate.run("events", "dead", "replay", str(letter.id))
        assert code == 0, said
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="last"))

        async def last() -> bool:
            return "last" in billing.names

        await until(last)
        assert billing.names == ["B", "last"]
        assert await letters.read(js, None) == []

    async def test_what_was_applied_meanwhile_changes_nothing(
        self, gateway: Database, billing: Billing, js: JetStreamContext, capsys: pytest.CaptureFixture[str]
    ) -> None:
        org, event = new_id(), OrgRenamed(org_id=new_id(), version=1, name="B")
        billing.broken.add("B")
        (event_id,) = await publish(gateway, event)
        (letter,) = await parked(js)
        billing.broken.clear()
        await billing.consumer.apply(event, event_id)
        code = await dead.replay(
            js, {"billing": billing.database}, given=str(letter.id), service=None, dry_run=False, wait_seconds=5
        )
        assert (code, "was applied before" in capsys.readouterr().out) == (0, True)
        # A later one of the same service has been through the same consumer, so the replay has too.
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="last"))

        async def last() -> bool:
            return "last" in billing.names

        await until(last)
        assert billing.names == ["B", "last"]

    async def test_waiting_for_an_earlier_event_does_not_use_up_an_events_attempts(
        self, gateway: Database, billing: Billing, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inbox, "GAP_RETRY_SECONDS", 0.01)
        org = new_id()
        billing.broken.add("C")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=3, name="C"))

        async def waited() -> bool:
            return sum(billing.consumer._waited.values()) > inbox.MAX_ATTEMPTS

        await until(waited)
        await publish(gateway, OrgRenamed(org_id=org, version=2, name="B"))
        await parked(js)
        assert billing.failures == ["C"] * inbox.MAX_ATTEMPTS
        assert billing.names == ["B"]

    async def test_no_service_may_replay_to_another_or_read_anothers(self, billing: Billing) -> None:
        with pytest.raises(nats.errors.Error):
            await billing.bus.js.publish(f"{REPLAY}.gateway.events.billing.org.erased", b"{}")
        with pytest.raises(nats.errors.Error):
            await letters.read(billing.bus.js, None)


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


class TestTail:
    async def test_shows_what_was_and_what_comes(self, operate: Command, gateway: Database) -> None:
        org = new_id()
        (first,) = await publish(gateway, created(org))
        process = await operate.start("events", "tail", "gateway.org", "--since", "1h", "--json")
        assert process.stdout is not None

        async def read(event_id: UUID) -> dict[str, Any]:
            assert process.stdout is not None
            while True:
                found: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 15))
                if found["headers"]["ce-id"] == str(event_id):
                    return found

        try:
            assert (await read(first))["subject"] == "events.gateway.org.created"
            (second,) = await publish(gateway, OrgRenamed(org_id=org, version=2, name="B"))
            assert (await read(second))["body"]["name"] == "B"
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = await asyncio.wait_for(process.communicate(), 15)
        assert (process.returncode, complaints) == (0, b"")
        code, said = await operate.run(
            "events", "tail", "--since", "1h", "--no-follow", "--type", "bidwright.gateway.org.renamed.v1"
        )
        assert (code, str(second) in said, str(first) in said) == (0, True, False)
        assert str(second) not in (await operate.run("events", "tail", "billing", "--since", "1h", "--no-follow"))[1]


class TestRebuild:
    async def test_a_stream_that_was_lost_has_the_events_again_and_no_effect_comes_twice(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext, nats_url: Any
    ) -> None:
        org = new_id()
        ids = await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="before"))

        async def applied() -> bool:
            return "before" in billing.names

        await until(applied)
        await js.delete_stream(EVENTS_STREAM)
        await ensure_streams(nats_url("admin"))
        code, said = await operate.run("events", "rebuild", "gateway", "--dry-run")
        assert (code, (await js.stream_info(EVENTS_STREAM)).state.messages) == (0, 0)
        code, said = await operate.run("events", "rebuild", "gateway")
        assert code == 0, said

        async def back() -> bool:
            said = (await operate.run("events", "tail", "--since", "1h", "--no-follow"))[1]
            return all(str(event_id) in said for event_id in ids)

        await until(back)
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="after"))

        async def last() -> bool:
            return "after" in billing.names

        await until(last)
        assert billing.names.count("before") == 1
