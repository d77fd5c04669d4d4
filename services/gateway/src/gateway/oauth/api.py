"""Routes: /api/auth/providers, /api/auth/oauth and /api/auth/identities."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from common.errors import BidwrightError, NotFound
from common.pagination import Page
from gateway.accounts.api import set_session_cookie
from gateway.deps import Deps
from gateway.errors import SecondFactorRequired
from gateway.http import ActorOf, ClientOf, DepsOf, Person
from gateway.oauth import service
from gateway.oauth.domain import PROVIDER_NAMES, STATE_LIFE, Reply
from gateway.oauth.schemas import IdentityView, Providers

router = APIRouter(tags=["account"])

REDIRECT = 302
COOKIE_HTTP = "bidwright-oauth"
COOKIE_HTTPS = "__Host-bidwright-oauth"

NextParameter = Annotated[str | None, Query(alias="next", description="A path within the app, to go to afterwards")]
CodeParameter = Annotated[str, Query(description="What the provider gave the browser")]


@router.get("/api/auth/providers")
async def providers(deps: DepsOf) -> Providers:
    """Other ways to sign in that are set up."""
    return Providers(providers=[name for name in PROVIDER_NAMES if name in deps.providers])


@router.get("/api/auth/oauth/{provider}/start", status_code=REDIRECT, response_class=RedirectResponse)
async def start(provider: str, request: Request, deps: DepsOf, path: NextParameter = None) -> Response:
    """Sends the browser to the provider."""
    try:
        departure = await service.start(deps, provider, path)
    except BidwrightError as error:
        return _refused(request, deps, error)
    response = _redirect(departure.address)
    name, secure = _cookie(deps)
    life = int(STATE_LIFE.total_seconds())
    response.set_cookie(name, departure.browser, max_age=life, path="/", secure=secure, httponly=True, samesite="lax")
    return response


@router.get("/api/auth/oauth/{provider}/callback", status_code=REDIRECT, response_class=RedirectResponse)
async def callback(
    provider: str,
    request: Request,
    deps: DepsOf,
    client: ClientOf,
    state: CodeParameter = "",
    code: CodeParameter = "",
    error: CodeParameter = "",
) -> Response:
    """Where the provider sends the browser back to: signs in and goes on into the app."""
    name, secure = _cookie(deps)
    browser = request.cookies.get(name, "")
    try:
        arrival = await service.finish(deps, provider, Reply(state, code, error), browser=browser, client=client)
    except BidwrightError as refusal:
        return _refused(request, deps, refusal)
    response = _redirect(f"{deps.settings.base_url}/app{arrival.next}")
    set_session_cookie(response, deps, arrival.signed_in)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    return response


@router.get("/api/auth/identities")
async def identities(deps: DepsOf, actor: ActorOf, person: Person) -> Page[IdentityView]:
    """The caller's accounts at other providers, all of them, the oldest link first."""
    found = await service.identities(deps, actor)
    return Page(items=[IdentityView.model_validate(identity) for identity in found])


@router.delete("/api/auth/identities/{provider}", status_code=204)
async def unlink(provider: str, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Forgets the caller's account at a provider; refused when it is their only way in."""
    if provider not in PROVIDER_NAMES:
        raise NotFound
    await service.unlink(deps, actor, provider)


def _cookie(deps: Deps) -> tuple[str, bool]:
    https = deps.settings.https
    return (COOKIE_HTTPS if https else COOKIE_HTTP), https


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, REDIRECT, headers={"cache-control": "no-store"})


def _refused(request: Request, deps: Deps, error: BidwrightError) -> Response:
    """A person is led back to the sign-in page, which explains or goes on; a program gets the problem."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    page = f"{deps.settings.base_url}/app/sign-in"
    if isinstance(error, SecondFactorRequired):
        # Behind the `#`, which no browser sends and no server logs.
        step = {"ticket": error.extra["ticket"], "options": error.extra["options"]}
        packed = urlsafe_b64encode(json.dumps(step, separators=(",", ":")).encode()).decode().rstrip("=")
        return _redirect(f"{page}?next={quote(error.extra['next'])}#second-step={packed}")
    return _redirect(f"{page}?problem={quote(error.error)}")
