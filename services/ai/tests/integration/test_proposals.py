"""Proposals: the quota, the list, what is told to others."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from .conftest import Entitled, World

pytestmark = pytest.mark.integration


class TestQuota:
    async def test_an_org_without_entitlements_waits(self, world: World, http: httpx.AsyncClient) -> None:
        answer = await world.caller(http).post("/api/proposals", {"title": "Early"})
        assert (answer.status_code, answer.json()["error"]) == (409, "not_yet_consistent")
        assert answer.headers["Retry-After"] == "1"

    async def test_twenty_at_once_make_exactly_the_cap(self, entitled: Entitled) -> None:
        caller = await entitled(monthly_cap=7)
        answers = await asyncio.gather(*(caller.post("/api/proposals", {"title": f"No. {n}"}) for n in range(20)))
        assert Counter(answer.status_code for answer in answers) == {201: 7, 402: 13}
        refused = next(answer for answer in answers if answer.status_code == 402)
        assert refused.json()["reason"] == refused.headers["X-Quota-Reason"] == "monthly_cap_reached"
        assert refused.json()["usage"]["created_this_period"] == 7
        assert len((await caller.get("/api/proposals")).json()["items"]) == 7

    async def test_a_free_org_makes_its_proposals_once_even_if_it_deletes_them(self, entitled: Entitled) -> None:
        caller = await entitled(tier="free")
        first = await caller.proposal()
        assert (await caller.delete(f"/api/proposals/{first['id']}")).status_code == 204
        again = await caller.post("/api/proposals", {"title": "Another"})
        assert again.json()["reason"] == "active_cap_reached"

    async def test_extras_pay_after_the_cap_and_an_upgrade_opens_at_once(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled(tier="free", extras=1)
        answers = [await caller.post("/api/proposals", {"title": "x"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 402]
        await world.entitle(caller.org_id, tier="pro", version=2)
        assert (await caller.post("/api/proposals", {"title": "x"})).status_code == 201


class TestCall:
    async def test_an_upload_that_is_being_read_is_not_yet_consistent(self, entitled: Entitled) -> None:
        from common.ids import new_id

        caller = await entitled()
        answer = await caller.post("/api/proposals", {"title": "x", "call_upload_id": str(new_id())})
        assert (answer.status_code, answer.json()["error"]) == (409, "not_yet_consistent")
        assert answer.headers["Retry-After"] == "1"

    async def test_an_unreadable_or_unknown_upload_names_the_field(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        unreadable = await world.upload(caller.org_id, [], status="unreadable")
        for upload_id in (str(unreadable), "018f3a1e-0000-7000-8000-000000000000"):
            answer = await caller.post("/api/proposals", {"title": "x", "call_upload_id": upload_id})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "call_upload_id"


class TestList:
    async def test_pages_search_and_state(self, entitled: Entitled) -> None:
        caller = await entitled()
        made = [await caller.proposal(title=title) for title in ("Water one", "Energy 100%", "Water two")]
        first = (await caller.get("/api/proposals", params={"limit": 2})).json()
        assert [item["title"] for item in first["items"]] == ["Water two", "Energy 100%"]
        rest = (await caller.get("/api/proposals", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([made[0]["id"]], None)
        found = (await caller.get("/api/proposals", params={"q": "100%"})).json()["items"]
        assert [item["title"] for item in found] == ["Energy 100%"]
        await caller.patch(f"/api/proposals/{made[0]['id']}", {"state": "archived"})
        archived = (await caller.get("/api/proposals", params={"state": "archived"})).json()["items"]
        assert [item["id"] for item in archived] == [made[0]["id"]]

    async def test_a_bad_cursor_and_a_malformed_id(self, entitled: Entitled) -> None:
        caller = await entitled()
        for path in ("/api/proposals", "/api/ai/metrics/recent"):
            for cursor in ("x", ""):
                answer = await caller.get(path, params={"cursor": cursor})
                assert (answer.status_code, answer.json()["error"]) == (400, "invalid_cursor"), (path, cursor)
        assert (await caller.get("/api/proposals/not-an-id")).status_code == 404

    async def test_a_search_for_what_no_title_can_hold(self, entitled: Entitled) -> None:
        caller = await entitled()
        answer = await caller.get("/api/proposals", params={"q": "a\x00b"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "q"


class TestUpdate:
    async def test_it_answers_with_what_it_changed(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/proposals/{(await caller.proposal(title='Before'))['id']}"
        renamed = await caller.patch(path, {"title": "After"})
        assert (renamed.status_code, renamed.json()["title"], renamed.json()["revision"]) == (200, "After", 2)
        for state in ("archived", "active"):
            moved = await caller.patch(path, {"state": state})
            assert (moved.status_code, moved.json()["state"]) == (200, state)
            assert (await caller.get(path)).json() == moved.json()


class TestBodies:
    async def test_a_misspelt_field_is_named(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        section = await caller.section(proposal["id"])
        answers = [
            await caller.post("/api/proposals", {"title": "x", "surplus": 1}),
            await caller.patch(f"/api/proposals/{proposal['id']}", {"title": "x", "surplus": 1}),
            await caller.post(f"/api/proposals/{proposal['id']}/sections", {"title": "x", "surplus": 1}),
            await caller.patch(f"/api/sections/{section['id']}", {"text": "x", "surplus": 1}, If_Match='"1"'),
            await caller.post("/api/ai/plan", {"proposal_id": proposal["id"], "surplus": 1}),
        ]
        for answer in answers:
            assert answer.status_code == 422, answer.text
            assert [item["field"] for item in answer.json()["errors"]] == ["surplus"]


class TestTenancy:
    async def test_another_org_finds_nothing(self, entitled: Entitled) -> None:
        owner, stranger = await entitled(), await entitled()
        proposal = await owner.proposal()
        section = await owner.section(proposal["id"], text="Ours.")
        for path in (
            f"/api/proposals/{proposal['id']}",
            f"/api/proposals/{proposal['id']}/sections",
            f"/api/sections/{section['id']}",
            f"/api/sections/{section['id']}/revisions",
        ):
            assert (await stranger.get(path)).status_code == 404, path
            assert (await owner.get(path)).status_code == 200, path
        assert (await stranger.get("/api/proposals")).json()["items"] == []
        changed = await stranger.patch(f"/api/sections/{section['id']}", {"text": "Theirs."}, If_Match='"1"')
        assert changed.status_code == 404
        assert (await stranger.post("/api/ai/plan", {"proposal_id": proposal["id"]})).status_code == 404

    async def test_a_viewer_reads_and_does_not_write(self, world: World, entitled: Entitled) -> None:
        owner = await entitled()
        proposal = await owner.proposal()
        viewer = world.caller(owner.http, owner.org_id, role="viewer")
        assert (await viewer.get(f"/api/proposals/{proposal['id']}")).status_code == 200
        refused = await viewer.post("/api/proposals", {"title": "x"})
        assert (refused.status_code, refused.json()["error"]) == (403, "role_forbidden")

    async def test_a_request_without_identity_is_refused(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/api/proposals")).status_code == 401
