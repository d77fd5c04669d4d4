"""Runs an ASGI app with an ordered stop: unready, wait, drain the requests, then close what they used."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.health import Health

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than Envoy's idle timeout to an upstream (60 s), so that it is never we who close under a request."""
BACKLOG: Final = 1024


class DrainingServer(uvicorn.Server):
    """A uvicorn that answers unready for a while before it stops accepting."""

    def __init__(self, config: uvicorn.Config, health: Health, unready_seconds: float) -> None:
        super().__init__(config)
        self._health = health
        self._unready_seconds = unready_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._health.draining or not self._unready_seconds:
            self._health.draining = True
            super().handle_exit(sig, frame)
            return
        self._health.draining = True
        timer = threading.Timer(self._unready_seconds, super().handle_exit, (sig, frame))
        timer.daemon = True
        timer.start()


class LeavingApp:
    """Ends each connection with its next answer once the process is told to stop: what is sent on a connection that
    closes at that very moment would be lost."""

    def __init__(self, app: ASGIApp, health: Health) -> None:
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._health.draining or scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, last)


def uvicorn_config(app: ASGIApp, *, host: str, port: int, grace_seconds: float) -> uvicorn.Config:
    """The one way in which our processes speak HTTP."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(grace_seconds)),
        backlog=BACKLOG,
    )


def serve(
    make_app: Callable[[], ASGIApp],
    *,
    health: Health,
    host: str,
    port: int,
    grace_seconds: float,
    unready_seconds: float,
) -> int:
    """Serves until a stop signal; returns the exit code.

    Args:
        make_app: builds the app; its lifespan opens and closes the dependencies inside the loop.
        unready_seconds: how long `/readyz` says 503 before the socket closes, for a load balancer to notice.
    """
    app = LeavingApp(make_app(), health)
    config = uvicorn_config(app, host=host, port=port, grace_seconds=grace_seconds)
    server = DrainingServer(config, health, unready_seconds)
    # uvicorn raises the signal that ended it once more after its orderly stop; an orderly stop is ours to call 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()
    return 0 if server.started else 1
