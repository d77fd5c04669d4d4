"""The audit's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import UnitOfWork
from common.ids import new_id
from gateway.audit.domain import FIELDS, Entry, time_text
from gateway.audit.models import AuditHead
from gateway.deps import Actor
from gateway.models import AuditRow

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows of an org to list; None lists all."""

    action: str | None = None
    actor_id: UUID | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def record(
    uow: UnitOfWork,
    org_id: UUID,
    actor: Actor | None,
    action: str,
    target: object = "",
    *,
    at: datetime,
    **detail: Any,
) -> None:
    """Adds a row to the transaction of the change that it tells of. The database chains it to the org's last row,
    which it holds from then on: take every other lock before.

    Args:
        actor: None when no one asked for it, as with what another service tells.
        detail: whole numbers, text, lists; no fractions, which could not be hashed alike everywhere.
    """
    uow.session.add(
        AuditRow(
            id=new_id(),
            org_id=org_id,
            at=at,
            actor_id=actor.user_id if actor is not None else None,
            actor=actor.via if actor is not None else SYSTEM,
            action=action,
            target=str(target),
            detail=detail,
            request_id=actor.request_id if actor is not None else "",
        )
    )


async def page(
    uow: UnitOfWork, org_id: UUID, filters: Filters, *, before: int | None, limit: int
) -> Sequence[AuditRow]:
    """The newest rows first, older than the one with the number `before`."""
    query = select(AuditRow).where(AuditRow.org_id == org_id)
    if filters.action is not None:
        query = query.where(AuditRow.action == filters.action)
    if filters.actor_id is not None:
        query = query.where(AuditRow.actor_id == filters.actor_id)
    if filters.target is not None:
        query = query.where(AuditRow.target == filters.target)
    if filters.since is not None:
        query = query.where(AuditRow.at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditRow.at < filters.until)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return (await uow.session.scalars(query.order_by(AuditRow.seq.desc()).limit(limit))).all()


async def head(uow: UnitOfWork, org_id: UUID) -> tuple[int, str]:
    """The number and hash of the org's last row; 0 and empty when there is none."""
    found = await uow.session.get(AuditHead, org_id)
    return (found.seq, found.hash) if found is not None else (0, "")


async def entries(uow: UnitOfWork, org_id: UUID, *, after: int, limit: int) -> list[Entry]:
    """Rows as they are hashed, in the order of the chain, from the one after the number `after`."""
    columns = AuditRow.__table__.c
    query = (
        select(*(columns[name] for name in FIELDS))
        .where(columns.org_id == org_id, columns.seq > after)
        .order_by(columns.seq)
        .limit(limit)
    )
    return [
        {
            **row,
            "id": str(row["id"]),
            "org_id": str(row["org_id"]),
            "actor_id": str(row["actor_id"]) if row["actor_id"] is not None else None,
            "at": time_text(row["at"]),
        }
        for row in (await uow.session.execute(query)).mappings()
    ]
