"""What goes by itself: files that an interrupted export left behind, and exports that are past their time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from common.db import Tenant
from common.telemetry import get_logger
from exports import events
from exports.jobs import PURGE
from exports.repository import Exports

if TYPE_CHECKING:
    from exports.deps import Deps

BATCH: Final = 100
_KEY: Final = re.compile(r"([0-9a-f-]{36})/[0-9a-f]{2}/([0-9a-f]{64})")

log = get_logger()


async def sweep(deps: Deps) -> int:
    """Removes every stored file that no export needs, and exports past EXPORT_RETENTION_DAYS. Returns how many files.

    A file comes into the store before its row commits, and both under the org's storage lock: a process that dies
    between the two leaves a file without a row, and whoever holds the lock sees either both or neither in the making.
    """
    removed = 0
    for org_id, stored in (await _stored(deps)).items():
        await _expire(deps, org_id)
        for sha256 in stored:
            async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
                exports = Exports(uow, org_id)
                await exports.lock_storage()
                if not await exports.is_stored(sha256):
                    await deps.store.delete(org_id, sha256)
                    removed += 1
    if removed:
        log.warning("exports.orphans_removed", files=removed)
    return removed


async def _stored(deps: Deps) -> dict[UUID, list[str]]:
    """Every stored file by org, of those that have no row as it stands now."""
    found: dict[UUID, list[str]] = {}
    async for key in deps.store.keys():
        if match := _KEY.fullmatch(key):
            found.setdefault(UUID(match[1]), []).append(match[2])
    orphans: dict[UUID, list[str]] = {}
    for org_id, hashes in found.items():
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            known = await Exports(uow, org_id).stored_hashes()
        orphans[org_id] = [sha256 for sha256 in hashes if sha256 not in known]
    return orphans


async def _expire(deps: Deps, org_id: UUID) -> None:
    """Deletes what is older than the settings keep it."""
    if not deps.settings.export_retention_days:
        return
    before = deps.clock.now() - timedelta(days=deps.settings.export_retention_days)
    while True:
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            exports = Exports(uow, org_id)
            await exports.lock_storage()
            rows = await exports.finished_before(before, BATCH)
            orphans: list[Any] = []
            for row in rows:
                if (orphan := await exports.remove(row)) is not None:
                    orphans.append(orphan)
                uow.publish(events.deleted(row, await exports.storage_used()))
            if orphans:
                uow.publish(await exports.storage_changed())
                uow.enqueue(PURGE, {"sha256": orphans}, org_id=org_id, max_attempts=10)
            await uow.commit()
        if len(rows) < BATCH:
            return
