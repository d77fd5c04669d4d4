"""The decision as a bare ASGI app: a framework would cost more than the decision itself."""

from __future__ import annotations

import json
import time
from typing import Final
from uuid import uuid4

from opentelemetry.trace import SpanKind
from starlette.types import Receive, Scope, Send

from common.errors import BidwrightError
from common.telemetry import continue_trace, get_logger, is_sampled, tracer
from gateway import telemetry
from gateway.decision.leases import LEASE_HEADER, UNSPENT_HEADER
from gateway.decision.requests import AUTHZ_PREFIX, Ask
from gateway.decision.service import Decider, outcome

_PROBLEM: Final = (b"content-type", b"application/problem+json")
_EMPTY: Final = (b"content-length", b"0")
_NO_BODY: Final = {"type": "http.response.body", "body": b""}
_PREFIX_LENGTH: Final = len(AUTHZ_PREFIX)

# What a decision reads; the rest need not even be decoded.
_READ: Final = {
    name.encode(): name
    for name in (
        "authorization",
        "cookie",
        "host",
        "origin",
        "sec-fetch-site",
        "traceparent",
        LEASE_HEADER,
        UNSPENT_HEADER,
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-org-id",
        "x-request-id",
    )
}

log = get_logger()


class DecisionApp:
    """Answers Envoy's `ext_authz` question at `/authz/<original path>`: 200 lets the request pass, all else is the
    client's answer."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._allowed = telemetry.DECISIONS.labels(outcome(None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        ask = read_ask(scope)
        if is_sampled(ask.headers):
            with tracer.start_as_current_span("decide", context=continue_trace(ask.headers), kind=SpanKind.SERVER):
                await self._answer(ask, send)
        else:
            await self._answer(ask, send)
        telemetry.DECISION_SECONDS.observe(time.perf_counter() - started)

    async def _answer(self, ask: Ask, send: Send) -> None:
        try:
            allowed = await self._decider.decide(ask)
            headers = [(name.encode(), value.encode("latin-1")) for name, value in allowed.headers.items()]
            headers.append(_EMPTY)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send(_NO_BODY)
            self._allowed.inc()
        except BidwrightError as refusal:
            await _refuse(send, ask, refusal)
            telemetry.DECISIONS.labels(outcome(refusal)).inc()
        except Exception:
            log.exception("decision.failed", audience=ask.audience)
            error = BidwrightError("Something went wrong on our side; it has been logged.")
            await _refuse(send, ask, error)
            telemetry.DECISIONS.labels(outcome(error)).inc()


def read_ask(scope: Scope) -> Ask:
    """The question in an ASGI scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = _READ.get(raw_name)
        if name is None:
            continue
        value = raw_value.decode("latin-1")
        if name in headers:
            separator = "; " if name == "cookie" else ","
            value = f"{headers[name]}{separator}{value}"
        headers[name] = value
    return Ask(
        method=scope["method"],
        path=scope["path"][_PREFIX_LENGTH:] or "/",
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
    )


async def _refuse(send: Send, ask: Ask, error: BidwrightError) -> None:
    request_id = ask.headers.get("x-request-id") or str(uuid4())
    problem = json.dumps(error.problem(instance=ask.path, request_id=request_id)).encode()
    body = b"" if ask.method == "HEAD" else problem
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in error.headers.items()]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": error.status, "headers": [_PROBLEM, *headers, length]})
    await send({"type": "http.response.body", "body": body})
