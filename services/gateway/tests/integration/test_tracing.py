"""One trace id ties a request's log lines together, its sender's or a new one; spans go to the collector."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack import ports

from .conftest import another_edge, logged, served

pytestmark = pytest.mark.integration

BROUGHT = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    """An ASGI app that keeps what is sent to it by OTLP/HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append((scope["path"], body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def span_of(self, trace_id: str) -> bytes:
        """The first export with this trace, waited for: Envoy sends every five seconds."""
        for _ in range(150):
            for path, body in self.bodies:
                if path == "/v1/traces" and bytes.fromhex(trace_id) in body:
                    return body
            await asyncio.sleep(0.1)
        raise AssertionError(f"no span of {trace_id}")


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    """What it has kept, and its address."""
    app, port = Collector(), ports.free_port()
    with served(app, port):
        yield app, f"http://127.0.0.1:{port}"


async def arrived(client: httpx.AsyncClient, **headers: str) -> tuple[list[str], httpx.Response]:
    """The parts of the traceparent that the service got, and the answer."""
    answer = await client.get("/api/proposals", headers=headers)
    [traceparent] = answer.json()["headers"]["traceparent"]
    return traceparent.split("-"), answer


async def test_every_request_has_a_trace_and_the_log_names_it(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    seen = set()
    for _ in range(3):  # the later ones by a remembered verdict
        (version, trace_id, _, flags), answer = await arrived(browser)
        assert (version, flags) == ("00", "00"), "nothing is recorded without a collector"
        assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
        assert (await logged(stack.access_log, answer.headers["x-request-id"]))["trace_id"] == trace_id
        seen.add(trace_id)
    assert len(seen) == 3
    parts, _ = await arrived(browser, traceparent=f"00-{BROUGHT}-00f067aa0ba902b7-01")
    assert parts[1] == BROUGHT
    for rubbish in ("rubbish", f"00-{'0' * 32}-00f067aa0ba902b7-01", "00-x-y-z"):
        assert (await arrived(browser, traceparent=rubbish))[1].status_code == 200


async def test_spans_go_to_the_collector_without_what_mails_carry(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, collector: tuple[Collector, str], tmp_path: Path
) -> None:
    kept, endpoint = collector
    with another_edge(stack, tmp_path, otel_exporter_otlp_endpoint=endpoint) as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:
            parts, _ = await arrived(client)
            assert parts[3] == "01"
            answer = await client.get("/api/invites/mailed-secret?token=other-secret")
            log = await logged(edge.access_log, answer.headers["x-request-id"])
            for trace_id in (parts[1], log["trace_id"]):
                body = await kept.span_of(trace_id)
                assert b"bidwright-edge" in body
            sent = b"".join(body for _, body in kept.bodies)
            assert b"mailed-secret" not in sent
            assert b"other-secret" not in sent


async def test_a_collector_that_is_away_costs_nobody_a_request(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    with another_edge(stack, tmp_path, otel_exporter_otlp_endpoint="http://127.0.0.1:9") as edge:
        async with httpx.AsyncClient(base_url=edge.url, cookies=browser.cookies, trust_env=False) as client:
            answers = await asyncio.gather(*(client.get("/api/proposals") for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
