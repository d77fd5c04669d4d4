"""The facts from PostgreSQL: when Valkey does not know them, or is away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from common.db import Database, Tenant, UnitOfWork
from common.ids import parse_id
from common.revocations import key_reference, session_reference
from gateway.accounts.domain import session_ends
from gateway.decision.facts import Caller, Place

LOOKUP_TIMEOUT_SECONDS: Final = 2.0
SEEN_EVERY: Final = timedelta(seconds=30)
"""How often a session's last use is written down."""
NEVER: Final = 4_102_444_800.0
"""2100: the end of a key that has none."""

_SESSION: Final = text(
    "SELECT s.id, s.user_id, s.last_seen_at, s.expires_at, u.personal_org_id, u.email, u.name"
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = :hash"
)
_SEEN: Final = text("UPDATE sessions SET last_seen_at = :now WHERE id = :id AND last_seen_at < :before")
_HOLDER: Final = text("SELECT set_config('app.secret_hash', :hash, true)")
_KEY: Final = text(
    "SELECT k.user_id, k.org_id, k.scopes, k.expires_at, u.email, u.name"
    " FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.key_hash = :hash AND k.revoked_at IS NULL"
)
_KEY_USED: Final = text("UPDATE api_keys SET last_used_at = :now WHERE key_hash = :hash")
_PLACE: Final = text(
    "SELECT m.role, o.name, coalesce(e.tier, 'free') AS tier"
    " FROM memberships m JOIN orgs o ON o.id = m.org_id LEFT JOIN org_entitlements e ON e.org_id = m.org_id"
    " WHERE m.org_id = :org AND m.user_id = :user AND o.deleted_at IS NULL"
)


class Lookup:
    """Reads the facts as one transaction, bounded in time."""

    def __init__(self, db: Database, *, idle: timedelta) -> None:
        self._db = db
        self._idle = idle

    async def find(
        self, token_hash: str, *, is_key: bool, org_id: str, now: datetime
    ) -> tuple[Caller | None, Place | None]:
        """The caller, None when the credential is worth nothing; and their place in the org, None when they have none.

        Raises TimeoutError, and what the database raises.
        """
        async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS), self._db.unit_of_work(Tenant.none()) as uow:
            caller = await (self._key(uow, token_hash, now) if is_key else self._session(uow, token_hash, now))
            if caller is None:
                return None, None
            wanted = org_id or caller.home_org_id
            if caller.is_key and wanted != caller.home_org_id:
                return caller, None
            place = await self._place(uow, caller, wanted)
            if caller.is_key and place is not None:
                await uow.session.execute(_KEY_USED, {"now": now, "hash": token_hash})
            await uow.commit()
            return caller, place

    async def _session(self, uow: UnitOfWork, token_hash: str, now: datetime) -> Caller | None:
        row = (await uow.session.execute(_SESSION, {"hash": token_hash})).one_or_none()
        if row is None:
            return None
        if session_ends(row.expires_at, row.last_seen_at, self._idle) <= now:
            return None
        await uow.session.execute(_SEEN, {"now": now, "id": row.id, "before": now - SEEN_EVERY})
        return Caller(
            user_id=str(row.user_id),
            home_org_id=str(row.personal_org_id),
            session_id=str(row.id),
            scopes="",
            email=row.email,
            name=row.name,
            ends_at=session_ends(row.expires_at, now, self._idle).timestamp(),
            credential=session_reference(token_hash),
        )

    async def _key(self, uow: UnitOfWork, key_hash: str, now: datetime) -> Caller | None:
        await uow.session.execute(_HOLDER, {"hash": key_hash})
        row = (await uow.session.execute(_KEY, {"hash": key_hash})).one_or_none()
        if row is None or (row.expires_at is not None and row.expires_at <= now):
            return None
        return Caller(
            user_id=str(row.user_id),
            home_org_id=str(row.org_id),
            session_id="",
            scopes=" ".join(row.scopes),
            email=row.email,
            name=row.name,
            ends_at=row.expires_at.timestamp() if row.expires_at is not None else NEVER,
            credential=key_reference(key_hash),
        )

    async def _place(self, uow: UnitOfWork, caller: Caller, org_id: str) -> Place | None:
        await uow.set_tenant(Tenant(org_id=parse_id(org_id), user_id=parse_id(caller.user_id)))
        row = (await uow.session.execute(_PLACE, {"org": org_id, "user": caller.user_id})).one_or_none()
        return None if row is None else Place(org_id=org_id, role=row.role, tier=row.tier, org_name=row.name)
