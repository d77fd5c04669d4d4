"""Whose address counts: the one that connected, or what a trusted proxy says; never what a client says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from .conftest import Edge, another_edge, logged

pytestmark = pytest.mark.integration

LIMIT = 5
FORGED = ("198.51.100.7", "10.0.0.1, 127.0.0.1", "127.0.0.1", "::1", "rubbish, ,,", "unknown", "198.51.100.7:443")


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    return {"API_RATE_PER_MIN_ANON": str(LIMIT)}


@pytest.fixture(scope="module")
def behind(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that trusts the loopback as its proxy."""
    networks = "127.0.0.0/8, 203.0.113.0/24"
    with another_edge(stack, tmp_path_factory.mktemp("behind"), edge_trusted_proxies=networks) as edge:
        yield edge


async def ask(url: str, forwarded: str) -> httpx.Response:
    """One anonymous request that costs one of the address's."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return await client.get("/api/auth/providers", headers={"x-forwarded-for": forwarded} if forwarded else {})


async def test_a_forged_address_changes_nothing(stack: Any) -> None:
    forged = [FORGED[number % len(FORGED)] if number % 2 else f"192.0.2.{number}" for number in range(40)]
    answers = await asyncio.gather(*(ask(stack.base_url, address) for address in forged))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), codes.count(429)) == (LIMIT, 40 - LIMIT)


async def test_behind_a_trusted_proxy_each_client_has_its_own_limit(behind: Edge) -> None:
    for client in (f"198.51.100.{uuid4().int % 250}", f"2001:db8::{uuid4().hex[:4]}"):
        answers = await asyncio.gather(*(ask(behind.url, client) for _ in range(20)))
        codes = [answer.status_code for answer in answers]
        assert (codes.count(200), codes.count(429)) == (LIMIT, 20 - LIMIT), client
    # Two proxies in a row, and before them what the client itself has written: that is not believed.
    client = f"198.51.101.{uuid4().int % 250}"
    chains = [f"192.0.2.{number}, {client}, 203.0.113.9" for number in range(20)]
    codes = [answer.status_code for answer in await asyncio.gather(*(ask(behind.url, chain) for chain in chains))]
    assert (codes.count(200), codes.count(429)) == (LIMIT, 20 - LIMIT)


async def test_whom_the_edge_does_not_trust_cannot_name_an_address(stack: Any, tmp_path: Path) -> None:
    with another_edge(stack, tmp_path, edge_trusted_proxies="203.0.113.0/24") as edge:
        redis.Redis.from_url(stack.env["REDIS_URL"]).delete("bw:r:anon:127.0.0.1")  # a new minute
        forged = [FORGED[number % len(FORGED)] if number % 2 else f"203.0.113.{number}" for number in range(40)]
        codes = [answer.status_code for answer in await asyncio.gather(*(ask(edge.url, one) for one in forged))]
    assert (codes.count(200), codes.count(429)) == (LIMIT, 40 - LIMIT)


async def test_the_access_log_names_the_client_and_no_secret(behind: Edge) -> None:
    client = "198.51.102.77"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with httpx.AsyncClient(base_url=behind.url, trust_env=False) as browser:
        headers = {
            "x-forwarded-for": client,
            "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
            "cookie": "bidwright=zzz",
        }
        answer = await browser.get("/api/invites/mailed-secret?token=other-secret", headers=headers)
    line = await logged(behind.access_log, answer.headers["x-request-id"])
    assert (line["client"], line["trace_id"]) == (client, trace)
    assert line["path"] == "/api/invites/..."
    assert not any(secret in str(line) for secret in ("mailed-secret", "other-secret", "zzz"))
