"""Dead letters: shown, and given to their service again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext

from common import inbox
from common.bus import EVENTS_STREAM, REPLAY
from common.db import Database
from common.ids import new_id
from common.operate import dead, letters
from contracts.gateway import OrgRenamed

from .parts import Billing, Command, created, parked, publish, until

pytestmark = pytest.mark.integration


class TestDeadLetters:
    async def test_a_poisoned_event_is_shown_and_after_the_mending_applied_once_with_those_that_waited_for_it(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        ids = await publish(
            gateway,
            created(org),
            OrgRenamed(org_id=org, version=2, name="B"),
            OrgRenamed(org_id=org, version=3, name="C"),
        )
        await parked(js)
        assert billing.failures == ["B"] * inbox.MAX_ATTEMPTS

        (item,) = await operate.items("events", "dead", "list", "--service", "billing")
        assert item["event_id"] == str(ids[1])
        assert (item["reason"], item["subject"]) == ("handler_failed", "events.gateway.org.renamed")
        assert "no plan for B" in item["detail"]
        code, said = await operate.run("events", "dead", "show", str(item["id"]))
        assert (code, json.loads(said)["body"]["name"]) == (0, "B")

        billing.broken.clear()
        code, said = await operate.run("events", "dead", "replay", str(item["id"]), "--dry-run")
        assert (code, billing.names) == (0, [])
        code, said = await operate.run("events", "dead", "replay", str(item["id"]))
        assert code == 0, said
        assert "billing: applied" in said

        async def both() -> bool:
            return billing.names == ["B", "C"]

        await until(both)
        assert await operate.items("events", "dead", "list") == []
        code, said = await operate.run("events", "dead", "replay", str(item["id"]))
        assert (code, f"no dead letter {item['id']}" in said) == (1, True)

    async def test_what_is_still_broken_is_given_up_again_and_can_be_replayed_again(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (first,) = await parked(js)
        code, said = await operate.run("events", "dead", "replay", "--all")
        (second,) = await letters.read(js, "billing")
        assert (code, f"given up again as {second.id} (handler_failed)" in said) == (1, True)
        assert (second.subject, second.headers["ce-id"]) == (first.subject, first.headers["ce-id"])
        billing.broken.clear()
        code, said = await operate.run("events", "dead", "replay", second.headers["ce-id"])
        assert (code, billing.names) == (0, ["B"])

    async def test_of_many_replays_at_once_one_has_the_effect(
        self, gateway: Database, billing: Billing, js: JetStreamContext, nats_url: Any
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (letter,) = await parked(js)
        billing.broken.clear()
        clients = [await nats.connect(nats_url("admin")) for _ in range(8)]
        before = (await js.stream_info(EVENTS_STREAM)).state.messages
        handed = await asyncio.gather(*(letters.hand_over(client.jetstream(), letter.id) for client in clients))
        for client in clients:
            await client.close()
        assert handed.count(True) == 1
        assert (await js.stream_info(EVENTS_STREAM)).state.messages == before + 1

        async def applied() -> bool:
            return billing.names != []

        await until(applied)
        await asyncio.sleep(0.3)
        assert billing.names == ["B"]
        assert await letters.read(js, None) == []

    async def test_one_that_was_killed_before_it_removed_the_letter_is_made_good_by_the_next(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (listed,) = await parked(js)
        letter = await letters.get(js, listed.id)
        assert letter is not None
        billing.broken.clear()
        # What it had done; so long ago that NATS does not know the message's id any more.
        headers = {name: value for name, value in letter.headers.items() if name.startswith("ce-")}
        await js.publish(f"{REPLAY}.billing.{letter.subject}", letter.data, headers=headers)
        code, said = await operate.run("events", "dead", "replay", str(letter.id))
        assert code == 0, said
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="last"))

        async def last() -> bool:
            return "last" in billing.names

        await until(last)
        assert billing.names == ["B", "last"]
        assert await letters.read(js, None) == []

    async def test_what_was_applied_meanwhile_changes_nothing(
        self, gateway: Database, billing: Billing, js: JetStreamContext, capsys: pytest.CaptureFixture[str]
    ) -> None:
        org, event = new_id(), OrgRenamed(org_id=new_id(), version=1, name="B")
        billing.broken.add("B")
        (event_id,) = await publish(gateway, event)
        (letter,) = await parked(js)
        billing.broken.clear()
        await billing.consumer.apply(event, event_id)
        code = await dead.replay(
            js, {"billing": billing.database}, given=str(letter.id), service=None, dry_run=False, wait_seconds=5
        )
        assert (code, "was applied before" in capsys.readouterr().out) == (0, True)
        # A later one of the same service has been through the same consumer, so the replay has too.
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="last"))

        async def last() -> bool:
            return "last" in billing.names

        await until(last)
        assert billing.names == ["B", "last"]

    async def test_waiting_for_an_earlier_event_does_not_use_up_an_events_attempts(
        self, gateway: Database, billing: Billing, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inbox, "GAP_RETRY_SECONDS", 0.01)
        org = new_id()
        billing.broken.add("C")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=3, name="C"))

        async def waited() -> bool:
            return sum(billing.consumer._waited.values()) > inbox.MAX_ATTEMPTS

        await until(waited)
        await publish(gateway, OrgRenamed(org_id=org, version=2, name="B"))
        await parked(js)
        assert billing.failures == ["C"] * inbox.MAX_ATTEMPTS
        assert billing.names == ["B"]

    async def test_no_service_may_replay_to_another_or_read_anothers(self, billing: Billing) -> None:
        with pytest.raises(nats.errors.Error):
            await billing.bus.js.publish(f"{REPLAY}.gateway.events.billing.org.erased", b"{}")
        with pytest.raises(nats.errors.Error):
            await letters.read(billing.bus.js, None)
