"""The compliance matrix on the real database: kept up to date by what is written, mapped by people, one org's alone."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest

from common.ids import new_id

from .conftest import Caller, Entitled, World

pytestmark = pytest.mark.integration

CALL = (
    "Call for proposals\n\nWho may apply\nThe lead applicant must be registered before 2026.\n\n"
    "What to submit\nThe proposal must contain the following sections:\n\n"
    "1. Need (30 points, at most 2 pages)\nDescribe the community in no more than 12 words.\n\n"
    "2. Work plan (20 points, at most 3 pages)\nName the steps and who takes them.\n\n"
    "3. Evaluation (10 points, at most 1 page)\nSay how you will know that it worked.\n\f"
    "Attach letters of support from two partners.\nProposals must be submitted by 19 March 2027.\n"
)


async def planned(caller: Caller, call: str = CALL) -> str:
    proposal_id: str = (await caller.proposal(call_text=call))["id"]
    await plan(caller, proposal_id)
    return proposal_id


async def plan(caller: Caller, proposal_id: str) -> None:
    answer = await caller.post("/api/ai/plan", {"proposal_id": proposal_id})
    assert answer.status_code == 200, answer.text


async def matrix(caller: Caller, proposal_id: str) -> dict[str, Any]:
    answer = await caller.get(f"/api/proposals/{proposal_id}/compliance")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def demand(caller: Caller, proposal_id: str, begins: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in (await matrix(caller, proposal_id))["requirements"] if one["words"].startswith(begins)
    )
    return found


async def put(caller: Caller, proposal_id: str, requirement_id: str, *section_ids: str) -> Any:
    path = f"/api/proposals/{proposal_id}/requirements/{requirement_id}"
    return await caller.call("PUT", path, json={"section_ids": list(section_ids)})


class TestTheMatrix:
    async def test_is_empty_before_a_plan(self, entitled: Entitled) -> None:
        caller = await entitled()
        found = await matrix(caller, (await caller.proposal(call_text=CALL))["id"])
        assert (found["planned"], found["requirements"]) == (False, [])

    async def test_has_words_place_kind_weight_and_limit(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        start, end = described["place"]["start"], described["place"]["end"]
        assert CALL[start:end] == "Describe the community in no more than 12 words"
        assert (described["kind"], described["limit"]) == ("content", {"value": 12, "unit": "words"})
        letters = await demand(caller, proposal_id, "Attach letters")
        assert (letters["kind"], letters["place"]["page"], letters["place"]["start"]) == ("attachment", 2, 0)
        need = await demand(caller, proposal_id, "Need (30 points")
        assert (need["weight"], need["limit"]) == (30, {"value": 2, "unit": "pages"})
        found = await matrix(caller, proposal_id)
        assert sum(found["counts"].values()) == len(found["requirements"])

    async def test_follows_what_is_written_and_approved(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)

        async def state() -> str:
            return str((await demand(caller, proposal_id, "Describe the community"))["state"])

        (section,) = (await demand(caller, proposal_id, "Describe the community"))["sections"]
        path = f"/api/sections/{section['id']}"
        assert (section["title"], await state()) == ("Need", "open")
        await caller.patch(path, {"text": "612 members live in Eldermoor."}, If_Match='"1"')
        assert await state() == "drafted"
        await caller.post(f"{path}/approve")
        assert await state() == "approved"
        await caller.delete(f"{path}/approve")
        await caller.patch(path, {"text": "word " * 13}, If_Match='"2"')
        assert await state() == "over_limit"
        await caller.delete(path)
        assert await state() == "uncovered"

    async def test_comes_as_csv(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        path = f"/api/proposals/{proposal_id}/compliance"
        asked = await caller.get(path, params={"format": "csv"})
        accepted = await caller.call("GET", path, headers={"Accept": "text/csv"})
        assert asked.text == accepted.text
        assert asked.headers["content-type"] == "text/csv; charset=utf-8"
        assert asked.headers["content-disposition"].startswith("attachment")
        rows = list(csv.DictReader(io.StringIO(asked.text.removeprefix("\ufeff"), newline="")))
        known = (await matrix(caller, proposal_id))["requirements"]
        assert [row["id"] for row in rows] == [one["id"] for one in known]
        assert (await caller.get(path, params={"format": "xls"})).status_code == 422


class TestMapping:
    async def test_by_a_person_outlives_a_new_plan_with_the_ids(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        before = [one["id"] for one in (await matrix(caller, proposal_id))["requirements"]]
        due = await demand(caller, proposal_id, "Proposals must be submitted")
        own = await caller.section(proposal_id, "Our own", "Text.")
        mapped = await put(caller, proposal_id, due["id"], own["id"], own["id"])
        assert mapped.status_code == 200, mapped.text
        assert (mapped.json()["state"], mapped.json()["mapped_by_hand"]) == ("drafted", True)
        await plan(caller, proposal_id)
        again = await matrix(caller, proposal_id)
        assert [one["id"] for one in again["requirements"]] == before
        kept = next(one for one in again["requirements"] if one["id"] == due["id"])
        assert [one["id"] for one in kept["sections"]] == [own["id"]]

    async def test_to_nothing_is_uncovered(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        assert (await put(caller, proposal_id, described["id"])).json()["state"] == "uncovered"
        await plan(caller, proposal_id)
        assert (await demand(caller, proposal_id, "Describe the community"))["sections"] == []

    async def test_to_a_section_of_another_proposal_is_refused(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        other = await caller.section((await caller.proposal())["id"])
        for section_id in (other["id"], str(new_id())):
            refused = await put(caller, proposal_id, described["id"], section_id)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "section_ids"
        assert (await demand(caller, proposal_id, "Describe the community")) == described

    async def test_of_twenty_at_once_one_whole_answer_stays(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        pairs = [
            [(await caller.section(proposal_id, f"{side} {n}"))["id"] for side in ("Left", "Right")] for n in range(5)
        ]
        answers = await asyncio.gather(
            *(put(caller, proposal_id, described["id"], *pairs[n % len(pairs)]) for n in range(20))
        )
        assert {answer.status_code for answer in answers} == {200}
        stayed = (await demand(caller, proposal_id, "Describe the community"))["sections"]
        assert [one["id"] for one in stayed] in pairs

    async def test_while_the_section_is_deleted_leaves_no_trace_of_it(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        for _ in range(5):
            doomed = (await caller.section(proposal_id, "Doomed"))["id"]
            mapped, gone = await asyncio.gather(
                put(caller, proposal_id, described["id"], doomed), caller.delete(f"/api/sections/{doomed}")
            )
            assert (mapped.status_code in (200, 422), gone.status_code) == (True, 204)
            stayed = (await demand(caller, proposal_id, "Describe the community"))["sections"]
            assert doomed not in [one["id"] for one in stayed]

    async def test_needs_a_member(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        viewer = world.caller(caller.http, caller.org_id, role="viewer")
        assert (await put(viewer, proposal_id, described["id"])).json()["error"] == "role_forbidden"
        assert (await matrix(viewer, proposal_id))["requirements"]


class TestTheCheck:
    async def test_before_a_plan(self, entitled: Entitled) -> None:
        caller = await entitled()
        found = (await caller.get(f"/api/proposals/{(await caller.proposal())['id']}/check")).json()
        assert (found["ready"], [one["kind"] for one in found["findings"]]) == (False, ["no_sections"])

    async def test_ends_when_all_is_done(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller)
        path = f"/api/proposals/{proposal_id}/check"
        found = (await caller.get(path)).json()
        assert not found["ready"]
        assert {"empty_section", "attachment"} <= {one["kind"] for one in found["findings"]}
        sections = (await caller.get(f"/api/proposals/{proposal_id}/sections")).json()["items"]
        for section in sections:
            await caller.patch(f"/api/sections/{section['id']}", {"text": "Costs [TBD]."}, If_Match='"1"')
        kinds = [one["kind"] for one in (await caller.get(path)).json()["findings"]]
        assert kinds.count("placeholder") == kinds.count("unapproved_section") == len(sections)
        for section in sections:
            await caller.patch(f"/api/sections/{section['id']}", {"text": "Costs 42."}, If_Match='"2"')
            await caller.post(f"/api/sections/{section['id']}/approve")
        for one in (await matrix(caller, proposal_id))["requirements"]:
            if one["state"] == "uncovered":
                await put(caller, proposal_id, one["id"], sections[0]["id"])
        done = (await caller.get(path)).json()
        assert (done["ready"], done["counts"]["error"]) == (True, 0), done["findings"]

    async def test_knows_the_uploads_of_the_proposal(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = await planned(caller, CALL.replace("letters of support from two partners", "the report of 2025"))
        path = f"/api/proposals/{proposal_id}/check"

        async def severity() -> str:
            findings = (await caller.get(path)).json()["findings"]
            return str(next(one["severity"] for one in findings if one["kind"] == "attachment"))

        assert await severity() == "warning"
        await world.upload(caller.org_id, ["Words."], proposal_id=proposal_id)  # type: ignore[arg-type]
        assert await severity() == "info"


class TestAnotherOrg:
    async def test_finds_nothing_by_id(self, entitled: Entitled) -> None:
        caller, stranger = await entitled(), await entitled()
        proposal_id = await planned(caller)
        described = await demand(caller, proposal_id, "Describe the community")
        own = await planned(stranger)
        own_section = await stranger.section(own, "Mine")
        for path in ("compliance", "check"):
            assert (await stranger.get(f"/api/proposals/{proposal_id}/{path}")).status_code == 404
        for proposal in (proposal_id, own):
            assert (await put(stranger, proposal, described["id"], own_section["id"])).status_code == 404
        theirs = await demand(stranger, own, "Describe the community")
        foreign = await put(stranger, own, theirs["id"], described["sections"][0]["id"])
        assert foreign.status_code == 422
        assert await demand(caller, proposal_id, "Describe the community") == described

    async def test_a_deleted_proposal_takes_its_requirements_along(self, world: World, entitled: Entitled) -> None:
        import psycopg

        caller = await entitled()
        proposal_id = await planned(caller)
        await caller.delete(f"/api/proposals/{proposal_id}")
        async with await psycopg.AsyncConnection.connect(world.database.admin_url) as connection:
            for table in ("requirements", "requirement_sections"):
                rows = await connection.execute(
                    f"SELECT count(*) FROM ai.{table} WHERE proposal_id = %s", (proposal_id,)
                )
                assert await rows.fetchone() == (0,)
