"""SQL of orgs, memberships and entitlements; row-level security and the tenant decide what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common.db import UnitOfWork
from gateway.models import Membership, MemberVersion, Org, OrgEntitlement, User

DEFAULT_TIER = "free"
DEFAULT_SEATS = 1
"""Until billing has spoken: a new org has room for the one who made it."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """An org as one of its members sees it."""

    id: UUID
    name: str
    personal: bool
    role: str
    tier: str


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as the others see them."""

    user_id: UUID
    email: str
    name: str
    role: str
    joined_at: datetime


async def belongings(uow: UnitOfWork, user_id: UUID) -> list[Belonging]:
    """The orgs of the tenant's user: the personal one first, then by name."""
    query = (
        select(Org.id, Org.name, Org.personal, Membership.role, func.coalesce(OrgEntitlement.tier, DEFAULT_TIER))
        .join(Membership, Membership.org_id == Org.id)
        .outerjoin(OrgEntitlement, OrgEntitlement.org_id == Org.id)
        .where(Membership.user_id == user_id, Org.deleted_at.is_(None))
        .order_by(Org.personal.desc(), func.lower(Org.name), Org.id)
    )
    return [Belonging(*row) for row in (await uow.session.execute(query)).all()]


async def lock_org(uow: UnitOfWork, org_id: UUID) -> Org | None:
    """The org, held until the end of the transaction: who counts its members does so alone. None when deleted."""
    query = select(Org).where(Org.id == org_id, Org.deleted_at.is_(None)).with_for_update()
    org: Org | None = await uow.session.scalar(query)
    return org


async def org_by_id(uow: UnitOfWork, org_id: UUID) -> Org | None:
    """The org, unless it is deleted."""
    org: Org | None = await uow.session.scalar(select(Org).where(Org.id == org_id, Org.deleted_at.is_(None)))
    return org


async def membership(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> Membership | None:
    """Someone's membership."""
    found: Membership | None = await uow.session.scalar(
        select(Membership).where(Membership.org_id == org_id, Membership.user_id == user_id)
    )
    return found


async def members(
    uow: UnitOfWork, org_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[MemberView]:
    """The members in the order in which they joined."""
    query = (
        select(User.id, User.email, User.name, Membership.role, Membership.joined_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id)
        .order_by(Membership.joined_at, User.id)
        .limit(limit)
    )
    if after is not None:
        joined_at, user_id = after
        query = query.where(
            (Membership.joined_at > joined_at) | ((Membership.joined_at == joined_at) & (User.id > user_id))
        )
    return [MemberView(*row) for row in (await uow.session.execute(query)).all()]


async def member_view(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> MemberView:
    """One member as the others see them."""
    query = (
        select(User.id, User.email, User.name, Membership.role, Membership.joined_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id, Membership.user_id == user_id)
    )
    return MemberView(*(await uow.session.execute(query)).one())


async def member_ids(uow: UnitOfWork, org_id: UUID) -> Sequence[UUID]:
    """Everyone in the org."""
    return (await uow.session.scalars(select(Membership.user_id).where(Membership.org_id == org_id))).all()


async def count_members(uow: UnitOfWork, org_id: UUID) -> int:
    """Seats in use."""
    return await uow.session.scalar(select(func.count()).where(Membership.org_id == org_id)) or 0


async def seats(uow: UnitOfWork, org_id: UUID) -> int | None:
    """Seats that are paid for; None when there is no cap."""
    row = await uow.session.get(OrgEntitlement, org_id)
    return DEFAULT_SEATS if row is None else row.seats


async def next_member_version(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> int:
    """The version of the next event about this membership."""
    statement = (
        insert(MemberVersion)
        .values(org_id=org_id, user_id=user_id, version=1)
        .on_conflict_do_update(
            index_elements=[MemberVersion.org_id, MemberVersion.user_id], set_={"version": MemberVersion.version + 1}
        )
        .returning(MemberVersion.version)
    )
    return int((await uow.session.execute(statement)).scalar_one())


async def store_entitlement(
    uow: UnitOfWork,
    org_id: UUID,
    *,
    tier: str,
    status: str,
    seats: int | None,
    ai_per_minute: int | None,
    now: datetime,
) -> None:
    """Keeps what billing last said."""
    values = {
        "tier": tier,
        "status": status,
        "seats": seats,
        "ai_per_minute": ai_per_minute,
        "updated_at": now,
    }
    await uow.session.execute(
        insert(OrgEntitlement)
        .values(org_id=org_id, **values)
        .on_conflict_do_update(index_elements=[OrgEntitlement.org_id], set_=values)
    )
