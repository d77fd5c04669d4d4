"""The audit's rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import UnitOfWork
from common.ids import new_id
from gateway.deps import Actor
from gateway.models import AuditRow


def record(
    uow: UnitOfWork, org_id: UUID, actor: Actor, action: str, target: object = "", *, at: datetime, **detail: Any
) -> None:
    """Adds a row to the transaction of the change that it tells of."""
    uow.session.add(
        AuditRow(
            id=new_id(),
            org_id=org_id,
            at=at,
            actor_id=actor.user_id,
            actor=actor.via,
            action=action,
            target=str(target),
            detail=detail,
            request_id=actor.request_id,
        )
    )


async def page(
    uow: UnitOfWork,
    org_id: UUID,
    *,
    action: str | None,
    actor_id: UUID | None,
    target: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[AuditRow]:
    """The newest rows first, older than `before`."""
    query = select(AuditRow).where(AuditRow.org_id == org_id)
    if action is not None:
        query = query.where(AuditRow.action == action)
    if actor_id is not None:
        query = query.where(AuditRow.actor_id == actor_id)
    if target is not None:
        query = query.where(AuditRow.target == target)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return (await uow.session.scalars(query.order_by(AuditRow.id.desc()).limit(limit))).all()
