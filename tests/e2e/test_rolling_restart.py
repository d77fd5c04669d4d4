"""A new version of ai rolls out under open streams: worker and API restart one after the other, and nobody loses a word
or pays twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from ai_fake.testing import FakeProcess
from devstack.running import RunningStack, running_stack

from .listening import Listener

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

STREAMS = 6
WORDS = 160
DELTA_MS = 100
"""The vendor gives two words at a time: eight seconds for a text, in which the worker and the API restart."""
TEXT = " ".join(f"word{number}" for number in range(WORDS))


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProcess]:
    with FakeProcess() as process:
        process.always("openai", {"text": TEXT, "delta_ms": DELTA_MS, "usage": [100, 50]})
        yield process


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config, fake: FakeProcess) -> Iterator[RunningStack]:
    """A product of its own: this test restarts its parts."""
    limits = ("DEBUG=1", "QUOTA_FREE_ACTIVE_CAP=1000", "API_RATE_PER_MIN_FREE=100000")
    with running_stack(
        pytestconfig.rootpath, *limits, "AI_PROVIDER=openai", f"OPENAI_BASE_URL={fake.url}/v1"
    ) as running:
        yield running


async def test_every_stream_is_heard_to_its_end_and_charged_once(stack: RunningStack, fake: FakeProcess) -> None:
    async with httpx.AsyncClient(
        base_url=stack.base_url, headers={"Origin": stack.base_url}, timeout=60, trust_env=False
    ) as http:
        await register(http)
        sections = [await new_section(http) for _ in range(STREAMS)]
        jobs = [await begin(http, section) for section in sections]
        listeners = [Listener(http, job) for job in jobs]
        listening = [asyncio.create_task(listener.listen()) for listener in listeners]
        async with asyncio.timeout(30):
            while not all(listener.text for listener in listeners):  # noqa: ASYNC110  # the texts have begun
                await asyncio.sleep(0.05)
        for part in ("ai-worker", "ai"):
            await asyncio.to_thread(stack.command, "restart", part)
        await asyncio.gather(*listening)

        kept = [(await http.get(f"/api/sections/{section}")).json() for section in sections]
        summary = (await http.get("/api/ai/metrics/summary")).json()
    assert [listener.job["status"] for listener in listeners] == ["succeeded"] * STREAMS
    assert [listener.text for listener in listeners] == [TEXT] * STREAMS
    assert [(section["text"], section["revision"]) for section in kept] == [(TEXT, 2)] * STREAMS
    refusals = set().union(*(listener.refusals for listener in listeners))
    assert refusals <= {(503, True)}, "a stream may be refused for a moment, and is told when to come back"
    assert sum(listener.streams for listener in listeners) > STREAMS, "no stream was open while the API restarted"
    assert len(fake.asked("openai")) > STREAMS, "no text was being written while the worker restarted"
    assert (summary["requests"], summary["succeeded"], summary["tokens"]) == (STREAMS, STREAMS, STREAMS * 150)


async def register(http: httpx.AsyncClient) -> None:
    body = {"email": "rolling@example.org", "password": "correct horse battery", "name": "Rolling"}
    token = (await http.post("/api/auth/register", json=body)).json()["verify_token"]
    (await http.post("/api/auth/email/verify", json={"token": token})).raise_for_status()


async def new_section(http: httpx.AsyncClient) -> str:
    async with asyncio.timeout(30):
        while (made := await http.post("/api/proposals", json={"title": "Rolling"})).status_code == 409:  # noqa: ASYNC110
            await asyncio.sleep(0.2)  # the plan has not arrived yet
    path = f"/api/proposals/{made.raise_for_status().json()['id']}/sections"
    return str((await http.post(path, json={"title": "Need"})).raise_for_status().json()["id"])


async def begin(http: httpx.AsyncClient, section_id: str) -> str:
    wish = {"section_id": section_id, "answers": {"who": "Three villages."}}
    answer = await http.post("/api/ai/write", json=wish, headers={"Prefer": "respond-async"})
    return str(answer.raise_for_status().json()["job_id"])
