"""One trace from the request to its effect in another service: through the outbox, NATS and the inbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common.bus import Bus
from common.clock import SystemClock
from common.db import Database, Tenant, UnitOfWork
from common.ids import new_id
from common.inbox import Consumer
from common.outbox import Relay
from common.telemetry import tracer
from contracts.gateway import OrgRenamed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


async def test_the_consumers_span_continues_the_publishers_trace(
    spans: InMemorySpanExporter, service_database: Any, nats_url: Any
) -> None:
    clock, arrived, stop = SystemClock(), asyncio.Event(), asyncio.Event()
    gateway_bus, billing_bus = Bus(nats_url("gateway"), service="gateway"), Bus(nats_url("billing"), service="billing")
    await gateway_bus.connect()
    await billing_bus.connect()
    gateway = Database(service_database("gateway").worker_url, service="gateway", clock=clock, poke=gateway_bus.poke)
    billing = Database(service_database("billing").worker_url, service="billing", clock=clock)

    async def on_renamed(uow: UnitOfWork, event: OrgRenamed, deps: None) -> None:
        arrived.set()

    running = [
        asyncio.create_task(Relay(gateway, gateway_bus).run(stop)),
        asyncio.create_task(Consumer(billing, billing_bus, {OrgRenamed: on_renamed}, None).run(stop)),
    ]
    org = new_id()
    with tracer.start_as_current_span("PATCH /api/orgs/{org_id}") as request:
        async with gateway.unit_of_work(Tenant(org_id=org)) as uow:
            uow.publish(OrgRenamed(org_id=org, version=1, name="Northwind"))
            await uow.commit()
    await asyncio.wait_for(arrived.wait(), 10)
    stop.set()
    await asyncio.gather(*running)
    for closing in (gateway, billing, gateway_bus, billing_bus):
        await closing.close()

    sent, consumed = (
        next(span for span in spans.get_finished_spans() if span.name == f"{operation} events.gateway.org.renamed")
        for operation in ("send", "process")
    )
    assert sent.context is not None
    assert sent.parent is not None
    assert consumed.context is not None
    assert consumed.parent is not None
    assert consumed.context.trace_id == sent.context.trace_id == request.get_span_context().trace_id
    assert sent.parent.span_id == request.get_span_context().span_id
    assert consumed.parent.span_id == sent.context.span_id
