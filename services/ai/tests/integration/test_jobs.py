"""Jobs: queued for a worker, followed by server-sent events, taken over from a killed worker, stopped, tried again."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ai.providers.scripted import ScriptedProvider

from .conftest import HERE, Caller, Entitled, World
from .slow_worker import DELTAS

pytestmark = pytest.mark.integration

SLOW_WORKER = str(Path(HERE) / "slow_worker.py")
WHOLE = "".join(DELTAS)


async def follow(
    caller: Caller, job_id: str, last_event_id: str = ""
) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    """(event, id, data) of the job's stream."""
    headers = caller.headers | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    async with caller.http.stream("GET", f"/api/ai/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "data" in event:
                yield event["event"], event["id"], json.loads(event["data"])
                event = {}


async def write(caller: Caller, section_id: str) -> str:
    answer = await caller.post("/api/ai/write", {"section_id": section_id}, Prefer="respond-async")
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    assert answer.headers["Location"] == f"/api/ai/jobs/{job_id}"
    return job_id


async def new_section(caller: Caller) -> str:
    section = await caller.section((await caller.proposal())["id"])
    return str(section["id"])


def expire_lease(world: World, job_id: str) -> None:
    """As if thirty seconds had gone by."""
    with psycopg.connect(world.database.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE ai.jobs SET lease_until = now() - interval '1 second' WHERE id = %s", (job_id,))


class TestQueue:
    async def test_a_worker_does_it_and_all_is_told(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        section_id = await new_section(caller)
        worker = await world.start_worker()
        job = await caller.until_done(await write(caller, section_id))
        assert (job["status"], job["result"]["applied"], job["error"]) == ("succeeded", True, None)
        assert job["result"]["section"]["text"] == job["result"]["text"]
        created, changed = await world.published("events.ai.proposal.>", caller.org_id, 2)
        assert (created["version"], created["charged_to"], changed["version"]) == (1, "cap", 2)
        assert [section["section_id"] for section in changed["sections"]] == [section_id]
        [finished] = await world.published("events.ai.generation.>", caller.org_id, 1)
        assert (finished["generation_id"], finished["status"], finished["model"]) == (job["id"], "succeeded", "local")
        assert finished["tokens"] > 0
        assert await world.stop_worker(worker) == 0

    async def test_async_can_be_the_rule(self, world: World, entitled: Entitled) -> None:
        async with world.serve(AI_ASYNC="1") as client:
            caller = await entitled(client)
            answer = await caller.post("/api/ai/plan", {"proposal_id": (await caller.proposal())["id"]})
            assert answer.status_code == 202


class TestStream:
    async def test_the_deltas_joined_are_the_text_and_a_broken_stream_goes_on(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        job_id = await write(caller, await new_section(caller))
        worker = await world.start_worker(SLOW_WORKER)
        heard, last_id = "", ""
        async for event, event_id, data in follow(caller, job_id):
            if event == "delta":
                heard, last_id = heard + data["text"], event_id
                if len(heard) > 500:
                    break
        assert WHOLE.startswith(heard)
        names = []
        async for event, event_id, data in follow(caller, job_id, last_id):
            assert event_id
            names.append(event)
            heard += data["text"] if event == "delta" else ""
            if event == "done":
                assert data["job"]["status"] == "succeeded"
                assert data["job"]["result"]["text"] == heard
        assert heard == WHOLE
        assert (names[0], names[-1]) == ("status", "done")
        await world.stop_worker(worker)

    async def test_another_org_cannot_follow(self, entitled: Entitled) -> None:
        caller, stranger = await entitled(), await entitled()
        job_id = await write(caller, await new_section(caller))
        assert (await stranger.get(f"/api/ai/jobs/{job_id}/events")).status_code == 404
        assert (await stranger.post(f"/api/ai/jobs/{job_id}/cancel")).status_code == 404
        await caller.post(f"/api/ai/jobs/{job_id}/cancel")


class TestTakeOver:
    async def test_a_killed_workers_text_goes_on_without_repeating_and_is_charged_once(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        section_id = await new_section(caller)
        job_id = await write(caller, section_id)
        first = await world.start_worker(SLOW_WORKER)
        heard: list[str] = []

        async def listen() -> dict[str, Any]:
            async for event, _, data in follow(caller, job_id):
                if event == "delta":
                    heard.append(data["text"])
                if event == "done":
                    return data
            raise AssertionError("the stream ended without done")

        listening = asyncio.create_task(listen())
        while len("".join(heard)) < 400:  # noqa: ASYNC110  # the stream itself is what is waited for
            await asyncio.sleep(0.05)
        await world.stop_worker(first, signal.SIGKILL)
        expire_lease(world, job_id)
        second = await world.start_worker(SLOW_WORKER)
        async with asyncio.timeout(60):
            done = await listening
        assert done["job"]["status"] == "succeeded"
        assert "".join(heard) == WHOLE
        section = (await caller.get(f"/api/sections/{section_id}")).json()
        assert (section["text"], section["revision"]) == (WHOLE, 2)
        summary = (await caller.get("/api/ai/metrics/summary")).json()
        assert (summary["requests"], summary["succeeded"]) == (1, 1)
        await world.stop_worker(second)


class TestCancelAndRetry:
    async def test_a_queued_job_is_cancelled_and_tried_again(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        section_id = await new_section(caller)
        job_id = await write(caller, section_id)
        cancelled = (await caller.post(f"/api/ai/jobs/{job_id}/cancel")).json()
        assert (cancelled["status"], cancelled["error"]["code"]) == ("cancelled", "cancelled")
        assert (await caller.post(f"/api/ai/jobs/{job_id}/cancel")).status_code == 409
        again = await caller.post(f"/api/ai/jobs/{job_id}/retry")
        assert (again.status_code, again.json()["status"]) == (202, "queued")
        worker = await world.start_worker()
        assert (await caller.until_done(job_id))["status"] == "succeeded"
        assert (await caller.post(f"/api/ai/jobs/{job_id}/retry")).status_code == 409
        versions = [event["version"] for event in await world.published("events.ai.generation.>", caller.org_id, 2)]
        assert versions == [1, 2]
        await world.stop_worker(worker)

    async def test_a_plan_is_not_tried_again_while_another_runs(self, entitled: Entitled) -> None:
        caller = await entitled()
        wish = {"proposal_id": (await caller.proposal())["id"]}
        first, second = [(await caller.post("/api/ai/plan", wish, Prefer="respond-async")).json() for _ in range(2)]
        assert second["error"] == "generation_running"
        await caller.post(f"/api/ai/jobs/{first['job_id']}/cancel")
        other = (await caller.post("/api/ai/plan", wish, Prefer="respond-async")).json()
        refused = await caller.post(f"/api/ai/jobs/{first['job_id']}/retry")
        assert (refused.status_code, refused.json()["error"]) == (409, "generation_running")
        await caller.post(f"/api/ai/jobs/{other['job_id']}/cancel")

    async def test_a_running_one_stops_and_leaves_the_text(self, world: World, entitled: Entitled) -> None:
        async with world.serve(ScriptedProvider(DELTAS, pause_seconds=0.05)) as client:
            caller = await entitled(client)
            section_id = await new_section(caller)
            writing = asyncio.create_task(caller.post("/api/ai/write", {"section_id": section_id}))
            await asyncio.sleep(0.3)
            recent = (await caller.get("/api/ai/metrics/recent")).json()["items"]
            assert (await caller.post(f"/api/ai/jobs/{recent[0]['id']}/cancel")).status_code == 200
            refused = await writing
            assert (refused.status_code, refused.json()["reason"]) == (409, "cancelled")
            section = (await caller.get(f"/api/sections/{section_id}")).json()
            assert (section["text"], section["revision"]) == ("", 1)
            assert (await caller.get("/api/ai/metrics/summary")).json()["tokens"] == 0
