"""What is ended stays usable for two seconds at most: with two processes, under load, and when one of them dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from gateway.decision.valkey import session_key
from gateway.tokens import hash_token

pytestmark = pytest.mark.integration

SECONDS = 2.0


@pytest.fixture
def owner(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.database.admin_url, autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def hammered(*clients: httpx.AsyncClient) -> Any:
    """Each asks again and again meanwhile; yields (moment, status) of every answer."""
    answers: list[tuple[float, int]] = []
    stop = asyncio.Event()

    async def ask(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            status = (await client.get("/authz/api/proposals")).status_code
            answers.append((time.monotonic(), status))

    running = [asyncio.create_task(ask(client)) for client in clients for _ in range(2)]
    try:
        yield answers
    finally:
        stop.set()
        await asyncio.gather(*running)


async def test_an_ended_session_is_refused_by_every_process(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, second_gateway: str
) -> None:
    cookies = dict(browser.cookies)
    async with (
        httpx.AsyncClient(base_url=stack.gateway_url, cookies=cookies, trust_env=False) as first,
        httpx.AsyncClient(base_url=second_gateway, cookies=cookies, trust_env=False) as second,
        hammered(first, second) as answers,
    ):
        await asyncio.sleep(0.5)
        assert {status for _, status in answers} == {200}
        assert (await browser.post("/api/auth/logout")).status_code == 204
        ended = time.monotonic()
        await asyncio.sleep(SECONDS + 0.5)
    late = [status for moment, status in answers if moment > ended + SECONDS]
    assert late
    assert set(late) <= {401, 429}


async def test_what_a_process_that_died_had_still_to_forget_is_forgotten(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, owner: psycopg.Connection[Any]
) -> None:
    assert (await browser.get("/api/proposals")).status_code == 200  # now Valkey knows the session
    hashed = hash_token(browser.cookies["bidwright"])
    # As far as the process came that took the logout: its commit, and no further.
    with owner.transaction():
        owner.execute("DELETE FROM gateway.sessions WHERE token_hash = %s", [hashed])
        owner.execute("INSERT INTO gateway.stale_facts (id, keys) VALUES (%s, %s)", [uuid4(), [session_key(hashed)]])
    committed = time.monotonic()
    while (answer := await browser.get("/api/proposals")).status_code == 200:
        assert time.monotonic() - committed < SECONDS
        await asyncio.sleep(0.05)
    assert answer.status_code == 401
    assert owner.execute("SELECT count(*) FROM gateway.stale_facts").fetchone() == (0,)


async def test_a_process_that_lives_leaves_nothing_behind(
    person: dict[str, Any], browser: httpx.AsyncClient, owner: psycopg.Connection[Any]
) -> None:
    for _ in range(5):
        assert (await browser.patch("/api/me", json={"name": "Ada"})).status_code == 200
    assert owner.execute("SELECT count(*) FROM gateway.stale_facts").fetchone() == (0,)
