"""The HTTP application of uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from common.health import Health
from common.http import create_app as create_common_app
from common.identity import IdentityVerifier, KeySet
from uploads.api import router
from uploads.deps import Deps
from uploads.settings import Settings


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
            health.dependencies = opened.dependencies
            yield

    return create_common_app(
        service="uploads",
        title="Bidwright uploads",
        routers=[router],
        health=health,
        verifier=verifier or IdentityVerifier("uploads", KeySet(settings.identity_jwks_url)),
        lifespan=lifespan,
    )
