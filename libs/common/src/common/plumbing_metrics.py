"""The gauges of the plumbing: what waits, and for how long."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from nats.errors import Error as NatsError
from prometheus_client import Gauge
from sqlalchemy import text

from common.bus import Bus
from common.db import Database, Tenant
from common.inbox import Consumer
from common.telemetry import get_logger

log = get_logger()

OUTBOX_UNPUBLISHED = Gauge("bidwright_outbox_unpublished", "Messages that wait to be sent", ["service"])
OUTBOX_OLDEST = Gauge("bidwright_outbox_oldest_seconds", "Age of the oldest unsent message", ["service"])
JOBS_QUEUED = Gauge("bidwright_jobs_queued", "Jobs that wait for a worker", ["service", "kind"])
JOBS_OLDEST = Gauge("bidwright_jobs_oldest_seconds", "Age of the oldest waiting job", ["service", "kind"])
DEAD_LETTERS = Gauge("bidwright_dead_letters", "Messages that could not be handled and wait for someone", ["service"])
INBOX_GAP = Gauge("bidwright_inbox_gap_seconds", "How long an aggregate has waited for a missing event", ["service"])
LOCK_WAIT = Gauge(
    "bidwright_postgres_lock_wait_seconds",
    "How long a session has waited for another's lock in PostgreSQL",
    ["service"],
)

_OUTBOX: Final = text(
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE published_at IS NULL"
)
_JOBS: Final = text(
    "SELECT kind, count(*), coalesce(extract(epoch FROM now() - min(run_after)), 0) FROM jobs"
    " WHERE status = 'queued' AND run_after <= now() GROUP BY kind"
)
# Any role may look at pg_locks. Who waits for a named lock waits on purpose: the turn of another.
_LOCKS: Final = text(
    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0) FROM pg_locks"
    " WHERE NOT granted AND locktype <> 'advisory'"
)


class PlumbingMetrics:
    """Reads the gauges of one service as its worker role. Each kind of job has its own before the first one waits."""

    def __init__(self, db: Database, bus: Bus, consumer: Consumer, job_kinds: Iterable[str] = ()) -> None:
        self._db = db
        self._bus = bus
        self._consumer = consumer
        self._kinds = set(job_kinds)

    async def refresh(self) -> None:
        """Measures once."""
        service = self._db.service
        async with self._db.unit_of_work(Tenant.none()) as uow:
            count, oldest = (await uow.session.execute(_OUTBOX)).one()
            jobs = (await uow.session.execute(_JOBS)).all()
            waited = (await uow.session.execute(_LOCKS)).scalar_one()
        OUTBOX_UNPUBLISHED.labels(service).set(count)
        OUTBOX_OLDEST.labels(service).set(float(oldest))
        LOCK_WAIT.labels(service).set(float(waited))
        waiting = {kind: (queued, age) for kind, queued, age in jobs}
        self._kinds |= waiting.keys()
        for kind in self._kinds:
            queued, age = waiting.get(kind, (0, 0))
            JOBS_QUEUED.labels(service, kind).set(queued)
            JOBS_OLDEST.labels(service, kind).set(float(age))
        try:
            DEAD_LETTERS.labels(service).set(await self._bus.count_dead_letters())
        except (NatsError, OSError, TimeoutError):
            log.debug("metrics.dead_letters_unknown")
        since = min(self._consumer.gaps.values(), default=None)
        INBOX_GAP.labels(service).set(time.monotonic() - since if since is not None else 0)
