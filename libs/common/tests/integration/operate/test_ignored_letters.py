"""Dead letters that nobody can mend: they wait no more, and are kept with who said so and why."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from sqlalchemy import select

from common.bus import DEAD_LETTERS_STREAM
from common.db import Database, Tenant
from common.ids import new_id
from common.operate import letters
from common.plumbing import InboxRow
from contracts.gateway import OrgRenamed

from .parts import Billing, Command, created, parked, publish, until

pytestmark = pytest.mark.integration
WHY = "made by hand in März; the org is gone"


async def waiting(js: JetStreamContext) -> dict[str, int]:
    """What doctor and the metric count."""
    info = await js.stream_info(DEAD_LETTERS_STREAM, subjects_filter="dead.>")
    return dict(info.state.subjects or {})


async def malformed(js: JetStreamContext, body: bytes, **headers: str) -> letters.Letter:
    """What a producer that is none of ours has sent: billing gives it up at once."""
    given = {"ce-type": "bidwright.gateway.org.renamed.v1", "ce-id": str(new_id()), **headers}
    await js.publish("events.gateway.org.renamed", body, headers=given)
    (letter,) = await parked(js)
    return letter


class TestWhatCannotBeRead:
    async def test_waits_no_more_and_is_kept_with_the_reason(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        letter = await malformed(js, b"\xff not JSON")
        code, said = await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY, "--dry-run")
        assert (code, "would be ignored" in said) == (0, True)
        assert await waiting(js) != {}

        code, said = await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert (code, f"{letter.id}  billing: ignored" in said) == (0, True), said
        assert await waiting(js) == {}
        assert await operate.items("events", "dead", "list") == []
        (kept,) = await operate.items("events", "dead", "list", "--ignored")
        assert (kept["ignored"]["reason"], kept["reason"]) == (WHY, "invalid_payload")
        assert kept["ignored"]["by"]
        assert WHY in (await operate.run("events", "dead", "list", "--ignored"))[1]
        code, said = await operate.run("events", "dead", "show", kept["event_id"])
        assert (code, "not JSON" in json.loads(said)["body"]) == (0, True)

        code, said = await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert (code, f"no dead letter {letter.id}" in said) == (1, True)
        code, said = await operate.run("events", "dead", "ignore", str(kept["id"]), "--reason", WHY)
        assert (code, len(await letters.read(js, None, ignored=True))) == (1, 1)

    async def test_given_back_by_a_replay_it_is_a_dead_letter_again(
        self, operate: Command, billing: Billing, js: JetStreamContext
    ) -> None:
        letter = await malformed(js, b"[]")
        await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        (kept,) = await letters.read(js, None, ignored=True)
        code, said = await operate.run("events", "dead", "replay", str(kept.id))
        assert (code, "given up again" in said) == (1, True)
        assert (await letters.read(js, None, ignored=True), len(await letters.read(js, None))) == ([], 1)

    async def test_what_came_after_it_for_the_same_thing_goes_on(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        await publish(gateway, created(org))
        # It says which version of what it is, and no more.
        letter = await malformed(js, json.dumps({"org_id": str(org), "version": 2}).encode())
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="C"))

        async def waits() -> bool:
            return f"gateway.org:{org}" in billing.consumer.gaps

        await until(waits)
        code, said = await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert code == 0, said

        async def applied() -> bool:
            return billing.names == ["C"] and billing.consumer.gaps == {}

        await until(applied)

    async def test_a_version_that_is_not_the_next_is_left_and_the_missing_one_named(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        letter = await malformed(js, json.dumps({"org_id": str(org), "version": 2}).encode())
        code, said = await operate.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert (code, f"version 1 of gateway.org:{org} comes first" in said) == (1, True), said
        assert await waiting(js) != {}

    async def test_without_its_services_rows_only_what_has_no_place_is_ignored(
        self, operate: Command, billing: Billing, js: JetStreamContext
    ) -> None:
        only_nats = Command({"PROVISION_NATS_URL": operate.env["PROVISION_NATS_URL"]})
        letter = await malformed(js, json.dumps({"org_id": str(new_id()), "version": 1}).encode())
        code, said = await only_nats.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert (code, "BILLING_WORKER_DATABASE_URL" in said) == (1, True), said
        await js.purge_stream(DEAD_LETTERS_STREAM)
        letter = await malformed(js, b"{}")
        code, said = await only_nats.run("events", "dead", "ignore", str(letter.id), "--reason", WHY)
        assert code == 0, said


class TestWhatKeepsFailing:
    async def test_counts_as_seen_so_that_a_late_copy_has_no_effect(
        self, operate: Command, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        ids = await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        await parked(js)
        code, said = await operate.run("events", "dead", "ignore", str(ids[1]), "--reason", WHY)
        assert code == 0, said
        billing.broken.clear()
        await billing.consumer.apply(OrgRenamed(org_id=org, version=2, name="B"), ids[1])
        await publish(gateway, OrgRenamed(org_id=org, version=3, name="C"))

        async def last() -> bool:
            return "C" in billing.names

        await until(last)
        assert billing.names == ["C"]
        async with billing.database.unit_of_work(Tenant.none()) as uow:
            assert await uow.session.scalar(select(InboxRow.type).where(InboxRow.event_id == ids[1])) is not None

    async def test_of_many_operators_at_once_one_ignores_it(
        self, operate: Command, billing: Billing, js: JetStreamContext, nats_url: Any
    ) -> None:
        letter = await letters.get(js, (await malformed(js, b"{}")).id)
        assert letter is not None
        clients = [await nats.connect(nats_url("admin")) for _ in range(8)]
        done = await asyncio.gather(
            *(letters.set_aside(client.jetstream(), letter, by=str(n), reason=WHY) for n, client in enumerate(clients))
        )
        for client in clients:
            await client.close()
        assert done.count(True) == 1
        assert len(await letters.read(js, None, ignored=True)) == 1

    async def test_of_one_that_ignores_and_one_that_replays_one_wins(
        self, gateway: Database, billing: Billing, js: JetStreamContext
    ) -> None:
        org = new_id()
        billing.broken.add("B")
        await publish(gateway, created(org), OrgRenamed(org_id=org, version=2, name="B"))
        (listed,) = await parked(js)
        letter = await letters.get(js, listed.id)
        assert letter is not None
        ignored, replayed = await asyncio.gather(
            letters.set_aside(js, letter, by="a", reason=WHY), letters.hand_over(js, letter.id)
        )
        assert [ignored, replayed].count(True) == 1


class TestTheReason:
    @pytest.mark.parametrize("words", [[], ["--reason", "  "], ["--reason", "x" * 501]])
    async def test_is_asked_for(self, operate: Command, words: list[str]) -> None:
        code, said = await operate.run("events", "dead", "ignore", "1", *words)
        assert (code, "--reason" in said) == (2, True)
