"""The service's HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from ai.deps import Deps
from ai.generation import api as generation_api
from ai.generation import insight_api, stream_api
from ai.proposals import api as proposals_api
from ai.sections import api as sections_api
from ai.settings import Settings
from common.health import Dependency, Health
from common.http import create_app as create_common_app
from common.identity import IdentityVerifier, KeySet

ROUTERS: tuple[APIRouter, ...] = (
    proposals_api.router,
    sections_api.router,
    generation_api.router,
    stream_api.router,
    insight_api.router,
)


def create_app(
    settings: Settings,
    deps: AbstractAsyncContextManager[Deps],
    *,
    health: Health,
    verifier: IdentityVerifier | None = None,
) -> FastAPI:
    """The app; `deps` is opened before the first request and closed after the last.

    Args:
        verifier: for tests that sign their own identities.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with deps as opened:
            app.state.deps = opened
            health.dependencies = (
                Dependency("postgres", opened.db.ping),
                # Without NATS the outbox waits, and requests go on.
                Dependency("nats", opened.bus.ping, required=False),
            )
            yield

    return create_common_app(
        service="ai",
        title="Bidwright ai: proposals, sections, drafting",
        routers=ROUTERS,
        health=health,
        verifier=verifier or IdentityVerifier("ai", KeySet(settings.identity_jwks_url)),
        lifespan=lifespan,
    )
