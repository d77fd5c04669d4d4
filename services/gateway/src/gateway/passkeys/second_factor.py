"""The second factor after a password, and what may be changed only soon after a sign-in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from common.db import Tenant, UnitOfWork
from common.errors import Conflict
from gateway.audit.repository import record
from gateway.deps import Actor, Deps
from gateway.errors import FreshSignInRequired, SecondFactorRequired
from gateway.models import Session, User
from gateway.passkeys import repository, webauthn
from gateway.passkeys.domain import RelyingParty, is_fresh, new_challenge
from gateway.tokens import new_token


async def ask(deps: Deps, user: User) -> SecondFactorRequired:
    """The answer to whoever has shown the first factor of this person: a ticket, and what their passkey is to sign."""
    ticket, challenge = new_token(), new_challenge()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        passkeys = await repository.passkeys_of(uow, user.id)
        repository.add_ceremony(
            uow, challenge, purpose="second_factor", now=deps.clock.now(), user_id=user.id, ticket=ticket
        )
        await uow.commit()
    rp = RelyingParty.of(deps.settings.base_url)
    options = webauthn.request_options(rp, challenge, allowed=passkeys, second_factor=True)
    return SecondFactorRequired(headers={"Cache-Control": "no-store"}, ticket=ticket, options=options)


async def require_fresh(deps: Deps, uow: UnitOfWork, session_id: UUID | None) -> None:
    """Raises FreshSignInRequired when the caller's session is not from a moment ago."""
    session = await uow.session.get(Session, session_id) if session_id is not None else None
    life = timedelta(minutes=deps.settings.fresh_sign_in_minutes)
    if session is None or not is_fresh(session.created_at, deps.clock.now(), life):
        raise FreshSignInRequired


async def switch(deps: Deps, uow: UnitOfWork, user: User, actor: Actor, *, session_id: UUID | None, on: bool) -> None:
    """Turns it on or off for a locked person, under their own org. Raises FreshSignInRequired, and Conflict without a
    passkey."""
    if user.second_factor == on:
        return
    await require_fresh(deps, uow, session_id)
    if on and not await repository.count(uow, user.id):
        raise Conflict("Add a passkey first.")
    user.second_factor = on
    action = "second_factor.on" if on else "second_factor.off"
    record(uow, user.personal_org_id, actor, action, user.id, at=deps.clock.now())
