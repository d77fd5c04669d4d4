"""The leases of the jobs that run in this process, renewed together: one statement a second however many there are."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from common.db import Database
from common.plumbing import LEASE
from common.telemetry import get_logger
from common.tenant import Tenant

HEARTBEAT_SECONDS: Final = 1.0
"""How often running jobs renew their leases and look whether they were cancelled."""
BEAT_TIMEOUT_SECONDS: Final = 5.0
"""A third of a lease: one beat that hangs leaves time for two more."""

log = get_logger()

# Locked in the order of their ids, so that two who lock several never wait for each other.
_RENEW: Final = """
WITH mine AS (
    SELECT jobs.id FROM jobs JOIN unnest(%(ids)s::uuid[], %(attempts)s::bigint[]) AS held (id, attempt)
        ON jobs.id = held.id AND jobs.attempt = held.attempt
    WHERE jobs.status = 'running' AND jobs.worker = %(worker)s
    ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
)
UPDATE jobs SET lease_until = now() + %(lease)s FROM mine WHERE jobs.id = mine.id
RETURNING jobs.id, jobs.cancel_requested_at IS NOT NULL
"""


@dataclass(eq=False)
class Lease:
    """One job's. `lost` is set when another worker has the job, `cancelled` when its user stopped it; either way the
    work is told by being cancelled."""

    job_id: UUID
    attempt: int
    scope: Tenant
    work: asyncio.Future[Any]
    lost: bool = False
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


class Leases:
    """Renews what is held. The worker role sees the jobs of every org; in an API process each tenant is asked alone."""

    def __init__(self, db: Database, worker: str) -> None:
        self._db = db
        self._worker = worker
        self._held: set[Lease] = set()
        self._beating: asyncio.Task[None] | None = None

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[None]:
        """Renews the lease as long as this lasts; it was given with the claim."""
        self._held.add(lease)
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            self._held.discard(lease)

    async def _beat(self) -> None:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        while self._held:
            by_scope: dict[Tenant, list[Lease]] = defaultdict(list)
            for lease in self._held:
                by_scope[lease.scope].append(lease)
            await asyncio.gather(*(self._renew(scope, leases) for scope, leases in by_scope.items()))
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _renew(self, scope: Tenant, leases: list[Lease]) -> None:
        parameters = {
            "ids": [lease.job_id for lease in leases],
            "attempts": [lease.attempt for lease in leases],
            "worker": self._worker,
            "lease": LEASE,
        }
        try:
            async with asyncio.timeout(BEAT_TIMEOUT_SECONDS), self._db.direct.transaction(scope) as connection:
                kept = dict(await (await connection.execute(_RENEW, parameters)).fetchall())
        except Exception as error:  # noqa: BLE001  # the database may be away for a while; the lease outlives that
            log.warning("job.heartbeat_failed", jobs=len(leases), error=repr(error))
            return
        for lease in leases:
            stopped = kept.get(lease.job_id)
            if stopped is False or lease not in self._held:
                continue  # held on to, or ended while we asked
            if stopped:
                lease.cancelled.set()
            else:
                lease.lost = True
            lease.work.cancel()
