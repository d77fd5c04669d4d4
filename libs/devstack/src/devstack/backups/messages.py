"""What is not in a backup because it can be made again: the streams, the caches.

The outbox of each service keeps what it sent for a week, and the dump is one snapshot of all schemas: an event that a
consumer had not applied in that snapshot is sent again. What it had applied is not; the inbox would drop it anyway.
Jobs are rows, and the workers' sweep sends their ids again. A dead letter is an event that was not applied: it is
tried again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import psycopg
from psycopg import sql

from contracts import load
from contracts.subscriptions import SUBSCRIPTIONS
from devstack.stack import Stack

_NEEDED = sql.SQL(
    "UPDATE {outbox} AS sent SET published_at = NULL"
    " WHERE sent.published_at IS NOT NULL AND sent.headers->>'ce-type' = ANY(%(types)s)"
    " AND NOT EXISTS (SELECT 1 FROM {inbox} AS seen WHERE seen.event_id = sent.id)"
    " AND (sent.body->>'version')::bigint > coalesce((SELECT have.version FROM {versions} AS have"
    " WHERE have.aggregate = %(entity)s || ':' || (sent.body->>%(field)s)), 0)"
)


def send_again(connection: psycopg.Connection[Any]) -> int:
    """Mark every event as unsent that one of its consumers has not applied; how many."""
    by_entity: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for event in load().values():
        meta = event.META
        by_entity[meta.service, meta.entity, meta.aggregate].append(meta.type)
    count = 0
    for (service, entity, field), types in by_entity.items():
        for consumer, wanted in SUBSCRIPTIONS.items():
            if f"{service}.{entity}" in wanted:
                statement = _NEEDED.format(
                    outbox=sql.Identifier(service, "outbox"),
                    inbox=sql.Identifier(consumer, "inbox"),
                    versions=sql.Identifier(consumer, "aggregate_versions"),
                )
                given = {"types": types, "entity": f"{service}.{entity}", "field": field}
                count += connection.execute(statement, given).rowcount
    return count


def forget(stack: Stack) -> None:
    """Remove the streams, which tell of what is no more, and empty the caches; the next start makes the streams."""
    asyncio.run(_forget_streams(stack.nats_url("admin")))
    import redis

    url = stack.settings.get("REDIS_URL", stack.redis_url)
    with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
        client.flushdb()


async def _forget_streams(url: str) -> None:
    import nats
    from nats.js.errors import NotFoundError

    from common.bus import DEAD_LETTERS_STREAM, EVENTS_STREAM, JOBS_STREAM

    client = await nats.connect(url, connect_timeout=5, max_reconnect_attempts=2)
    try:
        js = client.jetstream(timeout=10)
        for stream in (EVENTS_STREAM, JOBS_STREAM, DEAD_LETTERS_STREAM):
            try:
                await js.delete_stream(stream)
            except NotFoundError:
                continue
    finally:
        await client.close()
