"""The database, one unit of work at a time.

    async with db.unit_of_work(Tenant(org_id=org, user_id=user)) as uow:
        ...
        uow.publish(event)
        await uow.commit()

Leaving without `commit()` rolls back. The tenant is set for the transaction only (`set_config(..., true)`), so a pooled
connection never carries one org's rights into another's request; without a tenant, row-level security shows no row.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import QueuePool

from common.clock import Clock
from common.direct import DIRECT_CONNECTIONS, Connection, Direct, is_alive, set_tenant, translated
from common.ids import new_id
from common.metrics import POOLS
from common.plumbing import LEASE, Job
from common.telemetry import trace_headers
from common.tenant import Tenant as Tenant
from contracts import Event

CONNECT_TIMEOUT_SECONDS: Final = 5
POOL_TIMEOUT_SECONDS: Final = 10
STATEMENT_TIMEOUT: Final = "30s"
LOCK_CONNECTIONS: Final = 4
LOCK_TIMEOUT_SECONDS: Final = 30
IDLE_IN_TRANSACTION_TIMEOUT: Final = "60s"
"""A forgotten transaction holds back vacuum and its locks; the server ends it."""
MAX_EVENT_BYTES: Final = 900_000
"""NATS refuses messages over 1 MiB; this leaves room for headers."""

_INTO_OUTBOX: Final = (
    "INSERT INTO outbox (id, org_id, subject, headers, body)"
    " VALUES (%(id)s, %(org_id)s, %(subject)s, %(headers)s, %(body)s)"
)
# The server's clock, which leases are measured by; not the one that the rules read, which may be moved.
_INTO_JOBS: Final = """
INSERT INTO jobs
    (id, org_id, user_id, kind, payload, status, attempt, max_attempts, run_after, worker, started_at, lease_until)
VALUES (
    %(id)s, %(org_id)s, %(user_id)s, %(kind)s, %(payload)s, %(status)s, %(attempt)s, %(max_attempts)s,
    now() + %(delay)s, %(worker)s::text, CASE WHEN %(worker)s::text IS NOT NULL THEN now() END,
    CASE WHEN %(worker)s::text IS NOT NULL THEN now() + %(lease)s END
)
"""


class UnitOfWork:
    """One transaction. Made by `Database.unit_of_work`."""

    def __init__(
        self, session: AsyncSession, *, service: str, clock: Clock, after_commit: Callable[[], Awaitable[None]]
    ):
        self.session = session
        self._service = service
        self._clock = clock
        self._after_commit = after_commit
        self._connection: Connection | None = None
        self._rows: list[tuple[LiteralString, dict[str, Any]]] = []
        """Of jobs and messages, to be written by the next flush."""
        self._has_messages = False
        self._callbacks: list[Callable[[], Awaitable[None]]] = []

    async def set_tenant(self, tenant: Tenant) -> None:
        """Changes the tenant for the rest of this transaction, for a use case that spans two orgs."""
        try:
            await set_tenant(await self._driver(), tenant)
        except psycopg.Error as error:
            raise translated(error) from error

    async def sql(self, statement: LiteralString, parameters: Mapping[str, Any]) -> list[TupleRow]:
        """The rows of a statement that the driver runs by itself, in this transaction, for a third of what one costs
        through the ORM. What the session has pending is not sent first. Raises DBAPIError."""
        try:
            cursor = await (await self._driver()).execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise translated(error) from error

    async def _driver(self) -> Connection:
        while self._connection is None:
            held = (await self.session.connection()).sync_connection
            assert held is not None
            driver: Any = held.connection.driver_connection
            if is_alive(driver):
                self._connection = driver
            else:  # PostgreSQL was away since it was last used
                await self.session.invalidate()
        return self._connection

    def publish(self, event: Event) -> UUID:
        """Puts an event into the outbox: it is sent if, and only if, this transaction commits. Returns its id.

        Raises ValueError when the event is larger than a message may be.
        """
        body = event.model_dump(mode="json")
        if len(json.dumps(body)) > MAX_EVENT_BYTES:
            raise ValueError(f"{event.META.type} is larger than {MAX_EVENT_BYTES} bytes; send it in parts")
        event_id = new_id()
        self._add_message(
            event_id,
            org_id=event.org_id,
            subject=event.META.subject,
            body=body,
            headers={
                "ce-specversion": "1.0",
                "ce-id": str(event_id),
                "ce-type": event.META.type,
                "ce-source": f"/bidwright/{event.META.service}",
                "ce-subject": event.aggregate_id,
                "ce-time": self._clock.now().isoformat(),
                "ce-dataschema": f"urn:bidwright:schema:{event.META.type}",
                "content-type": "application/json",
            },
        )
        return event_id

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        org_id: UUID | None,
        user_id: UUID | None = None,
        job_id: UUID | None = None,
        max_attempts: int = 3,
        delay: timedelta = timedelta(0),
        inline: bool = False,
        held_by: str | None = None,
    ) -> Job:
        """Adds a job row, and with it the queue message that wakes a worker. What is returned is not the session's, and
        has no times: those are the server's, set when the row is written.

        With `inline` no message is sent: the caller runs it by `JobRunner.run_inline` after the commit, and should it
        die before that, a worker's sweep finds the row. With `held_by`, the runner's name, the row is claimed as it is
        made, which saves a transaction.
        """
        values: dict[str, Any] = {
            "id": job_id or new_id(),
            "org_id": org_id,
            "user_id": user_id,
            "kind": kind,
            "status": "queued" if held_by is None else "running",
            "attempt": 0 if held_by is None else 1,
            "max_attempts": max_attempts,
            "worker": held_by,
        }
        parameters = {**values, "payload": Jsonb(dict(payload)), "delay": delay, "lease": LEASE}
        self._rows.append((_INTO_JOBS, parameters))
        job = Job(**values, payload=dict(payload))
        if not inline and not delay and held_by is None:
            self.send_job(job)
        return job

    def send_job(self, job: Job) -> None:
        """Puts the queue message of a job (its id alone) into the outbox."""
        self._add_message(
            new_id(),
            org_id=job.org_id,
            subject=f"jobs.{self._service}.{job.kind}",
            body={"job_id": str(job.id)},
            headers={},
        )

    def _add_message(
        self, message_id: UUID, *, org_id: UUID | None, subject: str, body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        parameters = {
            "id": message_id,
            "org_id": org_id,
            "subject": subject,
            "body": Jsonb(body),
            "headers": Jsonb({**headers, **trace_headers(), "Nats-Msg-Id": str(message_id)}),
        }
        self._rows.append((_INTO_OUTBOX, parameters))
        self._has_messages = True

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Has `callback` called when this transaction has committed, and not otherwise; it must not raise. A process
        that dies in between never calls it."""
        self._callbacks.append(callback)

    async def flush(self) -> None:
        """Sends pending changes to the database without committing, so that constraints speak now."""
        await self.session.flush()
        rows, self._rows = self._rows, []
        for statement, parameters in rows:
            await self.sql(statement, parameters)

    async def commit(self) -> None:
        """Makes everything so far durable, then wakes the relay when there is something to send."""
        await self.flush()
        await self.session.commit()
        self._connection = None
        if self._has_messages:
            self._has_messages = False
            await self._after_commit()
        while self._callbacks:
            await self._callbacks.pop(0)()


def unit_of(session: AsyncSession) -> UnitOfWork:
    """The unit of work that a session belongs to, for repositories with a hot statement; see `UnitOfWork.sql`."""
    found: UnitOfWork = session.info["unit_of_work"]
    return found


async def _nothing() -> None:
    return None


class Database:
    """A pool of connections for one service, as one role.

    Args:
        url: `postgresql://role:password@host:port/database`.
        service: its schema's name; goes into `application_name`.
        clock: dates the events and jobs.
        poke: called after a commit that left messages in the outbox; must not raise.
        pool_size: connections at most, besides those for locks and those of `direct`.
    """

    def __init__(
        self,
        url: str,
        *,
        service: str,
        clock: Clock,
        poke: Callable[[], Awaitable[None]] = _nothing,
        pool_size: int = 10,
    ) -> None:
        self.service = service
        self.clock = clock
        self._poke = poke
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        # A ping before each transaction would be a quarter of a small one's cost: a dead one shows on its socket.
        self.engine = self._engine(pool_size, POOL_TIMEOUT_SECONDS, ping_first=False)
        # Of their own: who holds a lock needs a second connection to work with, and those that wait must leave one.
        self._locks = self._engine(LOCK_CONNECTIONS, LOCK_TIMEOUT_SECONDS, ping_first=True)
        self._sizes = (("transactions", self.engine, pool_size), ("locks", self._locks, LOCK_CONNECTIONS))
        dsn = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.direct = Direct(make_conninfo(dsn, **self._connect_options()))
        POOLS.watch(self)

    def connections(self) -> Iterable[tuple[str, int, int]]:
        """For each pool its name, its connections in use, and how many there may be."""
        for name, engine, most in self._sizes:
            pool = engine.pool
            yield name, pool.checkedout() if isinstance(pool, QueuePool) else 0, most
        yield "direct", self.direct.in_use, DIRECT_CONNECTIONS

    def _engine(self, pool_size: int, pool_timeout: float, *, ping_first: bool) -> AsyncEngine:
        return create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_pre_ping=ping_first,
            connect_args=self._connect_options(),
        )

    def _connect_options(self) -> dict[str, str]:
        return {
            "application_name": f"bidwright-{self.service}",
            "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
            "options": (
                f"-c statement_timeout={STATEMENT_TIMEOUT} "
                f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}"
            ),
        }

    @asynccontextmanager
    async def unit_of_work(self, tenant: Tenant) -> AsyncIterator[UnitOfWork]:
        """One transaction with the tenant set. Rolls back unless `commit()` was called."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            uow = UnitOfWork(session, service=self.service, clock=self.clock, after_commit=self._poke)
            session.info["unit_of_work"] = uow
            await uow.set_tenant(tenant)
            yield uow

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Holds a lock by name across processes, without holding a transaction open; for work that asks someone
        outside in between. It ends with the connection, so a killed process leaves none behind.

        A process holds or waits for LOCK_CONNECTIONS at a time; the others wait for their turn, LOCK_TIMEOUT_SECONDS
        at most: TimeoutError.
        """
        async with self._locks.connect() as connection:
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            parameters = {"name": f"{self.service}:{name}"}
            await connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), parameters)
            try:
                yield
            finally:
                await connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), parameters)

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.unit_of_work(Tenant.none()):
            pass

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self.engine.dispose()
        await self._locks.dispose()
        await self.direct.close()
