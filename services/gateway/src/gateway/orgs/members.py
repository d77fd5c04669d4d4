"""Joining and leaving, as parts of a transaction: the row, its event and the seats that are then in use."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from common.db import UnitOfWork
from common.errors import QuotaExceeded
from gateway import events
from gateway.audit.repository import record
from gateway.decision.valkey import api_key_key
from gateway.deps import Actor
from gateway.models import ApiKey, Membership, Org
from gateway.orgs import repository
from gateway.orgs.domain import has_free_seat


async def add_member(uow: UnitOfWork, org_id: UUID, user_id: UUID, role: str, *, now: datetime) -> None:
    """Adds a membership. The caller holds the org's lock where seats matter."""
    uow.session.add(Membership(org_id=org_id, user_id=user_id, role=role, joined_at=now))
    await uow.flush()
    version = await repository.next_member_version(uow, org_id, user_id)
    seats_used = await repository.count_members(uow, org_id)
    uow.publish(events.member_added(org_id, user_id, role, version=version, seats_used=seats_used))


async def change_role(uow: UnitOfWork, member: Membership, role: str) -> None:
    """Gives a member another role."""
    member.role = role
    await uow.flush()
    version = await repository.next_member_version(uow, member.org_id, member.user_id)
    seats_used = await repository.count_members(uow, member.org_id)
    uow.publish(events.member_role_changed(member.org_id, member.user_id, role, version=version, seats_used=seats_used))


async def remove_member(uow: UnitOfWork, member: Membership) -> None:
    """Removes a membership."""
    org_id, user_id, role = member.org_id, member.user_id, member.role
    await uow.session.delete(member)
    await uow.flush()
    version = await repository.next_member_version(uow, org_id, user_id)
    seats_used = await repository.count_members(uow, org_id)
    uow.publish(events.member_removed(org_id, user_id, role, version=version, seats_used=seats_used))


async def end_keys(uow: UnitOfWork, org_id: UUID, user_id: UUID, actor: Actor, *, now: datetime) -> list[str]:
    """Ends the keys that act for someone who leaves, so that none comes back to life with them. Returns the cached
    facts to forget."""
    ended = await uow.session.execute(
        update(ApiKey)
        .where(ApiKey.org_id == org_id, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.id, ApiKey.name, ApiKey.key_hash)
    )
    rows = ended.all()
    for key_id, name, _ in rows:
        record(uow, org_id, actor, "key.revoked", key_id, at=now, name=name, reason="member_gone")
    return [api_key_key(key_hash) for *_, key_hash in rows]


async def create_org(uow: UnitOfWork, *, org_id: UUID, name: str, personal: bool, owner_id: UUID, now: datetime) -> Org:
    """Makes an org and its owner's membership; the unit of work's tenant must be this org."""
    org = Org(id=org_id, name=name, personal=personal, version=1, created_at=now)
    uow.session.add(org)
    await uow.flush()
    uow.publish(events.org_created(org, owner_id))
    await add_member(uow, org_id, owner_id, "owner", now=now)
    return org


async def require_free_seat(uow: UnitOfWork, org_id: UUID) -> None:
    """Raises QuotaExceeded when the org has no seat left; the caller holds the org's lock."""
    used = await repository.count_members(uow, org_id)
    seats = await repository.seats(uow, org_id)
    if not has_free_seat(used, seats):
        raise QuotaExceeded(
            "All seats of this organisation are taken; its admin can add seats under Billing.",
            reason="seats_exhausted",
            limits={"seats": seats},
            usage={"seats": used},
        )
