"""The service's HTTP application."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from ai.answers import api as answers_api
from ai.citations import api as citations_api
from ai.compliance import api as compliance_api
from ai.deps import Deps
from ai.generation import api as generation_api
from ai.generation import insight_api, stream_api
from ai.proposals import api as proposals_api
from ai.provenance import api as provenance_api
from ai.sections import api as sections_api
from ai.settings import Settings
from common.health import Health
from common.identity import IdentityVerifier
from common.service_app import create_service_app

ROUTERS: tuple[APIRouter, ...] = (
    proposals_api.router,
    sections_api.router,
    compliance_api.router,
    provenance_api.router,
    citations_api.router,
    answers_api.router,
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
    """The app; `deps` lives as long as it does, `verifier` is for tests that sign their own identities."""
    return create_service_app(
        settings,
        deps,
        title="Bidwright ai: proposals, sections, drafting",
        routers=ROUTERS,
        health=health,
        verifier=verifier,
    )
