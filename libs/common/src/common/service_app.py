"""The HTTP application of a service: its routes over its dependencies, which live as long as the app does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TypeVar

from fastapi import APIRouter, FastAPI

from common.health import Health
from common.http import create_app
from common.identity import IdentityVerifier, KeySet
from common.parts import ServiceDeps
from common.revocations import Revocations
from common.settings import ServiceSettings

D = TypeVar("D", bound=ServiceDeps)


def create_service_app(
    settings: ServiceSettings,
    deps: AbstractAsyncContextManager[D],
    *,
    title: str,
    routers: Sequence[APIRouter],
    health: Health,
    verifier: IdentityVerifier | None = None,
    around: Callable[[FastAPI, D], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Builds the app. `deps` is opened before the first request and closed after the last.

    Args:
        title: the heading of its OpenAPI document.
        health: gets the dependencies to ask once they are open.
        verifier: for tests that sign their own identities, and for the gateway, whose keys are its own.
        around: what else lives as long as the app, inside its dependencies.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with deps as opened:
            app.state.deps = opened
            health.dependencies = opened.dependencies
            app.state.revocations = Revocations()
            async with app.state.revocations.listening(opened.bus), around(app, opened) if around else nullcontext():
                yield

    return create_app(
        service=settings.SERVICE,
        title=title,
        routers=routers,
        health=health,
        verifier=verifier or IdentityVerifier(settings.SERVICE, KeySet(settings.identity_jwks_url)),
        lifespan=lifespan,
    )
