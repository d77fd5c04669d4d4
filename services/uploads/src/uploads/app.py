"""The HTTP application of uploads."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from common.health import Health
from common.identity import IdentityVerifier
from common.service_app import create_service_app
from uploads.api import router
from uploads.deps import Deps
from uploads.resumable.api import router as resumable
from uploads.settings import Settings


def create_app(
    settings: Settings,
    deps: AbstractAsyncContextManager[Deps],
    *,
    health: Health,
    verifier: IdentityVerifier | None = None,
) -> FastAPI:
    """The app; `deps` lives as long as it does, `verifier` is for tests that sign their own identities."""
    return create_service_app(
        settings, deps, title="Bidwright uploads", routers=[resumable, router], health=health, verifier=verifier
    )
