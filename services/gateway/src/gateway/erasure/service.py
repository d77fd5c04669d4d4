"""Following an erasure until every service has erased its part."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from common.clock import Clock
from common.db import Database, Tenant, UnitOfWork
from common.telemetry import get_logger
from contracts import SERVICES
from gateway import telemetry
from gateway.audit.repository import record
from gateway.erasure import repository
from gateway.erasure.repository import Kind

ANSWERING: Final = frozenset(SERVICES) - {"gateway"}
"""Who must answer before an erasure is closed."""

log = get_logger()


async def note_receipt(
    uow: UnitOfWork, kind: Kind, subject_id: UUID, service: str, erased_at: datetime, *, now: datetime
) -> None:
    """Keeps a service's receipt; the last one closes the erasure. The same again changes nothing."""
    erasure = await repository.lock_erasure(uow, kind, subject_id)
    if erasure is None:
        # Requested before erasures were followed.
        log.info(telemetry.ERASURE_UNKNOWN, kind=kind, subject=str(subject_id), service=service)
        return
    if not await repository.add_receipt(uow, erasure, service, erased_at) or erasure.closed_at is not None:
        return
    if await repository.answered(uow, erasure) >= ANSWERING:
        erasure.closed_at = now
        record(
            uow, erasure.org_id, None, "erasure.completed", subject_id, at=now, kind=kind, services=sorted(ANSWERING)
        )
        seconds = round((now - erasure.requested_at).total_seconds(), 3)
        log.info(telemetry.ERASURE_CLOSED, kind=kind, subject=str(subject_id), seconds=seconds)


async def measure(db: Database, clock: Clock) -> None:
    """Sets the gauges of what is open; run by the worker."""
    async with db.unit_of_work(Tenant.none()) as uow:
        count, oldest = await repository.open_erasures(uow)
    telemetry.ERASURES_OPEN.set(count)
    age = (clock.now() - oldest).total_seconds() if oldest is not None else 0.0
    telemetry.ERASURE_OLDEST.set(max(0.0, age))
