"""Several replicas: one that is dead costs nobody a request, one that is sick a few; keys rotate under load."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from common.errors import Unauthenticated
from common.identity import HEADER, IdentityVerifier, KeySet
from devstack import ports

from .conftest import another_edge, served, start, wait_for

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    return {"API_RATE_PER_MIN_FREE": "1000000"}  # the load is the same person's


async def sick(scope: Any, receive: Any, send: Any) -> None:
    """A replica that thinks itself ready, and answers all else with 503."""
    status = 200 if scope["path"] == "/readyz" else 503
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def statuses(client: httpx.AsyncClient, count: int) -> Counter[int]:
    """Of so many requests, eight at a time."""
    found: Counter[int] = Counter()

    async def some(number: int) -> None:
        for _ in range(number):
            found[(await client.get("/api/proposals")).status_code] += 1

    await asyncio.gather(*(some(count // 8) for _ in range(8)))
    return found


@pytest.fixture
def signed_in(person: dict[str, Any], browser: httpx.AsyncClient) -> Any:
    """Makes a client of the person's, at another edge."""
    return lambda url: httpx.AsyncClient(base_url=url, cookies=browser.cookies, trust_env=False, timeout=20)


async def test_a_dead_replica_costs_nobody_a_request(
    stack: Any, signed_in: Any, echo_port: int, tmp_path: Path
) -> None:
    upstreams = {"ai": f"127.0.0.1:{echo_port}, 127.0.0.1:{ports.free_port()}"}
    with another_edge(stack, tmp_path, upstreams=upstreams) as edge:
        async with signed_in(edge.url) as client:
            assert await statuses(client, 200) == {200: 200}


async def test_a_sick_replica_is_taken_out(stack: Any, signed_in: Any, echo_port: int, tmp_path: Path) -> None:
    port = ports.free_port()
    upstreams = {"ai": f"127.0.0.1:{echo_port},127.0.0.1:{port}"}
    with served(sick, port), another_edge(stack, tmp_path, upstreams=upstreams) as edge:
        async with signed_in(edge.url) as client:
            first = await statuses(client, 40)
            # Five in a row take it out; what runs beside them at that moment may be refused as well.
            assert 5 <= first[503] <= 5 + 8
            assert await statuses(client, 80) == {200: 80}
        async with httpx.AsyncClient(base_url=edge.admin_url, trust_env=False) as operator:
            stats = (await operator.get("/stats?filter=cluster.ai.outlier_detection.ejections_active")).text
        assert stats.strip().endswith(": 1")


@contextmanager
def gateway(stack: Any, port: int, **keys: str) -> Iterator[None]:
    """A gateway process with these keys."""
    log = stack.folder / f"rotating-{port}.log"
    process = start(["api"], stack.env | {"PORT": str(port), "SHUTDOWN_UNREADY_SECONDS": "2", **keys}, log)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
        yield
    finally:
        process.terminate()
        process.wait(30)


async def test_keys_are_rotated_under_load_without_a_refused_request(
    stack: Any, signed_in: Any, tmp_path: Path
) -> None:
    """As the gateway's README says: publish the new key everywhere, sign with it, forget the old one."""
    new = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    old = stack.env["JWT_SIGNING_KEY"]
    steps = ({}, {"JWT_SIGNING_KEY_PREVIOUS": new}, {"JWT_SIGNING_KEY": new, "JWT_SIGNING_KEY_PREVIOUS": old})
    replicas = [ports.free_port(), ports.free_port()]
    turn = itertools.cycle(replicas)

    async def keys_of_either(scope: Any, receive: Any, send: Any) -> None:
        """The service name behind which both replicas publish their keys."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for port in (next(turn), next(turn)):
                try:
                    answer = await client.get(f"http://127.0.0.1:{port}{scope['path']}")
                except httpx.HTTPError:
                    continue
                break
        await send({"type": "http.response.start", "status": answer.status_code, "headers": []})
        await send({"type": "http.response.body", "body": answer.content})

    keys_port, service_port, seen = ports.free_port(), ports.free_port(), Counter[str]()
    verifier = IdentityVerifier("ai", KeySet(f"http://127.0.0.1:{keys_port}/.well-known/jwks.json"))

    async def service(scope: Any, receive: Any, send: Any) -> None:
        """A service that lets in whom the gateway vouches for."""
        token = dict(scope["headers"]).get(HEADER.encode(), b"").decode()
        try:
            await verifier.verify(token)
            status = 200
        except Unauthenticated:
            status = 401
        seen[token.partition(".")[0]] += 1
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    with ExitStack() as opened:
        opened.enter_context(served(keys_of_either, keys_port))
        opened.enter_context(served(service, service_port))
        running = {port: opened.enter_context(ExitStack()) for port in replicas}
        for port in replicas:
            running[port].enter_context(gateway(stack, port))
        upstreams = {
            "gateway": ",".join(f"127.0.0.1:{port}" for port in replicas),
            "ai": f"127.0.0.1:{service_port}",
        }
        edge = opened.enter_context(another_edge(stack, tmp_path, upstreams=upstreams))
        answers: Counter[int] = Counter()
        over = asyncio.Event()

        async def load(client: httpx.AsyncClient) -> None:
            while not over.is_set():
                answers[(await client.get("/api/proposals")).status_code] += 1
                await asyncio.sleep(0.05)

        def replace(port: int, keys: dict[str, str]) -> None:
            running[port].close()
            running[port].enter_context(gateway(stack, port, **keys))
            time.sleep(1)  # as `minReadySeconds` would: the edge must have seen that it is back

        async with signed_in(edge.url) as client:
            loads = [asyncio.create_task(load(client)) for _ in range(4)]
            for keys in steps[1:]:
                for port in replicas:
                    await asyncio.to_thread(replace, port, keys)
            await asyncio.sleep(2)
            over.set()
            await asyncio.gather(*loads)
    assert set(answers) == {200}, answers
    assert answers[200] > 100
    assert len(seen) == 2, "both keys were signed with"
