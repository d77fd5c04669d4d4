"""The HTTP application of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from common.health import Health
from common.identity import IdentityVerifier
from common.jobs import JobRunner
from common.service_app import create_service_app
from exports.api import router
from exports.deps import Deps
from exports.jobs import job_kinds
from exports.settings import Settings


def create_app(
    settings: Settings,
    deps: AbstractAsyncContextManager[Deps],
    *,
    health: Health,
    verifier: IdentityVerifier | None = None,
) -> FastAPI:
    """The app; `deps` lives as long as it does, `verifier` is for tests that sign their own identities."""

    @asynccontextmanager
    async def around(app: FastAPI, opened: Deps) -> AsyncIterator[None]:
        runner = JobRunner(opened.db, job_kinds(settings.export_render_timeout_seconds), opened)
        app.state.runner = runner
        try:
            yield
        finally:
            await runner.drain(settings.shutdown_grace_seconds)

    return create_service_app(
        settings,
        deps,
        title="Bidwright exports",
        routers=[router],
        health=health,
        verifier=verifier,
        around=around,
    )
