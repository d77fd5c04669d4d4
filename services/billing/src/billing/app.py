"""Billing's HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from billing.api import router
from billing.deps import Deps
from billing.settings import Settings
from common.health import Dependency, Health
from common.http import create_app as create_common_app
from common.identity import IdentityVerifier, KeySet


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
                Dependency("nats", opened.bus.ping, required=False),
            )
            yield

    return create_common_app(
        service="billing",
        title="Bidwright billing",
        routers=[router],
        health=health,
        verifier=verifier or IdentityVerifier("billing", KeySet(settings.identity_jwks_url)),
        lifespan=lifespan,
    )
