"""The HTTP side that every service shares: one app factory, problem+json errors, request ids, metrics."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from uuid import uuid4

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry import trace
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import errors
from common.bodies import field_errors
from common.direct import is_away
from common.health import PROBES, Health, health_router
from common.identity import IdentityVerifier
from common.metrics import HTTP_ACTIVE, HTTP_SECONDS, REFUSALS, method_label
from common.telemetry import continue_trace, get_logger, tracer

PROBLEM_JSON: Final = "application/problem+json"
REQUEST_ID_HEADER: Final = "x-request-id"
MAX_REQUEST_ID: Final = 128
METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
DATABASE_AWAY_SECONDS: Final = 2
"""A restart of PostgreSQL, or a standby that takes over, is a matter of seconds."""
UNREADABLE_BODY: Final = "There was an error parsing the body"
"""FastAPI's words for a body that is not UTF-8, nested too deeply, or with a number too long."""

log = get_logger()
_unrecorded = trace.NoOpTracer()

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class RequestContext:
    """Gives each request an id, a server span, log context and metrics. Pure ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service
        self._active = HTTP_ACTIVE.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get(REQUEST_ID_HEADER, "")
        if not request_id or len(request_id) > MAX_REQUEST_ID or not request_id.isprintable():
            request_id = str(uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(service=self._service, request_id=request_id)
        started = time.perf_counter()
        status, answering = 500, False
        method = method_label(scope["method"])
        self._active.inc()

        async def send_with_id(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        # Whoever looks every few seconds whether the process lives is no request that anyone would look up.
        spans = _unrecorded if scope["path"] in PROBES else tracer
        with spans.start_as_current_span(
            f"{method} {self._service}", context=continue_trace(headers), kind=trace.SpanKind.SERVER
        ) as span:
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                if answering:
                    raise  # the answer is torn: only closing the connection can tell the client
                # Answered here: raised further, the server would log it again and close a connection that the edge
                # may just be using for somebody else's request.
                await problem_response(Request(scope), _refusal(scope, error))(scope, receive, send_with_id)
            finally:
                route = getattr(scope.get("route"), "path", "unmatched")
                if span.is_recording():
                    span.update_name(f"{method} {route}")
                    span.set_attributes(
                        {"http.request.method": method, "http.route": route, "http.response.status_code": status}
                    )
                self._active.dec()
                HTTP_SECONDS.labels(self._service, method, route, status).observe(time.perf_counter() - started)
                if refusal := scope["state"].get("refusal"):
                    REFUSALS.labels(self._service, *refusal).inc()
                structlog.contextvars.unbind_contextvars("request_id", "org_id")


def _refusal(scope: Scope, error: Exception) -> errors.BidwrightError:
    """What is answered when a route raised what it does not expect."""
    # The route and not the path: a mailed link carries its token there.
    route = getattr(scope.get("route"), "path", "unmatched")
    if is_away(error):
        log.warning("http.database_away", route=route, error=" ".join(str(error).split())[:200])
        return errors.Unavailable(retry_after=DATABASE_AWAY_SECONDS)
    log.error("http.unhandled", route=route, exc_info=error)
    return errors.BidwrightError("Something went wrong on our side; it has been logged.")


def problem_response(request: Request, error: errors.BidwrightError) -> Response:
    """The error as `application/problem+json`."""
    request.state.refusal = (error.error, error.reason or "")
    request_id = getattr(request.state, "request_id", "")
    return JSONResponse(
        error.problem(instance=request.url.path, request_id=request_id),
        status_code=error.status,
        headers=error.headers,
        media_type=PROBLEM_JSON,
    )


def from_validation(request: Request, error: RequestValidationError) -> errors.BidwrightError:
    """What FastAPI found wrong, as one of ours: a bad id in a path is simply not there."""
    found = error.errors()
    if any(item["loc"] and item["loc"][0] == "path" for item in found):
        return errors.NotFound()
    if any(item["type"] == "json_invalid" for item in found):
        return errors.InvalidJSON()
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    takes_body = any(item["loc"] and item["loc"][0] == "body" for item in found)
    if takes_body and content_type and content_type != "application/json":
        return errors.UnsupportedMediaType()
    return errors.ValidationFailed(field_errors(found, skip=1))


class MethodNotAllowed(errors.BidwrightError):
    """This address does not take that method; see Allow."""

    status = 405
    error = "method_not_allowed"
    title = "Method not allowed"


def allowed_methods(request: Request) -> list[str]:
    """Every method that the request's path takes: a path has a route for each, and the framework names the first's."""
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def install_error_handlers(app: FastAPI) -> None:
    """Makes every refusal of `app` a problem+json answer; `RequestContext` does it for a crash."""

    async def on_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.BidwrightError)
        return problem_response(request, error)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(request, from_validation(request, error))

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known: dict[int, errors.BidwrightError] = {
            404: errors.NotFound(),
            405: MethodNotAllowed(headers={"Allow": ", ".join(allowed_methods(request))}),
        }
        if error.status_code == 400 and error.detail == UNREADABLE_BODY:
            known[400] = errors.InvalidJSON()
        ours = known.get(error.status_code)
        if ours is None:
            ours = errors.InvalidRequest(str(error.detail)) if error.status_code < 500 else errors.BidwrightError()
        return problem_response(request, ours)

    app.add_exception_handler(errors.BidwrightError, on_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http_exception)


@asynccontextmanager
async def no_lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """For an app whose dependencies are opened and closed elsewhere."""
    yield


def create_app(
    *,
    service: str,
    title: str,
    routers: Sequence[APIRouter],
    health: Health,
    verifier: IdentityVerifier | None = None,
    lifespan: Lifespan = no_lifespan,
    state: dict[str, Any] | None = None,
) -> FastAPI:
    """A service's HTTP application.

    Args:
        service: its name, for logs and metrics.
        title: the heading of its OpenAPI document.
        routers: its routes.
        health: what `/readyz` answers from.
        verifier: checks the signed identity for `common.identity.require`.
        lifespan: opened before the first request and closed after the last.
        state: attributes for `app.state`, which the routes' dependencies read (`deps`).
    """
    # No redirect for a slash too many: its address would be absolute, of this side of the edge.
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        # Its own spans would stand beside ours, four for each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.identity_verifier = verifier
    app.state.health = health
    for name, value in (state or {}).items():
        setattr(app.state, name, value)
    install_error_handlers(app)
    app.include_router(health_router(health, service))
    for router in routers:
        app.include_router(router)
    app.add_middleware(RequestContext, service=service)
    return app
