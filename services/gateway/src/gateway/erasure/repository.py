"""SQL of erasures."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common.db import UnitOfWork
from gateway.erasure.models import Erasure, ErasureReceipt

Kind = Literal["org", "user"]


def request(uow: UnitOfWork, kind: Kind, subject_id: UUID, *, org_id: UUID, now: datetime) -> None:
    """Notes an erasure, in the transaction that publishes it: no answer can come before the row."""
    uow.session.add(Erasure(kind=kind, subject_id=subject_id, org_id=org_id, requested_at=now))


async def lock_erasure(uow: UnitOfWork, kind: Kind, subject_id: UUID) -> Erasure | None:
    """The erasure, held until the end of the transaction: who counts its receipts does so alone."""
    return await uow.session.get(Erasure, (kind, subject_id), with_for_update=True, populate_existing=True)


async def add_receipt(uow: UnitOfWork, erasure: Erasure, service: str, erased_at: datetime) -> bool:
    """Keeps a service's answer; returns False when it had answered."""
    statement = (
        insert(ErasureReceipt)
        .values(
            kind=erasure.kind,
            subject_id=erasure.subject_id,
            service=service,
            org_id=erasure.org_id,
            erased_at=erased_at,
        )
        .on_conflict_do_nothing()
        .returning(ErasureReceipt.service)
    )
    return await uow.session.scalar(statement) is not None


async def answered(uow: UnitOfWork, erasure: Erasure) -> set[str]:
    """The services that have answered."""
    query = select(ErasureReceipt.service).where(
        ErasureReceipt.kind == erasure.kind, ErasureReceipt.subject_id == erasure.subject_id
    )
    return set(await uow.session.scalars(query))


async def open_erasures(uow: UnitOfWork) -> tuple[int, datetime | None]:
    """How many are open in all orgs, and since when the oldest is; the worker's role alone sees them all."""
    query = select(func.count(), func.min(Erasure.requested_at)).where(Erasure.closed_at.is_(None))
    count, oldest = (await uow.session.execute(query)).one()
    return count, oldest
