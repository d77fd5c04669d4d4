"""Invites: single use, for one address, for a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from sqlalchemy import select, text

from common.db import Tenant, UnitOfWork
from common.errors import NotFound, RoleForbidden
from common.identity import Role
from common.ids import new_id
from gateway.accounts import repository as accounts
from gateway.audit.repository import record
from gateway.decision.valkey import member_key
from gateway.deps import Actor, Deps
from gateway.errors import AlreadyMember, InviteForbidden, InviteSpent, PersonalOrg
from gateway.mail.jobs import ATTEMPTS, MAIL_INVITE
from gateway.models import Invite, Org
from gateway.orgs import repository
from gateway.orgs.domain import may_grant
from gateway.orgs.members import add_member, require_free_seat
from gateway.orgs.repository import Belonging
from gateway.orgs.service import lock_org, require_member
from gateway.tokens import hash_token, new_token

INVITE_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Preview:
    """An invite, to whoever has its link."""

    org_name: str
    email: str
    role: str
    expires_at: datetime


async def create(deps: Deps, actor: Actor, org_id: UUID, *, email: str, role: Role) -> Invite:
    """Invites an address; one that is invited already gets a new link in place of the old one.

    A seat is needed when the invite is accepted, not before: it may be bought meanwhile.
    """
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        caller = await require_member(uow, org_id, actor.user_id, "invites.create")
        if not may_grant(cast(Role, caller.role), role):
            raise RoleForbidden
        org = await lock_org(uow, org_id)
        if org.personal:
            raise PersonalOrg
        invited = await accounts.user_by_email(uow, email)
        if invited is not None and await repository.membership(uow, org_id, invited.id) is not None:
            raise AlreadyMember
        replaced: list[UUID] = []
        for old in await _open_invites(uow, org_id, email=email):
            old.revoked_at = now
            replaced.append(old.id)
        await uow.flush()
        # The job that mails the link replaces this token by one that only the mail will know.
        invite = Invite(
            id=new_id(),
            org_id=org_id,
            email=email,
            role=role,
            token_hash=hash_token(new_token()),
            invited_by=actor.user_id,
            created_at=now,
            expires_at=now + INVITE_LIFE,
        )
        uow.session.add(invite)
        uow.enqueue(
            MAIL_INVITE, {"invite_id": str(invite.id)}, org_id=org_id, user_id=actor.user_id, max_attempts=ATTEMPTS
        )
        for invite_id in replaced:
            record(uow, org_id, actor, "invite.revoked", invite_id, at=now, email=email, reason="replaced")
        record(uow, org_id, actor, "invite.created", invite.id, at=now, email=email, role=role)
        await uow.commit()
    return invite


async def list_open(deps: Deps, actor: Actor, org_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Invite]:
    """The invites that can still be accepted, oldest first."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "invites.list")
        query = (
            select(Invite)
            .where(
                Invite.org_id == org_id,
                Invite.accepted_at.is_(None),
                Invite.revoked_at.is_(None),
                Invite.expires_at > deps.clock.now(),
            )
            .order_by(Invite.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(Invite.id > after)
        return (await uow.session.scalars(query)).all()


async def revoke(deps: Deps, actor: Actor, org_id: UUID, invite_id: UUID) -> None:
    """Withdraws an invite. Raises NotFound when there is no open one."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "invites.revoke")
        invite = await uow.session.get(Invite, invite_id, with_for_update=True)
        if invite is None or invite.org_id != org_id or invite.accepted_at or invite.revoked_at:
            raise NotFound
        invite.revoked_at = deps.clock.now()
        record(uow, org_id, actor, "invite.revoked", invite_id, at=invite.revoked_at, email=invite.email)
        await uow.commit()


async def preview(deps: Deps, token: str) -> Preview:
    """What a link offers. Raises NotFound, InviteSpent."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        invite = await _by_token(uow, token)
        await uow.set_tenant(Tenant(org_id=invite.org_id))
        org = await uow.session.get(Org, invite.org_id)
        _require_open(invite, deps.clock.now())
        if org is None or org.deleted_at is not None:
            raise NotFound
        return Preview(org.name, invite.email, invite.role, invite.expires_at)


async def accept(deps: Deps, actor: Actor, token: str) -> Belonging:
    """Joins the org of an invite.

    Raises:
        NotFound: no such invite.
        InviteForbidden: it is for another address.
        InviteSpent: used, withdrawn or too old.
        AlreadyMember: nothing to join.
        QuotaExceeded: `seats_exhausted`.
    """
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        org_id = (await _by_token(uow, token)).org_id
        await uow.set_tenant(Tenant(org_id=org_id, user_id=actor.user_id))
        # Whoever joins this org waits here for each other: seats and invites are counted one at a time.
        org = await lock_org(uow, org_id)
        invite = await _by_token(uow, token)
        user = await accounts.user_by_id(uow, actor.user_id)
        if user is None:
            raise NotFound
        if invite.email != user.email:
            raise InviteForbidden
        if await repository.membership(uow, org_id, user.id) is not None:
            raise AlreadyMember
        _require_open(invite, now)
        await require_free_seat(uow, org_id)
        invite.accepted_at = now
        await add_member(uow, org_id, user.id, invite.role, now=now)
        record(uow, org_id, actor, "invite.accepted", invite.id, at=now, role=invite.role, user_id=str(user.id))
        joined = next(belonging for belonging in await repository.belongings(uow, user.id) if belonging.id == org.id)
        deps.cache.forget(uow, [member_key(user.id, org_id)])
        await uow.commit()
    return joined


async def _by_token(uow: UnitOfWork, token: str) -> Invite:
    """The invite of a link: row-level security shows it to whoever knows its token."""
    hashed = hash_token(token)
    await uow.session.execute(text("SELECT set_config('app.secret_hash', :hash, true)"), {"hash": hashed})
    query = select(Invite).where(Invite.token_hash == hashed).execution_options(populate_existing=True)
    invite: Invite | None = await uow.session.scalar(query)
    if invite is None:
        raise NotFound
    return invite


def _require_open(invite: Invite, now: datetime) -> None:
    if invite.accepted_at is not None or invite.revoked_at is not None or invite.expires_at <= now:
        raise InviteSpent


async def _open_invites(uow: UnitOfWork, org_id: UUID, *, email: str) -> Sequence[Invite]:
    query = select(Invite).where(
        Invite.org_id == org_id, Invite.email == email, Invite.accepted_at.is_(None), Invite.revoked_at.is_(None)
    )
    return (await uow.session.scalars(query)).all()
