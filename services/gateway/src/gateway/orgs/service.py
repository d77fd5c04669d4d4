"""Orgs and their members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import delete, update

from common.db import Tenant, UnitOfWork
from common.errors import NotFound, RoleForbidden
from common.identity import Role
from common.ids import new_id
from gateway import events
from gateway.audit.repository import record
from gateway.decision.valkey import api_key_key, member_key, org_key
from gateway.deps import Actor, Deps
from gateway.erasure import repository as erasures
from gateway.errors import OwnerNeeded, PersonalOrg
from gateway.models import ApiKey, Invite, Membership, Org
from gateway.orgs import repository
from gateway.orgs.domain import allows, may_grant, may_manage
from gateway.orgs.members import change_role, create_org, end_keys, remove_member
from gateway.orgs.repository import MemberView


@dataclass(frozen=True, slots=True)
class OrgState:
    """An org, the caller's role in it and its seats."""

    id: UUID
    name: str
    personal: bool
    role: str
    tier: str
    seats: int | None
    seats_used: int
    created_at: datetime


async def require_member(uow: UnitOfWork, org_id: UUID, user_id: UUID, action: str) -> Membership:
    """The caller's membership. Raises NotFound for those who do not belong, RoleForbidden for too low a role."""
    member = await repository.membership(uow, org_id, user_id)
    if member is None:
        raise NotFound
    if not allows(cast(Role, member.role), action):
        raise RoleForbidden
    return member


async def lock_org(uow: UnitOfWork, org_id: UUID) -> Org:
    """The org, held until the end of the transaction. Raises NotFound."""
    org = await repository.lock_org(uow, org_id)
    if org is None:
        raise NotFound
    return org


async def create(deps: Deps, actor: Actor, name: str) -> OrgState:
    """Makes a team, owned by the caller."""
    org_id = new_id()
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        now = deps.clock.now()
        await create_org(uow, org_id=org_id, name=name, personal=False, owner_id=actor.user_id, now=now)
        record(uow, org_id, actor, "org.created", org_id, at=now, name=name)
        state = await _state(uow, org_id, actor.user_id)
        await uow.commit()
    return state


async def get(deps: Deps, actor: Actor, org_id: UUID) -> OrgState:
    """The org as the caller sees it. Raises NotFound."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "org.read")
        return await _state(uow, org_id, actor.user_id)


async def rename(deps: Deps, actor: Actor, org_id: UUID, name: str) -> OrgState:
    """Gives the org another name."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "org.rename")
        org = await lock_org(uow, org_id)
        record(uow, org_id, actor, "org.renamed", org_id, at=deps.clock.now(), before=org.name, after=name)
        org.name = name
        org.version += 1
        uow.publish(events.org_renamed(org))
        state = await _state(uow, org_id, actor.user_id)
        deps.cache.forget(uow, [org_key(org_id)])
        await uow.commit()
    return state


async def remove(deps: Deps, actor: Actor, org_id: UUID) -> None:
    """Deletes a team; each service erases its part on the event."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "org.delete")
        org = await lock_org(uow, org_id)
        if org.personal:
            raise PersonalOrg("A personal organisation goes with its account; delete that instead.")
        now = deps.clock.now()
        closed = await close_org(uow, org, now)
        counts = {"members": closed.members, "keys": closed.keys}
        record(uow, org_id, actor, "org.deleted", org_id, at=now, name=org.name, **counts)
        deps.cache.forget(uow, closed.stale)
        await uow.commit()


@dataclass(frozen=True, slots=True)
class Closed:
    """What went with an org: the cached facts to forget, and how many memberships and keys."""

    stale: list[str]
    members: int
    keys: int


async def close_org(uow: UnitOfWork, org: Org, now: datetime) -> Closed:
    """Ends an org within a transaction that holds its lock, and asks every service to erase its part."""
    member_ids = await repository.member_ids(uow, org.id)
    ended = await uow.session.scalars(
        update(ApiKey)
        .where(ApiKey.org_id == org.id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.key_hash)
    )
    keys = ended.all()
    stale = [org_key(org.id), *(member_key(user_id, org.id) for user_id in member_ids), *map(api_key_key, keys)]
    await uow.session.execute(delete(Invite).where(Invite.org_id == org.id))
    await uow.session.execute(delete(Membership).where(Membership.org_id == org.id))
    org.deleted_at = now
    org.version += 1
    erasures.request(uow, "org", org.id, org_id=org.id, now=now)
    uow.publish(events.org_deleted(org, now))
    return Closed(stale, members=len(member_ids), keys=len(keys))


async def list_members(
    deps: Deps, actor: Actor, org_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[MemberView]:
    """The members, in the order in which they joined."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "members.list")
        return await repository.members(uow, org_id, after=after, limit=limit)


async def set_role(deps: Deps, actor: Actor, org_id: UUID, user_id: UUID, role: Role) -> MemberView:
    """Gives a member another role; the owner's moves by transfer only."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        caller = await require_member(uow, org_id, actor.user_id, "members.change_role")
        await lock_org(uow, org_id)
        member = await _other_member(uow, org_id, user_id)
        if member.role == "owner":
            raise OwnerNeeded
        if not may_manage(cast(Role, caller.role), cast(Role, member.role)) or not may_grant(
            cast(Role, caller.role), role
        ):
            raise RoleForbidden
        if member.role != role:
            at = deps.clock.now()
            record(uow, org_id, actor, "member.role_changed", user_id, at=at, before=member.role, after=role)
            await change_role(uow, member, role)
        view = await repository.member_view(uow, org_id, user_id)
        deps.cache.forget(uow, [member_key(user_id, org_id)])
        await uow.commit()
    return view


async def remove_from(deps: Deps, actor: Actor, org_id: UUID, user_id: UUID) -> None:
    """Removes a member, or leaves when it is oneself."""
    leaving = user_id == actor.user_id
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        caller = await require_member(uow, org_id, actor.user_id, "members.leave" if leaving else "members.remove")
        await lock_org(uow, org_id)
        member = await _other_member(uow, org_id, user_id)
        if member.role == "owner":
            raise OwnerNeeded
        if not leaving and not may_manage(cast(Role, caller.role), cast(Role, member.role)):
            raise RoleForbidden
        action, role, now = "member.left" if leaving else "member.removed", member.role, deps.clock.now()
        await remove_member(uow, member)
        stale = await end_keys(uow, org_id, user_id, actor, now=now)
        record(uow, org_id, actor, action, user_id, at=now, role=role)
        deps.cache.forget(uow, [member_key(user_id, org_id), *stale])
        await uow.commit()


async def transfer(deps: Deps, actor: Actor, org_id: UUID, user_id: UUID) -> OrgState:
    """Makes another member the owner; the former one stays as admin."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "org.transfer")
        org = await lock_org(uow, org_id)
        if org.personal:
            raise PersonalOrg
        # Read again under the lock: of two transfers at once the second finds a former owner.
        owner = await _other_member(uow, org_id, actor.user_id)
        heir = await _other_member(uow, org_id, user_id)
        if owner.role != "owner":
            raise RoleForbidden
        if heir.user_id != owner.user_id:
            await change_role(uow, owner, "admin")
            await change_role(uow, heir, "owner")
            detail = {"former_owner": str(owner.user_id)}
            record(uow, org_id, actor, "org.transferred", user_id, at=deps.clock.now(), **detail)
        state = await _state(uow, org_id, actor.user_id)
        deps.cache.forget(uow, [member_key(user_id, org_id), member_key(actor.user_id, org_id)])
        await uow.commit()
    return state


async def _other_member(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> Membership:
    member = await uow.session.get(Membership, (org_id, user_id), populate_existing=True)
    if member is None:
        raise NotFound
    return member


async def _state(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> OrgState:
    mine = next((org for org in await repository.belongings(uow, user_id) if org.id == org_id), None)
    org = await repository.org_by_id(uow, org_id)
    if mine is None or org is None:
        raise NotFound
    return OrgState(
        id=org.id,
        name=org.name,
        personal=org.personal,
        role=mine.role,
        tier=mine.tier,
        seats=await repository.seats(uow, org_id),
        seats_used=await repository.count_members(uow, org_id),
        created_at=org.created_at,
    )
