"""Routes: /api/auth and /api/me."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from common.pagination import Page
from gateway.accounts import profile, service
from gateway.accounts.schemas import (
    Accepted,
    ForgotRequest,
    LoginRequest,
    Me,
    ProfileChange,
    Registered,
    RegisterRequest,
    ResetRequest,
    SessionView,
    TokenRequest,
    UserView,
)
from gateway.decision.requests import COOKIE_HTTP, COOKIE_HTTPS
from gateway.deps import Deps
from gateway.http import ActorOf, ClientOf, DepsOf, Person, Reader
from gateway.orgs.schemas import OrgMembership

router = APIRouter(tags=["account"])


@router.post("/api/auth/register", status_code=202, response_model_exclude_none=True)
async def register(body: RegisterRequest, deps: DepsOf) -> Registered:
    """Starts a registration; the answer does not tell whether the address has an account."""
    token = await service.register(deps, email=body.email, password=body.password, name=body.name)
    return Registered(verify_token=token)


@router.post("/api/auth/email/verify")
async def verify_email(body: TokenRequest, response: Response, deps: DepsOf, client: ClientOf) -> Me:
    """Confirms the address, makes the account with its personal org, and signs in."""
    signed_in = await service.verify_email(deps, body.token, client)
    return await welcome(response, deps, signed_in)


@router.post("/api/auth/login")
async def login(body: LoginRequest, response: Response, deps: DepsOf, client: ClientOf) -> Me:
    """Signs in."""
    signed_in = await service.login(deps, email=body.email, password=body.password, client=client)
    return await welcome(response, deps, signed_in)


@router.post("/api/auth/logout", status_code=204)
async def logout(response: Response, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Ends the present session."""
    assert person.session_id is not None
    await service.logout(deps, actor, person.session_id)
    name, secure = _cookie(deps)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


@router.post("/api/auth/password/forgot", status_code=202)
async def forgot(body: ForgotRequest, deps: DepsOf) -> Accepted:
    """Mails a link to choose a new password, if the address has an account; the answer does not tell."""
    await service.forgot_password(deps, body.email)
    return Accepted(status="mail_sent_if_known")


@router.post("/api/auth/password/reset")
async def reset(body: ResetRequest, deps: DepsOf, client: ClientOf) -> Accepted:
    """Sets a new password and ends every session."""
    await service.reset_password(deps, token=body.token, password=body.password, request_id=client.request_id)
    return Accepted(status="password_changed")


@router.get("/api/auth/sessions")
async def sessions(deps: DepsOf, person: Person) -> Page[SessionView]:
    """Where the caller is signed in, the latest used first."""
    found = await profile.sessions(deps, person.user_id)
    return Page(
        items=[
            SessionView(
                id=session.id,
                current=session.id == person.session_id,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
                user_agent=session.user_agent,
                address=session.address,
            )
            for session in found
        ]
    )


@router.delete("/api/auth/sessions", status_code=204)
async def end_other_sessions(deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Ends all sessions but the present one."""
    await service.end_sessions(deps, actor, keep=person.session_id)


@router.delete("/api/auth/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Ends one session; it is refused from its next request on."""
    await service.end_sessions(deps, actor, only=session_id)


@router.get("/api/me")
async def me(deps: DepsOf, reader: Reader) -> Me:
    """The caller and the orgs that they may name in X-Org-ID; a key sees its own org only."""
    found = await profile.profile(deps, reader.user_id)
    only = None if reader.scopes is None else reader.org_id
    return _me(found, only)


@router.patch("/api/me")
async def change_me(body: ProfileChange, deps: DepsOf, actor: ActorOf, person: Person) -> Me:
    """Changes the name, the password, or whether a passkey is needed beside it (after a fresh sign-in)."""
    found = await profile.change_profile(
        deps,
        actor,
        session_id=person.session_id,
        name=body.name,
        current_password=body.current_password,
        password=body.password,
        second_factor_on=body.second_factor,
    )
    return _me(found)


@router.delete("/api/me", status_code=204)
async def erase_me(response: Response, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Erases the account and the personal org; each part of the product erases what it kept of it."""
    await profile.erase(deps, actor)
    name, secure = _cookie(deps)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


def _cookie(deps: Deps) -> tuple[str, bool]:
    https = deps.settings.https
    return (COOKIE_HTTPS if https else COOKIE_HTTP), https


def set_session_cookie(response: Response, deps: Deps, signed_in: service.SignedIn) -> None:
    """Signs the browser in."""
    name, secure = _cookie(deps)
    response.set_cookie(
        name,
        signed_in.cookie,
        max_age=deps.settings.session_max_days * 86_400,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    response.headers["cache-control"] = "no-store"


async def welcome(response: Response, deps: Deps, signed_in: service.SignedIn) -> Me:
    """The answer to every sign-in: the cookie, and who one is."""
    set_session_cookie(response, deps, signed_in)
    return _me(await profile.profile(deps, signed_in.user.id))


def _me(found: profile.Profile, only: UUID | None = None) -> Me:
    user = found.user
    return Me(
        user=UserView(
            id=user.id,
            email=user.email,
            name=user.name,
            created_at=user.created_at,
            second_factor=user.second_factor,
            has_password=user.password_hash is not None,
        ),
        orgs=[OrgMembership.model_validate(org) for org in found.orgs if only is None or org.id == only],
    )
