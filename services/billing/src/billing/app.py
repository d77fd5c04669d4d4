"""Billing's HTTP application."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from billing.api import router
from billing.deps import Deps
from billing.settings import Settings
from common.health import Health
from common.identity import IdentityVerifier
from common.service_app import create_service_app


def create_app(
    settings: Settings,
    deps: AbstractAsyncContextManager[Deps],
    *,
    health: Health,
    verifier: IdentityVerifier | None = None,
) -> FastAPI:
    """The app; `deps` lives as long as it does, `verifier` is for tests that sign their own identities."""
    return create_service_app(
        settings, deps, title="Bidwright billing", routers=[router], health=health, verifier=verifier
    )
