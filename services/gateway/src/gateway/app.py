"""The gateway's one ASGI app: the decision bare, everything else through FastAPI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from common.health import Health
from common.identity import IdentityVerifier
from common.service_app import create_service_app
from gateway.accounts.api import router as accounts
from gateway.audit.api import router as audit
from gateway.bootstrap import make_decider
from gateway.decision.app import DecisionApp
from gateway.decision.requests import AUTHZ_PREFIX
from gateway.deps import Deps
from gateway.keys.api import router as keys
from gateway.oauth.api import router as oauth
from gateway.openapi.api import router as openapi
from gateway.openapi.collector import Collector
from gateway.orgs.api import router as orgs
from gateway.passkeys.api import router as passkeys
from gateway.settings import Settings
from gateway.site.api import router as site
from gateway.site.ready import EdgeReadiness
from gateway.site.spa import Spa


class Gateway:
    """`/authz/...` to the decision, the rest to `app`. The decision exists while the app's lifespan is open."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.decision: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.decision is not None and scope["type"] == "http" and scope["path"].startswith(AUTHZ_PREFIX + "/"):
            await self.decision(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def create_app(settings: Settings, deps: AbstractAsyncContextManager[Deps], *, health: Health) -> Gateway:
    """The app; `deps` lives as long as it does."""

    @asynccontextmanager
    async def around(app: FastAPI, opened: Deps) -> AsyncIterator[None]:
        # Its own keys need no fetching.
        app.state.identity_verifier = IdentityVerifier("gateway", opened.signer.key_set())
        gateway.decision = DecisionApp(make_decider(opened))
        collecting = asyncio.create_task(app.state.collector.run())
        try:
            yield
        finally:
            collecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await collecting

    app = create_service_app(
        settings,
        deps,
        title="Bidwright gateway",
        routers=[accounts, oauth, passkeys, orgs, keys, audit, openapi, site],
        health=health,
        around=around,
    )
    app.state.spa = Spa(settings.web_dist)
    app.mount("/app", app.state.spa)
    app.state.collector = Collector(app.openapi(), settings.upstreams)
    app.state.edge_readiness = EdgeReadiness(health, settings.upstreams)
    gateway = Gateway(app)
    return gateway
