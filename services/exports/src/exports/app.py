"""The HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from common.health import Health
from common.http import create_app as create_service_app
from common.identity import IdentityVerifier, KeySet
from common.jobs import JobRunner
from exports.api import router
from exports.bootstrap import Deps
from exports.jobs import job_kinds


def create_app(deps: Deps, *, verifier: IdentityVerifier | None = None, health: Health | None = None) -> FastAPI:
    """The app; it connects when it starts, and when it ends waits for the files it is making and closes `deps`."""
    settings = deps.settings
    runner = JobRunner(deps.db, job_kinds(settings.export_render_timeout_seconds), deps)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        deps.bus.connect_in_background()
        try:
            yield
        finally:
            await runner.drain(settings.shutdown_grace_seconds)
            await deps.close()

    return create_service_app(
        service="exports",
        title="Bidwright exports",
        routers=[router],
        health=health or Health(deps.dependencies),
        verifier=verifier or IdentityVerifier("exports", KeySet(url=settings.identity_jwks_url)),
        lifespan=lifespan,
        state={"deps": deps, "runner": runner},
    )
