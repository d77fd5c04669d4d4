"""API keys: made for an org by a member, who they then act for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from common.db import Tenant
from common.errors import NotFound, ValidationFailed
from common.ids import new_id
from gateway.audit.repository import record
from gateway.decision.valkey import api_key_key
from gateway.deps import Actor, Deps
from gateway.keys.domain import PREFIX_LENGTH
from gateway.models import ApiKey
from gateway.orgs.service import require_member
from gateway.tokens import hash_token, new_api_key


async def create(
    deps: Deps, actor: Actor, org_id: UUID, *, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """Makes a key; returns its row and the key itself, which is not kept."""
    now = deps.clock.now()
    if expires_at is not None and expires_at <= now:
        raise ValidationFailed([{"field": "expires_at", "message": "Must be in the future."}])
    secret = new_api_key()
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "keys.create")
        key = ApiKey(
            id=new_id(),
            org_id=org_id,
            user_id=actor.user_id,
            name=name,
            prefix=secret[:PREFIX_LENGTH],
            key_hash=hash_token(secret),
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=expires_at,
        )
        uow.session.add(key)
        record(uow, org_id, actor, "key.created", key.id, at=now, name=name, scopes=key.scopes)
        await uow.commit()
    return key, secret


async def list_keys(deps: Deps, actor: Actor, org_id: UUID, *, after: UUID | None, limit: int) -> Sequence[ApiKey]:
    """The keys that are not revoked, oldest first."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "keys.list")
        query = select(ApiKey).where(ApiKey.org_id == org_id, ApiKey.revoked_at.is_(None))
        if after is not None:
            query = query.where(ApiKey.id > after)
        return (await uow.session.scalars(query.order_by(ApiKey.id).limit(limit))).all()


async def revoke(deps: Deps, actor: Actor, org_id: UUID, key_id: UUID) -> None:
    """Ends a key; it is refused from its next request on. Raises NotFound."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "keys.revoke")
        key = await uow.session.get(ApiKey, key_id, with_for_update=True)
        if key is None or key.org_id != org_id or key.revoked_at is not None:
            raise NotFound
        key.revoked_at = deps.clock.now()
        record(uow, org_id, actor, "key.revoked", key_id, at=key.revoked_at, name=key.name)
        deps.cache.forget(uow, [api_key_key(key.key_hash)])
        await uow.commit()
