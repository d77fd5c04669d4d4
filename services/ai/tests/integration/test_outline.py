"""The outline: sections put in order, taken out and put back, and a call that comes later."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from .conftest import Caller, Entitled, World

pytestmark = pytest.mark.integration

CALL = (
    "Call for proposals\n\nThe proposal must contain the following sections:\n\n"
    "1. Need (30 points, at most 2 pages)\nDescribe the community.\n"
)


async def outline(caller: Caller, proposal_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await caller.get(f"/api/proposals/{proposal_id}/sections")).json()["items"]
    return items


async def titles(caller: Caller, proposal_id: str) -> list[str]:
    return [one["title"] for one in await outline(caller, proposal_id)]


async def revision(caller: Caller, proposal_id: str) -> int:
    return int((await caller.get(f"/api/proposals/{proposal_id}")).json()["revision"])


async def put(caller: Caller, proposal_id: str, section_ids: list[str], at: int | None) -> Any:
    return await caller.call(
        "PUT",
        f"/api/proposals/{proposal_id}/sections/order",
        json={"section_ids": section_ids},
        headers={"If-Match": f'"{at}"'} if at is not None else {},
    )


async def with_sections(caller: Caller, *names: str) -> tuple[str, list[str]]:
    proposal_id: str = (await caller.proposal())["id"]
    return proposal_id, [(await caller.section(proposal_id, name, f"{name}."))["id"] for name in names]


class TestOrder:
    async def test_the_sections_stand_as_they_were_put(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, (a, b, c) = await with_sections(caller, "A", "B", "C")
        before = await revision(caller, proposal_id)
        answer = await put(caller, proposal_id, [c, a, b], before)
        assert answer.status_code == 200, answer.text
        assert [one["position"] for one in answer.json()["items"]] == [1, 2, 3]
        assert answer.headers["ETag"] == f'"{before + 1}"'
        assert await titles(caller, proposal_id) == ["C", "A", "B"]
        same = await put(caller, proposal_id, [c, a, b], before + 1)
        assert same.headers["ETag"] == f'"{before + 1}"'

    async def test_an_approved_section_moves_and_the_exports_hear_of_it(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, (a, b) = await with_sections(caller, "A", "B")
        await caller.post(f"/api/sections/{a}/approve")
        assert (await put(caller, proposal_id, [b, a], await revision(caller, proposal_id))).status_code == 200
        worker = await world.start_worker()
        told = await world.published("events.ai.proposal.>", caller.org_id, 5)
        await world.stop_worker(worker)
        assert [one["title"] for one in told[-1]["sections"]] == ["B", "A"]

    async def test_of_twenty_orders_on_one_revision_exactly_one_holds(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, ids = await with_sections(caller, *"ABCDE")
        at = await revision(caller, proposal_id)
        wishes = [random.Random(seed).sample(ids, k=len(ids)) for seed in range(20)]  # any order will do
        answers = await asyncio.gather(*(put(caller, proposal_id, wish, at) for wish in wishes))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
        won = next(wish for wish, answer in zip(wishes, answers, strict=True) if answer.status_code == 200)
        found = await outline(caller, proposal_id)
        assert [one["id"] for one in found] == won
        assert [one["position"] for one in found] == [1, 2, 3, 4, 5]
        lost = next(answer for answer in answers if answer.status_code == 412).json()
        assert (lost["error"], lost["revision"], lost["section_ids"]) == ("stale_revision", at + 1, won)

    async def test_while_others_add_and_remove_none_is_lost_or_twice(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, ids = await with_sections(caller, *"ABCDEF")

        async def shuffle(seed: int) -> None:
            for _ in range(4):
                now = [one["id"] for one in await outline(caller, proposal_id)]
                random.Random(seed).shuffle(now)
                answer = await put(caller, proposal_id, now, await revision(caller, proposal_id))
                assert answer.status_code in (200, 412, 422)

        async def add(name: str) -> None:
            await caller.section(proposal_id, name)

        work = [shuffle(1), shuffle(2), *(add(name) for name in "GHIJ"), caller.delete(f"/api/sections/{ids[0]}")]
        await asyncio.gather(*work)
        assert sorted(await titles(caller, proposal_id)) == list("BCDEFGHIJ")

    async def test_an_order_that_does_not_fit_is_refused(self, entitled: Entitled) -> None:
        caller, stranger = await entitled(), await entitled()
        proposal_id, (a, b) = await with_sections(caller, "A", "B")
        at = await revision(caller, proposal_id)
        for wrong in ([a], [a, a], [a, b, b], [a, str(uuid4())], []):
            refused = await put(caller, proposal_id, wrong, at)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "section_ids"), wrong
        assert (await put(caller, proposal_id, [a, b], None)).json()["error"] == "precondition_required"
        assert (await put(stranger, proposal_id, [b, a], at)).status_code == 404
        assert await titles(caller, proposal_id) == ["A", "B"]


class TestRemove:
    async def test_it_is_out_of_everything_and_comes_back_as_it_was(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, (a, b, c) = await with_sections(caller, "A", "B", "C")
        await caller.patch(f"/api/sections/{b}", {"text": "Second."}, If_Match='"1"')
        assert (await caller.delete(f"/api/sections/{b}")).status_code == 204
        assert await titles(caller, proposal_id) == ["A", "C"]
        assert (await caller.get(f"/api/proposals/{proposal_id}")).json()["sections_total"] == 2
        for answer in (
            await caller.get(f"/api/sections/{b}"),
            await caller.patch(f"/api/sections/{b}", {"text": "x"}, If_Match='"2"'),
            await caller.post(f"/api/sections/{b}/approve"),
            await caller.get(f"/api/sections/{b}/revisions"),
            await caller.delete(f"/api/sections/{b}"),
        ):
            assert answer.status_code == 404
        removed = (await caller.get(f"/api/proposals/{proposal_id}/sections/removed")).json()["items"]
        assert [one["id"] for one in removed] == [b]
        back = (await caller.post(f"/api/sections/{b}/restore")).json()
        assert (back["text"], back["revision"]) == ("Second.", 2)
        assert [one["id"] for one in await outline(caller, proposal_id)] == [a, b, c]
        assert len((await caller.get(f"/api/sections/{b}/revisions")).json()["items"]) == 2
        assert (await caller.get(f"/api/proposals/{proposal_id}/sections/removed")).json()["items"] == []

    async def test_of_many_who_put_it_back_one_changes_the_outline(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id, (a,) = await with_sections(caller, "A")
        await caller.delete(f"/api/sections/{a}")
        before = await revision(caller, proposal_id)
        answers = await asyncio.gather(*(caller.post(f"/api/sections/{a}/restore") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert await revision(caller, proposal_id) == before + 1

    async def test_an_approved_section_stays_and_a_strangers_is_not_there(self, entitled: Entitled) -> None:
        caller, stranger = await entitled(), await entitled()
        proposal_id, (a, b) = await with_sections(caller, "A", "B")
        await caller.post(f"/api/sections/{a}/approve")
        assert (await caller.delete(f"/api/sections/{a}")).json()["error"] == "section_locked"
        await caller.delete(f"/api/sections/{b}")
        assert (await stranger.post(f"/api/sections/{b}/restore")).status_code == 404
        assert (await stranger.get(f"/api/proposals/{proposal_id}/sections/removed")).status_code == 404
        assert (await caller.post(f"/api/sections/{uuid4()}/restore")).status_code == 404


class TestACallThatComesLater:
    async def test_as_text_it_can_be_planned(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = (await caller.proposal())["id"]
        given = await caller.patch(f"/api/proposals/{proposal_id}", {"call_text": CALL})
        assert (given.status_code, given.json()["has_call_text"]) == (200, True)
        planned = await caller.post("/api/ai/plan", {"proposal_id": proposal_id})
        assert "Need" in [one["title"] for one in planned.json()["sections"]]

    async def test_as_an_upload_that_is_here(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        proposal_id = (await caller.proposal())["id"]
        path = f"/api/proposals/{proposal_id}"
        unknown = await caller.patch(path, {"call_upload_id": str(uuid4())})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "call_upload_id")
        upload_id = await world.upload(caller.org_id, [CALL])
        given = await caller.patch(path, {"call_upload_id": str(upload_id), "title": "Renamed"})
        assert (given.json()["call_upload_id"], given.json()["title"]) == (str(upload_id), "Renamed")

    async def test_of_ten_at_once_one_is_the_call(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/proposals/{(await caller.proposal())['id']}"
        answers = await asyncio.gather(*(caller.patch(path, {"call_text": f"Call {n}. {CALL}"}) for n in range(10)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}

    async def test_there_is_one_and_not_two_ways_at_once(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/proposals/{(await caller.proposal())['id']}"
        both = {"call_text": CALL, "call_upload_id": str(uuid4())}
        assert (await caller.patch(path, both)).status_code == 422
        assert (await caller.patch(path, {"call_text": ""})).status_code == 422
        assert (await caller.patch(path, {"call_text": "NUL \x00"})).status_code == 422
