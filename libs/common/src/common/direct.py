"""Short transactions by the driver alone, on a few connections of their own.

    async with db.direct.transaction(tenant) as connection:
        cursor = await connection.execute("UPDATE ... RETURNING ...", (...))
        row = await cursor.fetchone()

For what is done for each piece of a stream and each second of a job: a transaction costs a third of one through the
ORM. And a job's lease must not wait for a connection while a hundred requests stand in line for the pool's.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from common.tenant import Tenant

DIRECT_CONNECTIONS: Final = 2
"""One would do while it answers; with a second, a statement that waits for a row's lock holds nobody else up."""
WAIT_SECONDS: Final = 10.0

Connection = psycopg.AsyncConnection[TupleRow]

_CONNECTION_LOST: Final = "08"
_NOT_NOW: Final = frozenset({"57P01", "57P02", "57P03", "53300"})
"""Shut down, crashed, still starting, too many connections."""

_SET_TENANT: Final = "SELECT set_config('app.org_id', %s, true), set_config('app.user_id', %s, true)"


class Direct:
    """The connections. `Database` makes it.

    Args:
        conninfo: with everything that a connection is opened with.
        size: connections at most; each is opened when it is first needed.
    """

    def __init__(self, conninfo: str, *, size: int = DIRECT_CONNECTIONS) -> None:
        self._conninfo = conninfo
        self._size = size
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self.in_use = 0

    @asynccontextmanager
    async def transaction(self, tenant: Tenant) -> AsyncIterator[Connection]:
        """One transaction with the tenant set, committed at its end; an exception rolls it back.

        Statements are sent without waiting for each other's answer, so an error may only be raised when a result is
        fetched, or at the end. Raises DBAPIError, as the ORM does; TimeoutError when no connection became free.
        """
        async with asyncio.timeout(WAIT_SECONDS):
            await self._free.acquire()
        self.in_use += 1
        try:
            connection = await self._open()
            try:
                async with connection.pipeline():
                    await set_tenant(connection, tenant)
                    yield connection
                    await connection.commit()
            except BaseException as error:  # cancelled too
                await connection.close()  # whatever state it is in, it is nobody's any more
                if isinstance(error, psycopg.Error):
                    raise translated(error) from error
                raise
            self._idle.append(connection)
        finally:
            self.in_use -= 1
            self._free.release()

    async def _open(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if is_alive(connection):
                return connection
            await connection.close()
        try:
            return await psycopg.AsyncConnection.connect(self._conninfo)
        except psycopg.Error as error:
            raise translated(error) from error

    async def close(self) -> None:
        """Closes the idle ones."""
        while self._idle:
            await self._idle.pop().close()


async def set_tenant(connection: Connection, tenant: Tenant) -> None:
    """Changes whose rows the rest of the transaction may see."""
    await connection.execute(_SET_TENANT, (str(tenant.org_id or ""), str(tenant.user_id or "")))


def translated(error: psycopg.Error) -> Exception:
    """The driver's error as the ORM would raise it, so that callers have one kind to handle."""
    return cast(Exception, DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True))


def is_alive(connection: Connection) -> bool:
    """An idle connection has nothing to say, except that its server is gone."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached, went away under a transaction or had no connection free: whatever was
    not committed is as it was, and the same may be tried again in a moment."""
    if isinstance(error, PoolTimeout):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError):
        return False
    # Without a code it is the connection itself that failed: the server never said a word, or stopped within one.
    return cause.sqlstate is None or cause.sqlstate[:2] == _CONNECTION_LOST or cause.sqlstate in _NOT_NOW
