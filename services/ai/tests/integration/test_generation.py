"""AI requests: the gate, the caps, one at a time, what they do to a section, and that a failed one costs nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from ai.providers.scripted import ScriptedProvider

from .conftest import Caller, Entitled, World

pytestmark = pytest.mark.integration

CALL = """Call for proposals
1 What a proposal must contain
1.1 Need and place (at most 2 pages)
Describe the community and show how the need was found out.
1.2 Technical approach (at most 4 pages)
Describe what will be built and name the standards followed.
1.3 Results and evaluation (at most 1 page)
Give targets with baseline, method and date.
2 Who may apply
2.1 Applicants
The applicant must be a charity registered before 1 January 2026.
"""


async def planned(caller: Caller, world: World) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    upload_id = await world.upload(caller.org_id, [CALL, "Deadline 19 March 2027, 17:00."])
    proposal = await caller.proposal(call_upload_id=str(upload_id))
    answer = await caller.post("/api/ai/plan", {"proposal_id": proposal["id"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["proposal"], answer.json()["sections"]


class TestPlan:
    async def test_the_call_becomes_sections(self, world: World, entitled: Entitled) -> None:
        caller = await entitled(tier="free")
        proposal, sections = await planned(caller, world)
        by_title = {section["title"]: section for section in sections}
        assert by_title["Technical approach"]["page_limit"] == 4
        assert "[call, p. 1]" in by_title["Need and place"]["guidance"]
        assert by_title["Need and place"]["questions"][0]["id"]
        assert "Eligibility" in by_title
        assert any(finding["kind"] == "deadline" and finding["page"] == 2 for finding in proposal["findings"])
        assert proposal["sections_total"] == len(sections)

    async def test_a_second_plan_keeps_what_was_written(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        proposal, sections = await planned(caller, world)
        own = await caller.section(proposal["id"], "Our own heading", "Ours.")
        written = sections[1]
        await caller.patch(f"/api/sections/{written['id']}", {"text": "Kept."}, If_Match='"1"')
        again = (await caller.post("/api/ai/plan", {"proposal_id": proposal["id"]})).json()["sections"]
        texts = {section["id"]: section["text"] for section in again}
        assert (texts[written["id"]], texts[own["id"]]) == ("Kept.", "Ours.")
        assert len(again) == len(sections) + 1
        assert [section["position"] for section in again] == list(range(1, len(again) + 1))

    async def test_without_a_call_there_is_the_usual_outline(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        sections = (await caller.post("/api/ai/plan", {"proposal_id": proposal["id"]})).json()["sections"]
        assert [section["title"] for section in sections][:3] == ["Summary", "Need", "Objectives"]


class TestGate:
    async def test_free_may_plan_and_nothing_else(self, entitled: Entitled) -> None:
        caller = await entitled(tier="free")
        section = await caller.section((await caller.proposal())["id"], text="Text.")
        for path, body in (
            ("write", {"section_id": section["id"]}),
            ("revise", {"section_id": section["id"], "instruction": "shorter"}),
            ("format", {"proposal_id": section["proposal_id"]}),
        ):
            refused = await caller.post(f"/api/ai/{path}", body)
            assert (refused.status_code, refused.json()["reason"]) == (402, "ai_requires_pro"), path

    async def test_debug_opens_the_gate(self, world: World, entitled: Entitled) -> None:
        async with world.serve(DEBUG="1") as client:
            caller = await entitled(client, tier="free")
            section = await caller.section((await caller.proposal())["id"])
            assert (await caller.post("/api/ai/write", {"section_id": section["id"]})).status_code == 200

    async def test_an_upgrade_opens_it(self, world: World, entitled: Entitled) -> None:
        caller = await entitled(tier="free")
        section = await caller.section((await caller.proposal())["id"])
        await world.entitle(caller.org_id, tier="pro", version=2)
        assert (await caller.post("/api/ai/write", {"section_id": section["id"]})).status_code == 200


class TestWrite:
    async def test_the_draft_uses_answers_call_and_uploads_and_says_what_is_missing(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        _, sections = await planned(caller, world)
        need = next(section for section in sections if section["title"] == "Need and place")
        report = await world.upload(
            caller.org_id, ["Our survey of 412 households found that the need for backup power is greatest in winter."]
        )
        first, *others = need["questions"]
        answer = await caller.post(
            "/api/ai/write",
            {
                "section_id": need["id"],
                "answers": {first["id"]: "storms cut the power of 1,200 households"},
                "upload_ids": [str(report)],
            },
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        text = body["section"]["text"]
        assert body["applied"] is True
        assert (body["section"]["revision"], body["section"]["status"]) == (2, "draft")
        assert "Storms cut the power of 1,200 households." in text
        assert "[report.pdf, p. 1]" in text
        assert "[call, p. 1]" in text
        assert all(f"[To complete: {question['text']}]" in text for question in others)

    async def test_one_generation_at_a_time_for_a_section(self, world: World, entitled: Entitled) -> None:
        async with world.serve(ScriptedProvider(["Slow."], pause_seconds=0.6)) as client:
            caller = await entitled(client)
            section = await caller.section((await caller.proposal())["id"])
            answers = await asyncio.gather(
                *(caller.post("/api/ai/write", {"section_id": section["id"]}) for _ in range(8))
            )
            assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
            refused = next(answer for answer in answers if answer.status_code == 409)
            assert refused.json()["error"] == "generation_running"
            assert (await caller.post("/api/ai/write", {"section_id": section["id"]})).status_code == 200

    async def test_a_text_that_was_saved_meanwhile_is_not_overwritten(self, world: World, entitled: Entitled) -> None:
        async with world.serve(ScriptedProvider(["The draft."], pause_seconds=0.5)) as client:
            caller = await entitled(client)
            section = await caller.section((await caller.proposal())["id"])
            writing = asyncio.create_task(caller.post("/api/ai/write", {"section_id": section["id"]}))
            await asyncio.sleep(0.2)
            await caller.patch(f"/api/sections/{section['id']}", {"text": "Mine."}, If_Match='"1"')
            body = (await writing).json()
            assert (body["applied"], body["text"], body["section"]["text"]) == (False, "The draft.", "Mine.")

    async def test_a_section_that_is_deleted_meanwhile_fails_with_a_reason(
        self, world: World, entitled: Entitled
    ) -> None:
        async with world.serve(ScriptedProvider(["The draft."], pause_seconds=0.4)) as client:
            caller = await entitled(client)
            section = await caller.section((await caller.proposal())["id"])
            writing = asyncio.create_task(caller.post("/api/ai/write", {"section_id": section["id"]}))
            await asyncio.sleep(0.15)
            assert (await caller.delete(f"/api/sections/{section['id']}")).status_code == 204
            refused = await writing
            assert (refused.status_code, refused.json()["reason"]) == (409, "gone")

    @pytest.mark.parametrize(
        ("provider", "status", "error"),
        [
            (
                ScriptedProvider(["Half a "], failure="The provider stopped half-way; try again."),
                503,
                "provider_unavailable",
            ),
            (ScriptedProvider([]), 409, "conflict"),
        ],
    )
    async def test_a_failed_or_empty_one_costs_nothing_and_leaves_the_text(
        self, world: World, entitled: Entitled, provider: ScriptedProvider, status: int, error: str
    ) -> None:
        async with world.serve(provider) as client:
            caller = await entitled(client, ai_monthly_tokens=1)
            section = await caller.section((await caller.proposal())["id"], text="Before.")
            for _ in range(2):
                answer = await caller.post("/api/ai/write", {"section_id": section["id"]})
                assert (answer.status_code, answer.json()["error"]) == (status, error)
            assert (await caller.get(f"/api/sections/{section['id']}")).json()["text"] == "Before."
            summary = (await caller.get("/api/ai/metrics/summary")).json()
            assert (summary["tokens"], summary["failed"]) == (0, 2)

    async def test_unknown_uploads_are_named(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"])
        old = "018f3a1e-0000-7000-8000-000000000000"
        answer = await caller.post("/api/ai/write", {"section_id": section["id"], "upload_ids": [old]})
        assert answer.json()["errors"][0]["field"] == "upload_ids.0"


class TestCaps:
    async def test_thirty_at_once_do_not_pass_the_daily_cap(self, entitled: Entitled) -> None:
        caller = await entitled(ai_daily=5)
        proposals = [await caller.proposal() for _ in range(3)]
        answers = await asyncio.gather(
            *(caller.post("/api/ai/format", {"proposal_id": proposals[n % 3]["id"]}) for n in range(30))
        )
        assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 25}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"] == "daily_cap_reached"
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400

    async def test_tokens_are_reserved_while_one_runs_and_settled_after(self, world: World, entitled: Entitled) -> None:
        async with world.serve(ScriptedProvider(["word " * 50], pause_seconds=0.3)) as client:
            caller = await entitled(client, ai_monthly_tokens=60)
            proposal = await caller.proposal()
            sections = [await caller.section(proposal["id"], f"Section {n}") for n in range(4)]
            answers = await asyncio.gather(
                *(caller.post("/api/ai/write", {"section_id": section["id"]}) for section in sections)
            )
            assert Counter(answer.status_code for answer in answers) == {200: 1, 429: 3}
            assert next(a for a in answers if a.status_code == 429).json()["error"] == "monthly_tokens_reached"
            assert (await caller.post("/api/ai/write", {"section_id": sections[1]["id"]})).status_code == 200
            assert (await caller.post("/api/ai/write", {"section_id": sections[2]["id"]})).status_code == 429

    async def test_the_settings_of_the_installation_win(self, world: World, entitled: Entitled) -> None:
        async with world.serve(AI_DAILY_REQUEST_CAP_PRO="0") as client:
            caller = await entitled(client)
            answer = await caller.post("/api/ai/plan", {"proposal_id": (await caller.proposal())["id"]})
            assert answer.json()["error"] == "daily_cap_reached"


class TestRevise:
    async def test_the_proposed_text_comes_with_an_exact_difference(self, entitled: Entitled) -> None:
        caller = await entitled()
        old = "We can't wait. The hall is old.\n\nIt's cold in winter."
        section = await caller.section((await caller.proposal())["id"], text=old)
        wish = {"section_id": section["id"], "instruction": "make it more formal"}
        body = (await caller.post("/api/ai/revise", wish)).json()
        blocks = body["diff"]["blocks"]
        assert "".join(block["before"] or "" for block in blocks) == old
        assert "".join(block["after"] or "" for block in blocks) == body["text"]
        assert "We cannot wait." in body["text"]
        unchanged = (await caller.get(f"/api/sections/{section['id']}")).json()
        assert (unchanged["text"], unchanged["revision"]) == (old, body["base_revision"])

    async def test_the_cap_counts_since_the_last_write_or_approval(self, world: World, entitled: Entitled) -> None:
        async with world.serve(SECTION_REVISION_CAP="2") as client:
            caller = await entitled(client)
            section = await caller.section((await caller.proposal())["id"], text="One. Two. Three.")
            wish = {"section_id": section["id"], "instruction": "shorter"}
            answers = [await caller.post("/api/ai/revise", wish) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 409]
            assert answers[2].json()["error"] == "revision_cap_reached"
            await caller.post("/api/ai/write", {"section_id": section["id"], "answers": {"x": "New."}})
            assert (await caller.post("/api/ai/revise", wish)).status_code == 200

    async def test_nothing_can_be_revised_that_is_approved_or_empty(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        empty = await caller.section(proposal["id"])
        wish = {"section_id": empty["id"], "instruction": "shorter"}
        assert (await caller.post("/api/ai/revise", wish)).json()["error"] == "conflict"
        done = await caller.section(proposal["id"], text="Done.")
        await caller.post(f"/api/sections/{done['id']}/approve")
        wish = {"section_id": done["id"], "instruction": "shorter"}
        assert (await caller.post("/api/ai/revise", wish)).json()["error"] == "section_locked"


class TestFormat:
    async def test_approved_sections_become_one_document(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal(title="Light")
        first = await caller.section(proposal["id"], "Need", "Dark. [To complete: how dark]")
        await caller.section(proposal["id"], "Plan", "Not approved.")
        await caller.post(f"/api/sections/{first['id']}/approve")
        body = (await caller.post("/api/ai/format", {"proposal_id": proposal["id"]})).json()
        assert body["text"] == "# Light\n\n## Need\n\nDark. [To complete: how dark]\n"
        assert [(s["title"], s["included"], s["placeholders"]) for s in body["sections"]] == [
            ("Need", True, 1),
            ("Plan", False, 0),
        ]


class TestInsight:
    async def test_usage_is_shown_by_kind_person_and_day(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"], text="Text.")
        await caller.post("/api/ai/write", {"section_id": section["id"], "answers": {"what": "A pump."}})
        await caller.post("/api/ai/plan", {"proposal_id": section["proposal_id"]})
        summary = (await caller.get("/api/ai/metrics/summary")).json()
        assert (summary["requests"], summary["succeeded"]) == (2, 2)
        assert {usage["name"] for usage in summary["by_kind"]} == {"plan", "write"}
        assert summary["by_user"] == [{"name": str(caller.user_id), "requests": 2, "tokens": summary["tokens"]}]
        recent = (await caller.get("/api/ai/metrics/recent", params={"limit": 1})).json()
        assert recent["items"][0]["kind"] == "plan"
        assert recent["next_cursor"]

    async def test_earlier_answers_of_the_org_are_suggested(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        _, sections = await planned(caller, world)
        need = next(section for section in sections if section["title"] == "Need and place")
        answers = {need["questions"][0]["id"]: "Storms cut the power every winter."}
        await caller.post("/api/ai/write", {"section_id": need["id"], "answers": answers})
        found = (await caller.get("/api/ai/memory/suggestions", params={"q": "winter storms"})).json()["items"]
        assert found[0]["text"] == "Storms cut the power every winter."
        assert found[0]["question"] == need["questions"][0]["text"]
        stranger = await entitled()
        assert (await stranger.get("/api/ai/memory/suggestions")).json()["items"] == []


async def test_a_client_error_in_the_body_is_named(http: httpx.AsyncClient, entitled: Entitled) -> None:
    caller = await entitled()
    answer = await caller.post("/api/ai/revise", {"section_id": "nope", "instruction": "  "})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"section_id", "instruction"}
