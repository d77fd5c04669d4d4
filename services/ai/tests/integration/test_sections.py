"""Sections: nobody's text is lost, approval locks, revisions remain."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from common.pagination import encode_cursor

from .conftest import Entitled

pytestmark = pytest.mark.integration


class TestSave:
    async def test_of_twenty_savers_of_one_revision_exactly_one_wins(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"], text="Old.")
        path = f"/api/sections/{section['id']}"
        answers = await asyncio.gather(
            *(caller.patch(path, {"text": f"Version {n}."}, If_Match='"1"') for n in range(20))
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert (winner.json()["revision"], winner.headers["ETag"]) == (2, '"2"')
        loser = next(answer for answer in answers if answer.status_code == 412)
        assert loser.json()["error"] == "stale_revision"
        assert (loser.json()["revision"], loser.json()["text"]) == (2, winner.json()["text"])
        assert (loser.json()["title"], loser.json()["section_title"]) == ("Changed meanwhile", section["title"])

    async def test_if_match_is_needed_and_must_be_a_revision(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/sections/{(await caller.section((await caller.proposal())['id']))['id']}"
        missing = await caller.patch(path, {"text": "x"})
        assert (missing.status_code, missing.json()["error"]) == (428, "precondition_required")
        assert (await caller.patch(path, {"text": "x"}, If_Match='"abc"')).status_code == 400

    async def test_an_unstorable_text_is_refused_by_name(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/sections/{(await caller.section((await caller.proposal())['id']))['id']}"
        refused = await caller.patch(path, {"text": "NUL \x00"}, If_Match='"1"')
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "text"

    async def test_saving_the_same_text_is_no_new_revision(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"], text="Same.")
        saved = await caller.patch(f"/api/sections/{section['id']}", {"text": "Same."}, If_Match='"1"')
        assert saved.json()["revision"] == 1

    async def test_every_change_is_kept(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"], text="One.")
        path = f"/api/sections/{section['id']}"
        await caller.patch(path, {"text": "Two."}, If_Match='"1"')
        await caller.patch(path, {"title": "Needs"}, If_Match='"2"')
        items = (await caller.get(f"{path}/revisions")).json()["items"]
        assert [(item["revision"], item["title"], item["text"]) for item in items] == [
            (3, "Needs", "Two."),
            (2, "Need", "Two."),
            (1, "Need", "One."),
        ]
        page = (await caller.get(f"{path}/revisions", params={"limit": 1})).json()
        rest = (await caller.get(f"{path}/revisions", params={"cursor": page["next_cursor"]})).json()
        assert [item["revision"] for item in rest["items"]] == [2, 1]

    async def test_a_cursor_beyond_every_revision(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"])
        for number in ("9" * 9, "9" * 10, "9" * 200, "-1"):
            cursor = encode_cursor(number)
            answer = await caller.get(f"/api/sections/{section['id']}/revisions", params={"cursor": cursor})
            assert answer.status_code == (200 if number == "9" * 9 else 400), number


class TestApprove:
    async def test_approval_locks_until_it_is_taken_back(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        section = await caller.section(proposal["id"], text="Final.")
        path = f"/api/sections/{section['id']}"
        approved = (await caller.post(f"{path}/approve")).json()
        assert (approved["status"], approved["approved_revision"]) == ("approved", 1)
        locked = await caller.patch(path, {"text": "x"}, If_Match='"1"')
        assert (locked.status_code, locked.json()["error"]) == (409, "section_locked")
        assert (await caller.delete(path)).json()["error"] == "section_locked"
        counted = (await caller.get(f"/api/proposals/{proposal['id']}")).json()
        assert (counted["sections_total"], counted["sections_approved"], counted["revision"]) == (1, 1, 3)
        opened = (await caller.delete(f"{path}/approve")).json()
        assert (opened["status"], opened["approved_revision"]) == ("draft", None)
        assert (await caller.patch(path, {"text": "y"}, If_Match='"1"')).status_code == 200

    async def test_an_empty_section_or_another_revision_is_not_approved(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        empty = await caller.section(proposal["id"])
        assert (await caller.post(f"/api/sections/{empty['id']}/approve")).status_code == 409
        written = await caller.section(proposal["id"], text="Text.")
        stale = await caller.post(f"/api/sections/{written['id']}/approve", If_Match='"7"')
        assert stale.status_code == 412
