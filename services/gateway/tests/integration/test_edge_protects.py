"""The edge stands between a part that is in trouble and everyone else, and between other sites and our answers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.edge import config, routes

from .conftest import another_edge

pytestmark = pytest.mark.integration

FRIEND = "https://friend.example"
MIB = 1_048_576


@pytest.fixture
def silent() -> Iterator[str]:
    """host:port of a server that takes connections and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


async def test_a_part_that_does_not_answer_costs_only_its_own_routes(
    stack: Any,
    person: dict[str, Any],
    browser: httpx.AsyncClient,
    silent: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(routes.TIMEOUT_SECONDS, "ai", 1)
    monkeypatch.setattr(config, "MAX_REQUESTS", 5)
    with another_edge(stack, tmp_path, upstreams={"ai": silent}) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False, timeout=20) as client:
            asked = [client.get("/api/proposals") for _ in range(20)]

            async def elsewhere() -> list[int]:
                return [(await client.get("/api/usage")).status_code for _ in range(20)]

            others, answers = await asyncio.gather(elsewhere(), asyncio.gather(*asked))
        # The first ten wait their time out; for the rest the circuit is open, and they need not wait.
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) == {503, 504}
        assert 5 <= codes.count(504) <= 10
        for answer in answers:
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert answer.json()["error"] == "unavailable"
            assert int(answer.headers["retry-after"]) == answer.json()["retry_after"]
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert others == [200] * 20


async def test_what_runs_when_the_edge_drains_is_finished(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    with another_edge(stack, tmp_path) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:

            async def follow() -> list[str]:
                async with client.stream("GET", "/api/ai/jobs/1/events") as stream:
                    began.release()
                    return [line async for line in stream.aiter_lines() if line]

            began = asyncio.Semaphore(0)
            streams = [asyncio.create_task(follow()) for _ in range(10)]
            for _ in streams:
                await began.acquire()
            async with httpx.AsyncClient(trust_env=False) as operator:
                answer = await operator.post(f"{edge.admin_url}/drain_listeners?graceful")
                assert answer.status_code == 200
            assert await asyncio.gather(*streams) == [["id: 0", "id: 1", "id: 2"]] * 10


async def test_the_launcher_waits_for_what_runs_before_it_stops_the_edge(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    with another_edge(stack, tmp_path) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:
            async with client.stream("GET", "/api/ai/jobs/1/events") as stream:
                lines = (line async for line in stream.aiter_lines() if line)
                assert await anext(lines) == "id: 0"
                draining = asyncio.create_task(asyncio.to_thread(edge.envoy.drain, 10))
                assert await anext(lines) == "id: 1"
                assert not draining.done()
                assert [line async for line in lines] == ["id: 2"]
            await asyncio.wait_for(draining, 5)


async def test_a_draining_edge_says_so_before_it_refuses(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    with another_edge(stack, tmp_path) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:
            assert "services" in (await client.get("/readyz")).json()
            async with httpx.AsyncClient(trust_env=False) as operator:
                await operator.post(f"{edge.admin_url}/healthcheck/fail")
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
            answer = await client.get("/api/proposals")
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")


async def test_a_large_upload_passes_without_being_kept(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    size, piece = 256 * MIB, b"x" * MIB
    with another_edge(stack, tmp_path, file_upload_max_bytes=2_000 * MIB) as edge:
        async with httpx.AsyncClient(
            base_url=edge.url, cookies=browser.cookies, headers={"origin": stack.base_url}, trust_env=False, timeout=60
        ) as client:

            async def body(pieces: int, pause: float) -> AsyncIterator[bytes]:
                for _ in range(pieces):
                    yield piece
                    await asyncio.sleep(pause)

            async def held() -> int:
                answer = await client.get(f"{edge.admin_url}/memory")
                return int(answer.json()["allocated"])

            before, most = await held(), 0
            upload = asyncio.create_task(client.post("/api/uploads", content=body(size // MIB, 0)))
            while not upload.done():
                most = max(most, await held())
                await asyncio.sleep(0.05)
            assert (await upload).json()["size"] == size
            assert most - before < 16 * MIB
            slow = await client.post("/api/uploads", content=body(4, 0.5))
            assert slow.json()["size"] == 4 * MIB


async def test_other_sites_read_nothing_unless_they_are_listed(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    preflight = {"access-control-request-method": "PATCH", "access-control-request-headers": "x-org-id, if-match"}
    with another_edge(stack, tmp_path, cors_allowed_origins=FRIEND) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:
            for base in (stack.base_url, edge.url):
                for origin in (
                    FRIEND,
                    "https://evil.example",
                    "null",
                    f"{FRIEND}.evil.example",
                    "http://friend.example",
                ):
                    listed = base == edge.url and origin == FRIEND
                    asked = await client.options(f"{base}/api/me", headers={"origin": origin, **preflight})
                    # An answer, a refusal by the gateway, one by the edge.
                    read = [
                        await client.get(f"{base}{path}", headers={"origin": origin})
                        for path in ("/api/me", "/api/orgs/x", "/nowhere")
                    ]
                    for answer in (asked, *read[:2]):
                        allowed = answer.headers.get("access-control-allow-origin")
                        assert allowed == (origin if listed else None), (base, origin, answer.url)
                    assert read[2].headers.get("access-control-allow-origin") in (None, origin if listed else None)
                    if listed:
                        assert asked.status_code == 200
                        assert asked.headers["access-control-allow-credentials"] == "true"
                        assert "PATCH" in asked.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "http://127.0.0.1:1"}, False),
        ({"origin": "https://127.0.0.1"}, False),
        ({"origin": "http://[broken"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
    ],
)
async def test_a_write_with_a_cookie_comes_from_our_own_pages(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, headers: dict[str, str], allowed: bool
) -> None:
    async with httpx.AsyncClient(base_url=stack.base_url, cookies=browser.cookies, trust_env=False) as client:
        answer = await client.patch("/api/me", json={"name": "Eve"}, headers=headers)
    if allowed:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["error"]) == (403, "origin_forbidden")
