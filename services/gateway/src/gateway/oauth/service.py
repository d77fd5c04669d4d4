"""Signing in with an account at another provider, and which accounts are linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from common.db import Tenant, UnitOfWork
from common.errors import Conflict, NotFound
from gateway.accounts import repository as accounts
from gateway.accounts.service import Client, SignedIn, add_account, sign_in
from gateway.audit.repository import record
from gateway.deps import Actor, Deps
from gateway.errors import EmailUnverified, InvalidOAuthState, ProviderUnavailable, SecondFactorRequired
from gateway.models import ExternalIdentity, User
from gateway.oauth import repository
from gateway.oauth.domain import MAX_CODE, Claim, Reply, person_name, safe_next
from gateway.oauth.providers import Provider, new_journey
from gateway.oauth.refusals import refusal_of
from gateway.passkeys import repository as passkeys
from gateway.passkeys import second_factor
from gateway.tokens import MAX_TOKEN_LENGTH, new_token

# Two browsers may link, or make, the same account at the same time: the later one finds what the first has made.
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser is sent, and the value of the cookie that it is known by when it comes back."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sign-in that is done, and the path within the app that was asked for."""

    signed_in: SignedIn
    next: str


async def start(deps: Deps, name: str, asked_next: str | None) -> Departure:
    """Begins a sign-in. Raises NotFound for a provider that is not set up, ProviderUnavailable."""
    provider = _provider(deps, name)
    browser = new_token()
    journey = new_journey(new_token(), new_token())
    address = await provider.address(journey)
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        path = safe_next(asked_next)
        repository.add_state(uow, journey, browser=browser, provider=name, path=path, now=deps.clock.now())
        await uow.commit()
    return Departure(address, browser)


async def finish(deps: Deps, name: str, reply: Reply, *, browser: str, client: Client) -> Arrival:
    """Ends it. Raises InvalidOAuthState, OAuthDenied, EmailUnverified, ProviderUnavailable, SecondFactorRequired."""
    provider = _provider(deps, name)
    if not 0 < len(reply.state) <= MAX_TOKEN_LENGTH or not 0 < len(browser) <= MAX_TOKEN_LENGTH:
        raise InvalidOAuthState
    # Its own transaction: a state is used up also when what follows fails, and nothing is held while the provider is
    # asked.
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        now = deps.clock.now()
        taken = await repository.take_state(uow, reply.state, browser=browser, provider=name, now=now)
        await uow.commit()
    if taken is None:
        raise InvalidOAuthState
    if reply.error:
        raise refusal_of(reply.error)
    if not 0 < len(reply.code) <= MAX_CODE:
        raise InvalidOAuthState
    claim = await provider.identify(reply.code, verifier=taken.verifier, nonce=taken.nonce)
    for _ in range(TRIES):
        try:
            return Arrival(await _sign_in(deps, name, claim, client), taken.next)
        except SecondFactorRequired as asked:
            asked.extra["next"] = taken.next
            raise
        except IntegrityError:
            continue
    raise ProviderUnavailable


async def identities(deps: Deps, actor: Actor) -> Sequence[ExternalIdentity]:
    """The caller's accounts at other providers."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        return await repository.identities_of(uow, actor.user_id)


async def unlink(deps: Deps, actor: Actor, name: str) -> None:
    """Forgets the caller's account at a provider. Raises NotFound, and Conflict when it is the only way in."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await accounts.user_by_id(uow, actor.user_id, lock=True)
        if user is None or not await repository.delete_of(uow, user.id, name):
            raise NotFound
        others = await repository.count(uow, user.id) + await passkeys.count(uow, user.id)
        if user.password_hash is None and not others:
            raise Conflict("This is your only way to sign in; set a password or add a passkey first.")
        await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
        record(uow, user.personal_org_id, actor, "identity.unlinked", user.id, at=deps.clock.now(), provider=name)
        await uow.commit()


def _provider(deps: Deps, name: str) -> Provider:
    provider = deps.providers.get(name)
    if provider is None:
        raise NotFound("This way to sign in is not offered.")
    return provider


async def _sign_in(deps: Deps, name: str, claim: Claim, client: Client) -> SignedIn:
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = await _find(uow, name, claim, now=now)
        user = found.user
        # Who needs a second factor after a password needs one here as well; nothing is linked before.
        if not user.second_factor:
            signed_in = await sign_in(deps, uow, user, client, found.action, provider=name)
            if found.linked:
                actor = Actor(user.id, "session", client.request_id)
                record(uow, user.personal_org_id, actor, "identity.linked", user.id, at=now, provider=name)
            await uow.commit()
            return signed_in
    raise await second_factor.ask(deps, user)


@dataclass(frozen=True, slots=True)
class _Found:
    user: User
    action: str
    linked: bool


async def _find(uow: UnitOfWork, name: str, claim: Claim, *, now: datetime) -> _Found:
    """Whose account at the provider this is, locked and under their own org. One that is not linked yet is linked by
    its verified address, to the account that has it or to a new one."""
    identity = await repository.find(uow, name, claim.subject)
    if identity is not None:
        # The person first, then what is theirs: the order in which everyone locks.
        user = await accounts.user_by_id(uow, identity.user_id, lock=True)
        identity = await repository.find(uow, name, claim.subject)
        if user is not None and identity is not None:
            identity.last_used_at, identity.email = now, claim.email or identity.email
            await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
            return _Found(user, "session.created", linked=False)
    if claim.email is None:
        raise EmailUnverified("The provider has not verified your e-mail address; verify it there first.")
    known = await accounts.user_by_email(uow, claim.email)
    user = await accounts.user_by_id(uow, known.id, lock=True) if known is not None else None
    action = "session.created"
    if user is None:
        action = "user.registered"
        called = person_name(claim.name, claim.email)
        user = await add_account(uow, email=claim.email, name=called, password_hash=None, now=now)
    uow.session.add(
        ExternalIdentity(
            provider=name,
            subject=claim.subject,
            user_id=user.id,
            email=claim.email,
            linked_at=now,
            last_used_at=now,
        )
    )
    await uow.flush()
    await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
    return _Found(user, action, linked=True)
