"""Adding, naming and removing passkeys, and signing in with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from common.db import Tenant, UnitOfWork
from common.errors import Conflict, NotFound
from common.ids import new_id
from gateway.accounts import repository as accounts
from gateway.accounts.service import Client, SignedIn, sign_in
from gateway.audit.repository import record
from gateway.deps import Actor, Deps
from gateway.errors import InvalidPasskey, WrongPasskey
from gateway.models import Passkey, User
from gateway.passkeys import repository, webauthn
from gateway.passkeys.domain import MAX_PASSKEYS, RelyingParty, is_suspect, new_challenge
from gateway.passkeys.second_factor import require_fresh, switch


async def creation_options(deps: Deps, actor: Actor, session_id: UUID | None) -> dict[str, Any]:
    """What the browser makes a passkey from. Raises FreshSignInRequired, and Conflict when there are too many."""
    challenge = new_challenge()
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await accounts.user_by_id(uow, actor.user_id)
        if user is None:
            raise NotFound
        await require_fresh(deps, uow, session_id)
        existing = await repository.passkeys_of(uow, user.id)
        _check_room(len(existing))
        repository.add_ceremony(uow, challenge, purpose="register", now=deps.clock.now(), user_id=user.id)
        await uow.commit()
    return webauthn.creation_options(
        _rp(deps), challenge, user_id=user.id, email=user.email, name=user.name, existing=existing
    )


async def add(
    deps: Deps, actor: Actor, session_id: UUID | None, *, name: str, credential: Mapping[str, Any]
) -> Passkey:
    """Keeps a passkey that the browser has made. Raises FreshSignInRequired, InvalidPasskey, Conflict."""
    now = deps.clock.now()
    try:
        challenge_hash = webauthn.read_new_challenge(credential)
        async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
            await require_fresh(deps, uow, session_id)
            ceremony = await repository.take_ceremony(
                uow, challenge_hash, purpose="register", now=now, user_id=actor.user_id
            )
            await uow.commit()
        if ceremony is None:
            raise InvalidPasskey("This took too long, or was sent before; start again.")
        made = webauthn.verify_new(_rp(deps), credential)
    except webauthn.BadCredential:
        raise InvalidPasskey from None
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await _lock(uow, actor.user_id)
        _check_room(await repository.count(uow, user.id))
        passkey = Passkey(
            id=new_id(),
            user_id=user.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=made.transports,
            aaguid=made.aaguid,
            synced=made.synced,
            backed_up=made.backed_up,
            name=name,
            created_at=now,
        )
        uow.session.add(passkey)
        try:
            await uow.flush()
        except IntegrityError:
            raise Conflict("This passkey is in use already.") from None
        record(uow, user.personal_org_id, actor, "passkey.added", passkey.id, at=now, name=name)
        await uow.commit()
    return passkey


async def list_passkeys(deps: Deps, user_id: UUID) -> Sequence[Passkey]:
    """The person's passkeys, the oldest first."""
    async with deps.db.unit_of_work(Tenant(user_id=user_id)) as uow:
        return await repository.passkeys_of(uow, user_id)


async def rename(deps: Deps, actor: Actor, passkey_id: UUID, name: str) -> Passkey:
    """Gives a passkey another name. Raises NotFound."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await _lock(uow, actor.user_id)
        passkey = await _passkey(uow, user, passkey_id)
        passkey.name = name
        record(uow, user.personal_org_id, actor, "passkey.renamed", passkey.id, at=deps.clock.now(), name=name)
        await uow.commit()
    return passkey


async def remove(deps: Deps, actor: Actor, session_id: UUID | None, passkey_id: UUID) -> None:
    """Forgets a passkey; without the last one there is no second factor. Raises FreshSignInRequired, NotFound, and
    Conflict when it is the only way in."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await _lock(uow, actor.user_id)
        await require_fresh(deps, uow, session_id)
        passkey = await _passkey(uow, user, passkey_id)
        if await repository.count(uow, user.id) == 1:
            if not await accounts.has_way_in_beside_passkeys(uow, user):
                raise Conflict("This passkey is your only way to sign in; set a password or add another one first.")
            await switch(deps, uow, user, actor, session_id=session_id, on=False)
        await uow.session.delete(passkey)
        record(uow, user.personal_org_id, actor, "passkey.removed", passkey.id, at=deps.clock.now(), name=passkey.name)
        await uow.commit()


async def sign_in_options(deps: Deps) -> dict[str, Any]:
    """What a browser asks its passkeys for us to sign; the same for everyone."""
    challenge = new_challenge()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        repository.add_ceremony(uow, challenge, purpose="sign_in", now=deps.clock.now())
        await uow.commit()
    return webauthn.request_options(_rp(deps), challenge, second_factor=False)


async def sign_in_with(deps: Deps, *, credential: Mapping[str, Any], ticket: str | None, client: Client) -> SignedIn:
    """Signs in, with the passkey alone or as the second factor that the ticket asks for. Raises WrongPasskey,
    LoginThrottled."""
    try:
        shown = webauthn.read_assertion(credential)
    except webauthn.BadCredential:
        raise WrongPasskey from None
    # Counted for the passkey, not the person: who tries passwords for them does not lock out their passkey.
    async with deps.throttle.attempt(f"passkey:{shown.credential_id.hex()}", client.address) as attempt:
        ceremony = await _take(deps, shown, ticket)
        signed_in = await _sign_in(deps, shown, credential, ceremony, client) if ceremony is not None else None
        attempt.right = signed_in is not None
    if signed_in is None:
        raise WrongPasskey
    return signed_in


async def _take(deps: Deps, shown: webauthn.Shown, ticket: str | None) -> repository.Ceremony | None:
    # Its own transaction: a challenge is used up also by a wrong answer.
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        purpose = "sign_in" if ticket is None else "second_factor"
        now = deps.clock.now()
        ceremony = await repository.take_ceremony(uow, shown.challenge_hash, purpose=purpose, now=now, ticket=ticket)
        await uow.commit()
    return ceremony


async def _sign_in(
    deps: Deps,
    shown: webauthn.Shown,
    credential: Mapping[str, Any],
    ceremony: repository.Ceremony,
    client: Client,
) -> SignedIn | None:
    now = deps.clock.now()
    alone = ceremony.user_id is None
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = await repository.by_credential(uow, shown.credential_id)
        # The person first, then what is theirs: the order in which everyone locks.
        user = await accounts.user_by_id(uow, found.user_id, lock=True) if found is not None else None
        passkey = await repository.by_credential(uow, shown.credential_id) if user is not None else None
        if user is None or passkey is None or not _is_theirs(user, shown, ceremony):
            return None
        try:
            asserted = webauthn.verify_assertion(_rp(deps), credential, passkey.public_key, user_verified=alone)
        except webauthn.BadCredential:
            return None
        await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
        if is_suspect(passkey.sign_count, asserted.sign_count):
            actor, counts = Actor(user.id, "session", client.request_id), (passkey.sign_count, asserted.sign_count)
            record(uow, user.personal_org_id, actor, "passkey.suspect", passkey.id, at=now, counts=counts)
            await uow.commit()
            return None
        passkey.sign_count, passkey.backed_up, passkey.last_used_at = asserted.sign_count, asserted.backed_up, now
        signed_in = await sign_in(deps, uow, user, client, "session.created")
        await uow.commit()
    return signed_in


def _is_theirs(user: User, shown: webauthn.Shown, ceremony: repository.Ceremony) -> bool:
    if ceremony.user_id is None:
        return shown.user_handle == user.id.bytes
    return ceremony.user_id == user.id and shown.user_handle in (None, user.id.bytes)


def _rp(deps: Deps) -> RelyingParty:
    return RelyingParty.of(deps.settings.base_url)


def _check_room(count: int) -> None:
    if count >= MAX_PASSKEYS:
        raise Conflict(f"You have {MAX_PASSKEYS} passkeys, as many as there may be; remove one first.")


async def _lock(uow: UnitOfWork, user_id: UUID) -> User:
    user = await accounts.user_by_id(uow, user_id, lock=True)
    if user is None:
        raise NotFound
    await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
    return user


async def _passkey(uow: UnitOfWork, user: User, passkey_id: UUID) -> Passkey:
    passkey = await repository.passkey_of(uow, user.id, passkey_id)
    if passkey is None:
        raise NotFound
    return passkey
