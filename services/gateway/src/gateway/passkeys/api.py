"""Routes: /api/auth/passkeys."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from common.pagination import Page
from gateway.accounts.api import welcome
from gateway.accounts.schemas import Me
from gateway.http import ActorOf, ClientOf, DepsOf, Person
from gateway.passkeys import service
from gateway.passkeys.schemas import (
    CreationOptions,
    NewPasskeyRequest,
    PasskeyChange,
    PasskeySignIn,
    PasskeyView,
    RequestOptions,
)

router = APIRouter(tags=["account"])


@router.post("/api/auth/passkeys/options")
async def creation_options(response: Response, deps: DepsOf, actor: ActorOf, person: Person) -> CreationOptions:
    """What the browser makes a new passkey from. Needs a fresh sign-in."""
    response.headers["cache-control"] = "no-store"
    return CreationOptions.model_validate(await service.creation_options(deps, actor, person.session_id))


@router.post("/api/auth/passkeys", status_code=201)
async def add(body: NewPasskeyRequest, deps: DepsOf, actor: ActorOf, person: Person) -> PasskeyView:
    """Keeps the passkey that the browser has made. Needs a fresh sign-in."""
    made = await service.add(deps, actor, person.session_id, name=body.name, credential=body.credential.plain())
    return PasskeyView.model_validate(made)


@router.get("/api/auth/passkeys")
async def list_passkeys(deps: DepsOf, person: Person) -> Page[PasskeyView]:
    """The caller's passkeys, all of them, the oldest first."""
    found = await service.list_passkeys(deps, person.user_id)
    return Page(items=[PasskeyView.model_validate(passkey) for passkey in found])


@router.patch("/api/auth/passkeys/{passkey_id}")
async def rename(passkey_id: UUID, body: PasskeyChange, deps: DepsOf, actor: ActorOf, person: Person) -> PasskeyView:
    """Gives a passkey another name."""
    return PasskeyView.model_validate(await service.rename(deps, actor, passkey_id, body.name))


@router.delete("/api/auth/passkeys/{passkey_id}", status_code=204)
async def remove(passkey_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Forgets a passkey; with the last one the second factor goes. Needs a fresh sign-in."""
    await service.remove(deps, actor, person.session_id, passkey_id)


@router.post("/api/auth/passkeys/sign-in/options")
async def sign_in_options(response: Response, deps: DepsOf) -> RequestOptions:
    """What the browser asks a passkey for, to sign in with it alone."""
    response.headers["cache-control"] = "no-store"
    return RequestOptions.model_validate(await service.sign_in_options(deps))


@router.post("/api/auth/passkeys/sign-in")
async def sign_in(body: PasskeySignIn, response: Response, deps: DepsOf, client: ClientOf) -> Me:
    """Signs in: with a passkey alone, or with the ticket as the second factor after a password."""
    signed_in = await service.sign_in_with(deps, credential=body.credential.plain(), ticket=body.ticket, client=client)
    return await welcome(response, deps, signed_in)
