"""Routes that are no API: `/`, /app, the files at the top, the published keys, the edge's readiness."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse

from common.errors import NotFound
from gateway.edge.settings import comma_list
from gateway.http import DepsOf
from gateway.openapi.page import html_page
from gateway.site.ready import EdgeReadiness
from gateway.site.spa import Spa

router = APIRouter(include_in_schema=False)

_LANDING = html_page(
    "Bidwright",
    "<h1>From the call to a file whose bytes anyone can verify</h1>"
    "<p>Bidwright is where a team writes grant and tender proposals: bring the call and your own documents, have each "
    "section planned and drafted, approve it, and export.</p>"
    '<p><a class="action" href="/app">Open the app</a></p>'
    '<p>Building on it? Read the <a href="/api/docs">API reference</a>.</p>',
)


@router.api_route("/", methods=["GET", "HEAD"])
async def landing(request: Request, deps: DepsOf) -> Response:
    """To the app on APP_HOSTS, else a small page."""
    host = request.headers.get("host", "").partition(":")[0].lower()
    if host in comma_list(deps.settings.app_hosts.lower()):
        return RedirectResponse("/app", status_code=302, headers={"cache-control": "no-cache"})
    return HTMLResponse(_LANDING, headers={"cache-control": "no-cache"})


@router.api_route("/app", methods=["GET", "HEAD"])
async def app_root(request: Request) -> Response:
    """The SPA's page; without this, the mount would redirect to an absolute address that may be the wrong one."""
    return await _spa(request).get_response("index.html", request.scope)


@router.api_route("/favicon.svg", methods=["GET", "HEAD"])
async def favicon(request: Request) -> Response:
    """The SPA's icon."""
    return await _spa(request).get_response("favicon.svg", request.scope)


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def no_ico() -> Response:
    """There is only the drawn one."""
    raise NotFound


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
async def robots() -> Response:
    """Nothing but the landing page is for everyone."""
    return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /app/\n")


@router.get("/.well-known/jwks.json")
async def published_keys(deps: DepsOf) -> dict[str, Any]:
    """The keys that identities are verified with; the edge does not route here."""
    return deps.signer.published()


@router.api_route("/edge/readyz", methods=["GET", "HEAD"])
async def edge_readyz(request: Request) -> Response:
    """All services' readiness; the edge answers /readyz with this."""
    answer = await cast(EdgeReadiness, request.app.state.edge_readiness).check()
    return JSONResponse(answer, status_code=200 if answer["status"] == "ok" else 503)


def _spa(request: Request) -> Spa:
    return cast(Spa, request.app.state.spa)
