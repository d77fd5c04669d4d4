"""The relay: sends what the outbox holds, in order, at least once.

One relay at a time sends for a schema (an advisory lock on its own connection); the others stand by. It wakes by a poke
over core NATS, and polls every second in case one got lost. A row keeps its message after sending, so that a stream can
be rebuilt, until it is older than the retention.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

import psycopg
from nats.errors import Error as NatsError
from nats.js.api import PubAck
from opentelemetry import trace
from psycopg.rows import TupleRow

from common.bus import Bus
from common.db import Database
from common.telemetry import continue_trace, get_logger, is_sampled, messaging_attributes, trace_headers, tracer
from common.waiting import wait_any

BATCH: Final = 500
POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0
STANDBY_SECONDS: Final = 1.0
PUBLISH_ACK_SECONDS: Final = 10.0

log = get_logger()


class Relay:
    """Sends one service's outbox to NATS."""

    def __init__(self, db: Database, bus: Bus) -> None:
        self._db = db
        self._bus = bus
        self._poked = asyncio.Event()
        self._listening = False
        self._lock_name = f"outbox-relay:{db.service}"

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop` is set, and then what is still there once more."""
        while not stop.is_set():
            try:
                await self._lead(stop)
            except (psycopg.Error, NatsError, OSError, TimeoutError) as error:
                log.warning("outbox.relay_failed", error=str(error) or type(error).__name__)
                await wait_any(stop, timeout=RETRY_SECONDS)

    async def _lead(self, stop: asyncio.Event) -> None:
        dsn = self._db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, application_name=f"bidwright-{self._db.service}-relay", connect_timeout=5
        ) as connection:
            while not await self._try_lock(connection):
                if await wait_any(stop, timeout=STANDBY_SECONDS):
                    return
            while True:
                if not self._listening:  # NATS is joined in the background, often after this loop has begun
                    self._listening = await self._bus.on_notify(f"poke.{self._db.service}", self._poked.set)
                self._poked.clear()
                sent = await self._send_batch(connection)
                if sent == BATCH:
                    continue
                if stop.is_set():
                    return
                await wait_any(stop, self._poked, timeout=POLL_SECONDS)

    async def _try_lock(self, connection: psycopg.AsyncConnection[TupleRow]) -> bool:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (self._lock_name,))
        row = await cursor.fetchone()
        return bool(row and row[0])

    async def _send_batch(self, connection: psycopg.AsyncConnection[TupleRow]) -> int:
        cursor = await connection.execute(
            "SELECT id, subject, headers, body FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT %s",
            (BATCH,),
        )
        rows = await cursor.fetchall()
        if not rows:
            return 0
        pending = []
        for _, subject, headers, body in rows:
            payload = json.dumps(body, separators=(",", ":")).encode()
            pending.append(await self._publish(subject, payload, headers))
        async with asyncio.timeout(PUBLISH_ACK_SECONDS):
            # A failure leaves the whole batch unmarked: it is sent again, and NATS drops what it has by Nats-Msg-Id.
            await asyncio.gather(*pending)
        await connection.execute(
            "UPDATE outbox SET published_at = now() WHERE id = ANY(%s)", ([row[0] for row in rows],)
        )
        return len(rows)

    async def _publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> asyncio.Future[PubAck]:
        """Hands a message to NATS. A trace that is recorded gets a span of the sending, which consumers follow."""
        if not is_sampled(headers):
            return await self._bus.js.publish_async(subject, payload, headers=headers)
        with tracer.start_as_current_span(
            f"send {subject}",
            context=continue_trace(headers),
            kind=trace.SpanKind.PRODUCER,
            attributes=messaging_attributes("send", subject),
        ):
            return await self._bus.js.publish_async(subject, payload, headers={**headers, **trace_headers()})
