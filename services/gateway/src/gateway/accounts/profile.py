"""The own profile: seeing, changing, erasing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.db import Tenant
from common.errors import NotFound, ValidationFailed
from gateway import events
from gateway.accounts import repository
from gateway.audit.repository import record
from gateway.decision.valkey import member_key, session_key
from gateway.deps import Actor, Deps
from gateway.erasure import repository as erasures
from gateway.errors import OwnerNeeded
from gateway.models import Session, User
from gateway.oauth import repository as oauth
from gateway.orgs import repository as orgs
from gateway.orgs.members import end_keys, remove_member
from gateway.orgs.repository import Belonging
from gateway.orgs.service import close_org
from gateway.passkeys import repository as passkeys
from gateway.passkeys import second_factor

ERASED: Final = "erased"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person and where they belong."""

    user: User
    orgs: Sequence[Belonging]


async def profile(deps: Deps, user_id: UUID) -> Profile:
    """The person. Raises NotFound."""
    async with deps.db.unit_of_work(Tenant(user_id=user_id)) as uow:
        user = await repository.user_by_id(uow, user_id)
        if user is None:
            raise NotFound
        return Profile(user, await orgs.belongings(uow, user_id))


async def sessions(deps: Deps, user_id: UUID) -> Sequence[Session]:
    """Where the person is signed in."""
    async with deps.db.unit_of_work(Tenant(user_id=user_id)) as uow:
        return await repository.sessions_of(uow, user_id, deps.clock.now())


async def change_profile(
    deps: Deps,
    actor: Actor,
    *,
    session_id: UUID | None,
    name: str | None,
    current_password: str | None,
    password: str | None,
    second_factor_on: bool | None = None,
) -> Profile:
    """Changes name, password or second factor; a new password ends the other sessions. Raises ValidationFailed for a
    wrong old one; FreshSignInRequired and Conflict for the second factor."""
    password_hash = None
    if password is not None:
        await _check_password(deps, actor.user_id, current_password or "")
        password_hash = await deps.passwords.hash(password)
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await repository.user_by_id(uow, actor.user_id, lock=True)
        if user is None:
            raise NotFound
        await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
        stale = await repository.session_hashes(uow, user.id)
        if name is not None:
            user.name = name
        if password_hash is not None:
            user.password_hash = password_hash
            ended = len(await repository.delete_sessions(uow, user.id, keep=session_id))
            record(uow, user.personal_org_id, actor, "password.changed", user.id, at=now, sessions_ended=ended)
        if second_factor_on is not None:
            await second_factor.switch(deps, uow, user, actor, session_id=session_id, on=second_factor_on)
        if name is not None:
            record(uow, user.personal_org_id, actor, "user.renamed", user.id, at=now)
        deps.cache.forget(uow, map(session_key, stale))
        await uow.commit()
    return await profile(deps, actor.user_id)


async def _check_password(deps: Deps, user_id: UUID, password: str) -> None:
    async with deps.db.unit_of_work(Tenant(user_id=user_id)) as uow:
        user = await repository.user_by_id(uow, user_id)
    async with deps.throttle.attempt(user.email if user else "", "profile") as attempt:
        attempt.right = await deps.passwords.verify(user.password_hash if user else None, password)
    if not attempt.right:
        raise ValidationFailed([{"field": "current_password", "message": "This is not your password."}])


async def erase(deps: Deps, actor: Actor) -> None:
    """Erases the person: memberships, personal org, sessions, name and address. Each service erases its part on the
    event. Org after org, each its own transaction, so that it can be called again should it stop half-way.

    Raises:
        OwnerNeeded: they own a team; it must be transferred or deleted first.
    """
    found = await profile(deps, actor.user_id)
    if any(org.role == "owner" and not org.personal for org in found.orgs):
        raise OwnerNeeded("You own an organisation with a team; transfer or delete it first.")
    for org in found.orgs:
        if not org.personal:
            await _leave(deps, actor, org.id)
    user, now = found.user, deps.clock.now()
    async with deps.db.unit_of_work(Tenant(org_id=user.personal_org_id, user_id=user.id)) as uow:
        locked = await repository.user_by_id(uow, user.id, lock=True)
        if locked is None:
            raise NotFound
        ended = await repository.delete_sessions(uow, user.id)
        own = await orgs.lock_org(uow, locked.personal_org_id)
        stale = (await close_org(uow, own, now)).stale if own is not None else []
        erasures.request(uow, "user", locked.id, org_id=locked.personal_org_id, now=now)
        record(uow, locked.personal_org_id, actor, "user.erased", locked.id, at=now, sessions_ended=len(ended))
        await passkeys.delete_of(uow, locked.id)
        await oauth.delete_of(uow, locked.id)
        # The row stays without the person in it: others' audits and versions point to it.
        locked.email, locked.name, locked.password_hash = f"{locked.id}@{ERASED}.invalid", ERASED, None
        locked.second_factor = False
        locked.version += 1
        uow.publish(events.user_erased(locked))
        deps.cache.forget(uow, [*map(session_key, ended), *stale])
        await uow.commit()


async def _leave(deps: Deps, actor: Actor, org_id: UUID) -> None:
    stale = [member_key(actor.user_id, org_id)]
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await orgs.lock_org(uow, org_id)
        member = await orgs.membership(uow, org_id, actor.user_id)
        if member is not None:
            role, now = member.role, deps.clock.now()
            await remove_member(uow, member)
            stale += await end_keys(uow, org_id, actor.user_id, actor, now=now)
            record(uow, org_id, actor, "member.left", actor.user_id, at=now, role=role)
        deps.cache.forget(uow, stale)
        await uow.commit()
