"""Events: followed, and sent again."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any
from uuid import UUID

import pytest
from nats.js import JetStreamContext

from common.bus import EVENTS_STREAM
from common.db import Database
from common.ids import new_id
from common.provision import ensure_streams
from contracts.gateway import OrgRenamed

from .parts import Billing, Command, created, publish, until

pytestmark = pytest.mark.integration


class TestTail:
    async def test_shows_what_was_and_what_comes(self, operate: Command, gateway: Database) -> None:
        org = new_id()
        (first,) = await publish(gateway, created(org))
        process = await operate.start("events", "tail", "gateway.org", "--since", "1h", "--json")
        assert process.stdout is not None

        async def read(event_id: UUID) -> dict[str, Any]:
            assert process.stdout is not None
            while True:
                found: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 15))
                if found["headers"]["ce-id"] == str(event_id):
                    return found

        try:
            assert (await read(first))["subject"] == "events.gateway.org.created"
            (second,) = await publish(gateway, OrgRenamed(org_id=org, version=2, name="B"))
            assert (await read(second))["body"]["name"] == "B"
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = await asyncio.wait_for(process.communicate(), 15)
        assert (process.returncode, complaints) == (0, b"")
        code, said = await operate.run(
            "events", "tail", "--since", "1h", "--no-follow", "--type", "bidwright.gateway.org.renamed.v1"
        )
        assert (code, str(second) in said, str(first) in said) == (0, True, False)
        assert str(second) not in (await operate.run("events", "tail", "billing", "--since", "1h", "--no-follow"))[1]


class TestRebuild:
    async def test_a_stream_that_was_lost_has_the_events_again_and_no_effect_comes_twice(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext, nats_url: Any
    ) -> None:
        org = new_id()
        ids = await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="before"))

        async def applied() -> bool:
            return "before" in billing.names

        await until(applied)
        await js.delete_stream(EVENTS_STREAM)
        await ensure_streams(nats_url("admin"))
        code, said = await operate.run("events", "rebuild", "gateway", "--dry-run")
        assert (code, (await js.stream_info(EVENTS_STREAM)).state.messages) == (0, 0)
        code, said = await operate.run("events", "rebuild", "gateway")
        assert code == 0, said

        async def back() -> bool:
            said = (await operate.run("events", "tail", "--since", "1h", "--no-follow"))[1]
            return all(str(event_id) in said for event_id in ids)

        await until(back)
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="after"))

        async def last() -> bool:
            return "after" in billing.names

        await until(last)
        assert billing.names.count("before") == 1
