"""Consumers: each event has its effect once, and an aggregate's events in their order.

The effect, the inbox row and the aggregate's version are one transaction. A repeat is dropped, a stale version is
dropped, a gap waits for what is missing. What cannot be parsed goes to the dead letters at once, what keeps failing
after MAX_ATTEMPTS.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from opentelemetry import trace
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from common.bus import EVENTS_STREAM, Bus
from common.db import Database, Tenant, UnitOfWork
from common.metrics import EVENT_SECONDS
from common.plumbing import AggregateVersion, InboxRow
from common.telemetry import continue_trace, get_logger, messaging_attributes, tracer
from contracts import Event, load

D = TypeVar("D")
Handler = Callable[[UnitOfWork, Any, D], Awaitable[None]]
"""What a fact means here: gets the open unit of work (its commit is the consumer's), the event, the deps."""

BATCH: Final = 64
FETCH_SECONDS: Final = 1.0
"""Also how long a stop may wait for an idle consumer."""
RETRY_SECONDS: Final = 1.0
MAX_ATTEMPTS: Final = 8
BACK_OFF_SECONDS: Final = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0, 60.0)
GAP_RETRY_SECONDS: Final = 0.25

log = get_logger()


class Gap(Exception):
    """The event before this one has not arrived yet."""


class Consumer:
    """Receives a service's subscriptions and hands each event to its handler.

    Args:
        handlers: by event class; a fact without a handler only advances its aggregate's version.
    """

    def __init__(self, db: Database, bus: Bus, handlers: Mapping[type[Event], Handler[D]], deps: D) -> None:
        self._db = db
        self._bus = bus
        self._handlers = handlers
        self._deps = deps
        self._catalogue = load()
        self.gaps: dict[str, float] = {}
        """Aggregates that wait for a missing event, since when (monotonic seconds)."""
        self._waited: Counter[int] = Counter()
        """By place in the stream, how often a message came too early: that is no attempt that failed."""

    async def run(self, stop: asyncio.Event) -> None:
        """Consumes until `stop` is set; what runs then is finished, what is queued goes back."""
        while not stop.is_set():
            try:
                subscription = await self._bus.js.pull_subscribe_bind(self._db.service, stream=EVENTS_STREAM)
                await self._consume(subscription, stop)
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("inbox.consumer_failed", error=str(error) or type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_SECONDS)

    async def _consume(self, subscription: JetStreamContext.PullSubscription, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    messages = await subscription.fetch(BATCH, timeout=FETCH_SECONDS)
                except TimeoutError:  # nothing came; it has NATS' own class, or the standard library's
                    continue
                await self._handle_batch(messages)
        finally:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                await subscription.unsubscribe()

    async def _handle_batch(self, messages: list[Msg]) -> None:
        """Orgs in parallel, the events of one org one after the other."""
        by_org: dict[UUID, list[tuple[Msg, Event, UUID]]] = defaultdict(list)
        for message in messages:
            if (parsed := await self._parse(message)) is not None:
                event, event_id = parsed
                by_org[event.org_id].append((message, event, event_id))
        await asyncio.gather(*(self._handle_in_order(group) for group in by_org.values()))

    async def _handle_in_order(self, group: list[tuple[Msg, Event, UUID]]) -> None:
        for message, event, event_id in group:
            with (
                tracer.start_as_current_span(
                    f"process {event.META.subject}",
                    context=continue_trace(message.headers or {}),
                    kind=trace.SpanKind.CONSUMER,
                    attributes=messaging_attributes("process", event.META.subject),
                ),
                structlog.contextvars.bound_contextvars(org_id=str(event.org_id)),
            ):
                await self._apply_and_settle(message, event, event_id)

    async def _parse(self, message: Msg) -> tuple[Event, UUID] | None:
        headers = message.headers or {}
        event_class = self._catalogue.get(headers.get("ce-type", ""))
        if event_class is None:
            await self._bury(message, "unknown_type", headers.get("ce-type", "no ce-type header"))
            return None
        try:
            return event_class.model_validate_json(message.data), UUID(headers["ce-id"])
        except (ValidationError, ValueError, KeyError) as error:
            await self._bury(message, "invalid_payload", str(error))
            return None

    async def _apply_and_settle(self, message: Msg, event: Event, event_id: UUID) -> None:
        aggregate = aggregate_name(event)
        try:
            await self.apply(event, event_id)
        except Gap:
            self.gaps.setdefault(aggregate, time.monotonic())
            self._waited[message.metadata.sequence.stream] += 1
            await message.nak(delay=GAP_RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises must end in a retry or a dead letter
            await self._retry_or_bury(message, error)
        else:
            self.gaps.pop(aggregate, None)
            self._waited.pop(message.metadata.sequence.stream, None)
            self._measure(message, event)
            await message.ack()

    def _measure(self, message: Msg, event: Event) -> None:
        try:
            happened = datetime.fromisoformat((message.headers or {})["ce-time"])
            seconds = (self._db.clock.now() - happened).total_seconds()
        except (KeyError, ValueError, TypeError):
            return  # dated by nobody of ours
        EVENT_SECONDS.labels(self._db.service, event.META.type).observe(max(0.0, seconds))

    async def apply(self, event: Event, event_id: UUID) -> None:
        """The effect of one event in one transaction; a repeat or a stale one has none. Raises Gap."""
        async with self._db.unit_of_work(Tenant(org_id=event.org_id)) as uow:
            fresh = await uow.session.scalar(
                insert(InboxRow)
                .values(event_id=event_id, org_id=event.org_id, type=event.META.type)
                .on_conflict_do_nothing()
                .returning(InboxRow.event_id)
            )
            if fresh is None:
                return
            if await self._advance(uow, event):
                handler = self._handlers.get(type(event))
                if handler is not None:
                    await handler(uow, event, self._deps)
            await uow.commit()

    async def _advance(self, uow: UnitOfWork, event: Event) -> bool:
        """Moves the aggregate's version; returns False for a stale event, raises Gap for one too early."""
        aggregate = aggregate_name(event)
        await uow.session.execute(
            insert(AggregateVersion)
            .values(aggregate=aggregate, org_id=event.org_id, version=0)
            .on_conflict_do_nothing()
        )
        row = await uow.session.scalar(
            select(AggregateVersion).where(AggregateVersion.aggregate == aggregate).with_for_update()
        )
        if row is None or event.version > row.version + 1:
            raise Gap(f"{aggregate}: version {event.version} came before the one that follows {row and row.version}")
        if event.version <= row.version:
            return False
        row.version = event.version
        return True

    async def _retry_or_bury(self, message: Msg, error: Exception) -> None:
        attempt = (message.metadata.num_delivered or 1) - self._waited[message.metadata.sequence.stream]
        unavailable = isinstance(error, SQLAlchemyError | OSError | TimeoutError | NatsError)
        log.error(
            "inbox.handler_failed",
            subject=message.subject,
            attempt=attempt,
            error=repr(error),
            exc_info=not unavailable,
        )
        if attempt >= MAX_ATTEMPTS and not unavailable:
            await self._bury(message, "handler_failed", repr(error))
            return
        await message.nak(delay=BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS)) - 1])

    async def _bury(self, message: Msg, reason: str, detail: str) -> None:
        await self._bus.dead_letter(message, reason=reason, detail=detail)
        await message.term()
        self._waited.pop(message.metadata.sequence.stream, None)
        log.error("inbox.dead_letter", subject=message.subject, reason=reason, detail=detail[:500])


def aggregate_name(event: Event) -> str:
    """The aggregate as `service.entity:id`."""
    return f"{event.META.service}.{event.META.entity}:{event.aggregate_id}"
