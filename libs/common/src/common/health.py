"""Liveness and readiness: the first asks no one, the second names each dependency with its state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from common.metrics import DEPENDENCY_UP

CHECK_TIMEOUT_SECONDS: Final = 1.5
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
READ: Final = ["GET", "HEAD"]
"""Uptime monitors often ask by HEAD."""


@dataclass(frozen=True)
class Dependency:
    """Something the process talks to. One that is not `required` is named, but does not make the process unready."""

    name: str
    check: Callable[[], Awaitable[None]]
    required: bool = True


@dataclass
class Health:
    """What the probes answer from; `draining` is set first when the process is told to stop."""

    dependencies: Sequence[Dependency] = ()
    draining: bool = False

    async def readiness(self) -> tuple[bool, dict[str, str]]:
        """Whether the next request can be served, and each dependency's state."""
        states = await asyncio.gather(*(self._state(dependency) for dependency in self.dependencies))
        named = dict(zip((dependency.name for dependency in self.dependencies), states, strict=True))
        ready = not self.draining and all(
            state == "ok" for dependency, state in zip(self.dependencies, states, strict=True) if dependency.required
        )
        return ready, named

    @staticmethod
    async def _state(dependency: Dependency) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                await dependency.check()
        except TimeoutError:
            return "timeout"
        except Exception as error:  # noqa: BLE001  # a probe reports whatever went wrong instead of raising it
            return f"failed: {type(error).__name__}"
        return "ok"


def health_router(health: Health, service: str) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`, for an API or a worker."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=READ)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/readyz", methods=READ)
    async def readyz() -> Response:
        ready, dependencies = await health.readiness()
        status = "draining" if health.draining else "ok" if ready else "unready"
        return JSONResponse({"status": status, "dependencies": dependencies}, status_code=200 if ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        _, dependencies = await health.readiness()
        for name, state in dependencies.items():
            DEPENDENCY_UP.labels(service, name).set(state == "ok")
        return PlainTextResponse(generate_latest().decode(), media_type=CONTENT_TYPE_LATEST)

    return router
