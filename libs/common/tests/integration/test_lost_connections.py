"""The server drops every connection that a pool holds, as its restart does; the next transactions do not notice."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.clock import SystemClock
from common.db import Database, Tenant
from common.health import Health
from common.http import create_app

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


async def test_whoever_asks_while_the_database_is_away_is_told_when_to_come_back(billing_database: Any) -> None:
    database = Database(billing_database.app_url, service="billing", clock=SystemClock(), pool_size=POOL)
    nowhere = Database("postgresql://a:b@127.0.0.1:9/c", service="billing", clock=SystemClock(), pool_size=POOL)
    router = APIRouter()

    @router.get("/dies")
    async def dies() -> None:
        async with database.unit_of_work(Tenant.none()) as uow:
            await _drop(billing_database.app_url, int(await uow.session.scalar(text("SELECT pg_backend_pid()"))))
            await uow.commit()

    @router.get("/dies-directly")
    async def dies_directly() -> None:
        async with database.direct.transaction(Tenant.none()) as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    @router.get("/nowhere")
    async def is_nowhere() -> None:
        await nowhere.ping()

    @router.get("/wrong")
    async def wrong() -> None:
        async with database.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("SELECT 1 / 0"))

    app = create_app(service="billing", title="Billing", routers=[router], health=Health())
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client:
            for path in ("/dies", "/dies-directly", "/nowhere"):
                answer = await client.get(path)
                assert (path, answer.status_code, answer.json()["error"]) == (path, 503, "unavailable")
                assert answer.headers["retry-after"].isdigit()
            assert (await client.get("/wrong")).status_code == 500
    finally:
        await database.close()
        await nowhere.close()
