"""What is kept of requests: their words while they are needed, then tokens; and what vendors are told under a veil."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from ai.redaction import keeping
from ai_fake.testing import FakeProcess
from common.clock import SystemClock
from common.db import Database

from .conftest import Caller, Entitled, World
from .test_jobs import new_section
from .vendors_at_hand import addresses

pytestmark = pytest.mark.integration

SECRET = SecretStr("s" * 32)
ANSWER = "Maria Santos leads, maria@wells.example, +44 20 7946 0958. Forty villages have no well."


def kept(world: World, caller: Caller) -> list[tuple[bool, dict[str, Any]]]:
    """(redacted, request) of the org's requests, oldest first."""
    with psycopg.connect(world.database.admin_url) as connection:
        return connection.execute(
            "SELECT request_redacted, request FROM ai.generations WHERE org_id = %s ORDER BY id", (caller.org_id,)
        ).fetchall()


async def redact(world: World, hours: float = 72, later: timedelta = timedelta()) -> int:
    db = Database(world.database.worker_url, service="ai", clock=SystemClock())
    try:
        return await keeping.redact_ended(db, SECRET, SystemClock().now() + later, retry_hours=hours)
    finally:
        await db.close()


async def test_of_a_request_that_succeeded_only_tokens_are_kept(world: World, entitled: Entitled) -> None:
    caller, other = await entitled(), await entitled()
    for person in (caller, other):
        body = {"section_id": await new_section(person), "answers": {"lead": ANSWER}}
        assert (await person.post("/api/ai/write", body)).status_code == 200
    assert await redact(world) >= 2
    ((done, request),) = kept(world, caller)
    words = request["answers"]["lead"]
    assert done
    assert re.fullmatch(
        r"\[person:\w{12}\] leads, \[email:\w{12}\], \[phone:\w{12}\]\. Forty villages have no well\.", words
    )
    assert kept(world, other)[0][1]["answers"]["lead"] != words, "each org has tokens of its own"
    assert await redact(world) == 0


async def test_a_failed_one_keeps_its_words_while_it_can_be_tried(world: World, entitled: Entitled) -> None:
    with FakeProcess() as fake:
        fake.always("openai", {"status": 400})
        async with world.serve(None, **addresses(fake, "openai")) as client:
            caller = await entitled(client)
            body = {"section_id": await new_section(caller), "answers": {"lead": ANSWER}}
            assert (await caller.post("/api/ai/write", body)).status_code == 503
            await redact(world)
            assert kept(world, caller) == [(False, {"answers": {"lead": ANSWER}, "upload_ids": []})]
            with psycopg.connect(world.database.admin_url, autocommit=True) as connection:
                (job_id,) = connection.execute(
                    "UPDATE ai.generations SET finished_at = finished_at - interval '72 hours 30 minutes'"
                    " WHERE org_id = %s RETURNING id",
                    (caller.org_id,),
                ).fetchone() or (None,)
            late = await caller.post(f"/api/ai/jobs/{job_id}/retry")
            assert late.status_code == 409
            assert "Ask anew" in late.json()["detail"]
            await redact(world)
            assert kept(world, caller)[0][0] is False, "not in the same hour"
            await redact(world, later=timedelta(hours=1))
            assert "Maria" not in str(kept(world, caller))


async def test_the_timer_sees_no_row_but_those(world: World, entitled: Entitled) -> None:
    caller = await entitled()
    await caller.post("/api/ai/write", {"section_id": await new_section(caller)})
    with psycopg.connect(world.database.worker_url) as connection:
        assert connection.execute("SELECT count(*) FROM generations").fetchone() == (0,)
        connection.execute("SELECT set_config('app.redact_ended', '1', true)")
        assert (connection.execute("SELECT count(*) FROM generations").fetchone() or (0,))[0] >= 1
        assert connection.execute("UPDATE generations SET request = '{}'").rowcount == 0
    with psycopg.connect(world.database.app_url) as connection:
        connection.execute("SELECT set_config('app.redact_ended', '1', true)")
        assert connection.execute("SELECT count(*) FROM generations").fetchone() == (0,)


async def test_a_vendor_is_told_no_names_where_the_setting_says_so(world: World, entitled: Entitled) -> None:
    with FakeProcess() as fake:
        fake.always("openai", {"text": "Under [person 1] ([email 1], [phone 1]) we dig."})
        async with world.serve(None, **addresses(fake, "openai"), AI_REDACT_PROMPTS="1") as client:
            caller = await entitled(client)
            body = {"section_id": await new_section(caller), "answers": {"lead": ANSWER}}
            written = await caller.post("/api/ai/write", body)
        sent = str(fake.asked("openai")[0]["body"])
    assert "[person 1] leads, [email 1], [phone 1]. Forty villages" in sent
    assert not re.search(r"Maria|wells\.example|7946", sent)
    assert written.json()["text"] == "Under Maria Santos (maria@wells.example, +44 20 7946 0958) we dig."


async def test_the_check_says_where_a_claim_has_no_source_or_a_wrong_one(world: World, entitled: Entitled) -> None:
    caller = await entitled()
    proposal = await caller.proposal(call_text="Show the need. At most 40 wells are paid for.")
    upload = await world.upload(
        caller.org_id, ["In Kisumu 38 villages have no well."], proposal_id=UUID(proposal["id"])
    )
    right = "In Kisumu 38 villages have no well [report.pdf, p. 1]."
    text = f"{right} We dig 41 wells [call, p. 1]. We found 7 springs. See the map [old.pdf, p. 9]."
    section = await caller.section(proposal["id"], text=text)
    found = (await caller.get(f"/api/proposals/{proposal['id']}/check")).json()["findings"]
    said = [(one["kind"], text[one["place"]["start"] : one["place"]["end"]]) for one in found if one["place"]]
    assert said == [
        ("citation", "We dig 41 wells [call, p. 1]"),
        ("citation", "See the map [old.pdf, p. 9]"),
        ("uncited", "We found 7 springs."),
    ]
    cited = (await caller.get(f"/api/sections/{section['id']}/citations")).json()
    first, second, third = cited["citations"]
    assert (first["upload_id"], first["standing"], first["span"]) == (str(upload), "supported", {"start": 0, "end": 35})
    assert (second["upload_id"], second["standing"], second["missing"]) == (None, "unsupported", ["41"])
    assert third["standing"] == "unknown_source"
    stranger = await entitled()
    theirs = await stranger.section((await stranger.proposal())["id"], text=right)
    assert (await stranger.get(f"/api/sections/{theirs['id']}/citations")).json()["citations"][0]["upload_id"] is None
