"""What a stack that exists becomes when it is provisioned again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext

from common.bus import EVENTS_STREAM, REPLAY
from common.provision import _consumer, ensure_streams
from contracts.subscriptions import SUBSCRIPTIONS, filter_subjects

pytestmark = pytest.mark.integration

SERVICE = "gateway"


@pytest.fixture
async def js(nats_url: Any) -> AsyncIterator[JetStreamContext]:
    """An administrator's stream, emptied, with nobody's durable moved yet."""
    client = await nats.connect(nats_url("admin"))
    found = client.jetstream()
    await found.purge_stream(EVENTS_STREAM)
    await found.delete_consumer(EVENTS_STREAM, SERVICE)
    yield found
    await client.close()


async def fetched(js: JetStreamContext) -> list[str]:
    """What the service's durable hands out, acknowledged."""
    subscription = await js.pull_subscribe_bind(SERVICE, stream=EVENTS_STREAM)
    try:
        messages = await subscription.fetch(10, timeout=0.5)
    except NatsTimeout:
        messages = []
    for message in messages:
        await message.ack_sync()
    await subscription.unsubscribe()
    return [message.subject for message in messages]


class TestEnsureStreams:
    async def test_a_durable_hears_of_what_it_now_subscribes_to_from_the_first_event_on(
        self, js: JetStreamContext, nats_url: Any
    ) -> None:
        added = "exports.export"
        assert added in SUBSCRIPTIONS[SERVICE]
        narrow = [subject for subject in filter_subjects(SERVICE) if added not in subject]
        await js.add_consumer(EVENTS_STREAM, _consumer(SERVICE, narrow))
        await js.publish("events.exports.export.finished", b"first")
        await js.publish("events.billing.entitlements.changed", b"known")
        assert await fetched(js) == ["events.billing.entitlements.changed"]

        await ensure_streams(nats_url("admin"))
        info = await js.consumer_info(EVENTS_STREAM, SERVICE)
        wanted = [*filter_subjects(SERVICE), f"{REPLAY}.{SERVICE}.>"]
        assert sorted(info.config.filter_subjects or []) == sorted(wanted)
        # The second comes again; its effect was had, and the inbox knows.
        assert await fetched(js) == ["events.exports.export.finished", "events.billing.entitlements.changed"]

    async def test_a_durable_that_is_as_it_should_be_stays_where_it_was(
        self, js: JetStreamContext, nats_url: Any
    ) -> None:
        await ensure_streams(nats_url("admin"))
        await js.publish("events.exports.export.finished", b"first")
        assert len(await fetched(js)) == 1
        await ensure_streams(nats_url("admin"))
        assert await fetched(js) == []

    async def test_a_durable_of_before_replays_takes_them_without_hearing_everything_again(
        self, js: JetStreamContext, nats_url: Any
    ) -> None:
        await js.add_consumer(EVENTS_STREAM, _consumer(SERVICE, filter_subjects(SERVICE)))
        await js.publish("events.exports.export.finished", b"first")
        assert len(await fetched(js)) == 1
        await ensure_streams(nats_url("admin"))
        await js.publish(f"{REPLAY}.{SERVICE}.events.exports.export.finished", b"first")
        assert await fetched(js) == [f"{REPLAY}.{SERVICE}.events.exports.export.finished"]
