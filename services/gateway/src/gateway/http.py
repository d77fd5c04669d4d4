"""What the gateway's routes share: their dependencies, and who is asking."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from common.errors import ScopeForbidden, Unauthenticated
from common.identity import Identity, current_identity
from gateway.accounts.service import Client
from gateway.decision.requests import COOKIE_HTTP, COOKIE_HTTPS, cookie_value
from gateway.deps import Actor, Deps
from gateway.tokens import MAX_TOKEN_LENGTH


def get_deps(request: Request) -> Deps:
    """The process's dependencies."""
    return cast(Deps, request.app.state.deps)


def get_client(request: Request) -> Client:
    """The browser at the other end; its address is what the edge saw."""
    name = COOKIE_HTTPS if get_deps(request).settings.https else COOKIE_HTTP
    cookie = cookie_value(request.headers.get("cookie", ""), name)
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return Client(
        user_agent=request.headers.get("user-agent", ""),
        address=forwarded or (request.client.host if request.client else "unknown"),
        request_id=request.state.request_id,
        cookie=cookie if len(cookie) <= MAX_TOKEN_LENGTH else "",
    )


async def signed_in(request: Request, identity: Annotated[Identity, Depends(current_identity)]) -> Identity:
    """The caller, who came with a session: what a key must never do. Raises ScopeForbidden."""
    if identity.scopes is not None:
        raise ScopeForbidden("This needs a person who is signed in, not an API key.")
    if identity.session_id is None:
        raise Unauthenticated
    return identity


async def org_reader(identity: Annotated[Identity, Depends(current_identity)]) -> Identity:
    """The caller: a person, or a key that may read its org."""
    if not identity.has_scope("org:read"):
        raise ScopeForbidden("This API key lacks the scope org:read; make one that has it.")
    return identity


def get_actor(request: Request, identity: Annotated[Identity, Depends(current_identity)]) -> Actor:
    """The caller, for the audit."""
    return Actor.of(identity, request.state.request_id)


DepsOf = Annotated[Deps, Depends(get_deps)]
ClientOf = Annotated[Client, Depends(get_client)]
ActorOf = Annotated[Actor, Depends(get_actor)]
Person = Annotated[Identity, Depends(signed_in)]
Reader = Annotated[Identity, Depends(org_reader)]
