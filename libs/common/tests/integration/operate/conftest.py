"""What an operator does by hand, on the real servers: the command beside the workers' parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext

from common import inbox
from common.bus import DEAD_LETTERS_STREAM, Bus
from common.db import Database, UnitOfWork
from common.inbox import Consumer
from common.outbox import Relay
from contracts.gateway import OrgRenamed

from .parts import CLOCK, Billing, Command


@pytest.fixture(scope="module")
def urls(service_database: Any) -> dict[str, Any]:
    return {service: service_database(service) for service in ("gateway", "billing")}


@pytest.fixture
def operate(urls: dict[str, Any], nats_url: Any) -> Command:
    rows = {f"{service.upper()}_WORKER_DATABASE_URL": found.worker_url for service, found in urls.items()}
    return Command({**rows, "PROVISION_NATS_URL": nats_url("admin")})


@pytest.fixture
async def gateway(urls: Any, nats_url: Any) -> AsyncIterator[Database]:
    """The gateway's rows, and its relay, which sends them."""
    bus = Bus(nats_url("gateway"), service="gateway")
    await bus.connect()
    database = Database(urls["gateway"].worker_url, service="gateway", clock=CLOCK, poke=bus.poke)
    stop = asyncio.Event()
    relay = asyncio.create_task(Relay(database, bus).run(stop))
    yield database
    stop.set()
    await relay
    await database.close()
    await bus.close()


@pytest.fixture
async def billing(urls: Any, nats_url: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Billing]:
    monkeypatch.setattr(inbox, "BACK_OFF_SECONDS", (0.01,))
    bus = Bus(nats_url("billing"), service="billing")
    await bus.connect()
    database = Database(urls["billing"].worker_url, service="billing", clock=CLOCK)

    async def on_renamed(_uow: UnitOfWork, event: OrgRenamed, deps: Billing) -> None:
        if event.name in deps.broken:
            deps.failures.append(event.name)
            raise LookupError(f"no plan for {event.name}")
        deps.names.append(event.name)

    found = Billing(database, bus, None, [], set(), [])  # type: ignore[arg-type]  # its consumer needs it first
    found.consumer = Consumer(database, bus, {OrgRenamed: on_renamed}, found)
    stop = asyncio.Event()
    consuming = asyncio.create_task(found.consumer.run(stop))
    yield found
    stop.set()
    await consuming
    await database.close()
    await bus.close()


@pytest.fixture
async def js(nats_url: Any) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(nats_url("admin"))
    found = client.jetstream()
    await found.purge_stream(DEAD_LETTERS_STREAM)
    yield found
    await client.close()
