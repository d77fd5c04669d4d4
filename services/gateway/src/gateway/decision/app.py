"""The decision as a bare ASGI app: a framework would cost more than the decision itself."""

from __future__ import annotations

import json
import time
from typing import Final
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from common.errors import BidwrightError
from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision.requests import AUTHZ_PREFIX, Ask
from gateway.decision.service import Allowed, Decider, outcome

_PROBLEM: Final = (b"content-type", b"application/problem+json")

log = get_logger()


class DecisionApp:
    """Answers Envoy's `ext_authz` question at `/authz/<original path>`: 200 lets the request pass, all else is the
    client's answer."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        ask = read_ask(scope)
        error: BidwrightError | None = None
        try:
            allowed = await self._decider.decide(ask)
            await _answer(send, 200, _encode(allowed), b"")
        except BidwrightError as refusal:
            error = refusal
            await _refuse(send, ask, refusal)
        except Exception:
            log.exception("decision.failed", path=ask.path)
            error = BidwrightError("Something went wrong on our side; it has been logged.")
            await _refuse(send, ask, error)
        telemetry.DECISIONS.labels(outcome(error)).inc()
        telemetry.DECISION_SECONDS.observe(time.perf_counter() - started)


def read_ask(scope: Scope) -> Ask:
    """The question in an ASGI scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ","
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    return Ask(
        method=scope["method"],
        path=scope["path"].removeprefix(AUTHZ_PREFIX) or "/",
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
    )


def _encode(allowed: Allowed) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode(), value.encode("latin-1"))
        for headers in (allowed.upstream, allowed.client)
        for name, value in headers.items()
    ]


async def _refuse(send: Send, ask: Ask, error: BidwrightError) -> None:
    request_id = ask.headers.get("x-request-id") or str(uuid4())
    body = json.dumps(error.problem(instance=ask.path, request_id=request_id)).encode()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in error.headers.items()]
    await _answer(send, error.status, [_PROBLEM, *headers], b"" if ask.method == "HEAD" else body)


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
