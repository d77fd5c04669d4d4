"""The server drops every connection that a pool holds, as its restart does; the next transactions do not notice."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.clock import SystemClock
from common.db import Database, Tenant

pytestmark = pytest.mark.integration
POOL = 5


@pytest.fixture(scope="module")
def billing_database(service_database: Any) -> Any:
    return service_database("billing")


async def _backend(database: Database, together: asyncio.Barrier | None = None) -> int:
    async with database.unit_of_work(Tenant.none()) as uow:
        backend = await uow.session.scalar(text("SELECT pg_backend_pid()"))
        if together is not None:
            await together.wait()
        return int(backend)


async def _drop(url: str, *backends: int) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for backend in backends:
            await connection.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))


async def test_a_pool_of_dead_connections_costs_nobody_a_transaction(billing_database: Any) -> None:
    database = Database(billing_database.app_url, service="billing", clock=SystemClock(), pool_size=POOL)
    try:
        together = asyncio.Barrier(POOL)
        dead = set(await asyncio.gather(*(_backend(database, together) for _ in range(POOL))))
        assert len(dead) == POOL
        await _drop(billing_database.app_url, *dead)
        alive = await asyncio.gather(*(_backend(database) for _ in range(POOL * 6)))
        assert not dead & set(alive)
        await database.ping()
        async with database.lock("anything"):
            pass
    finally:
        await database.close()


async def test_a_connection_that_dies_within_a_transaction_fails_it(billing_database: Any) -> None:
    database = Database(billing_database.app_url, service="billing", clock=SystemClock(), pool_size=POOL)
    try:
        async with database.unit_of_work(Tenant.none()) as uow:
            await _drop(billing_database.app_url, int(await uow.session.scalar(text("SELECT pg_backend_pid()"))))
            with pytest.raises(DBAPIError):
                await uow.session.execute(text("SELECT 1"))
        await database.ping()
    finally:
        await database.close()
