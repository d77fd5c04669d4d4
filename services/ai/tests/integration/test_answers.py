"""The answer library on the real database: kept, found, changed, used, suggested, written with, and nobody else's."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from common.ids import new_id
from contracts.gateway import OrgDeleted, UserErased

from .conftest import Caller, Entitled, World

pytestmark = pytest.mark.integration

QUESTION = "What is your safeguarding policy?"
ANSWER = "Two trained officers are on site. The policy was renewed in **March 2027**."
CALL = (
    "Call for proposals\n\nThe proposal must contain the following sections:\n\n"
    "1. Need (30 points, at most 2 pages)\nDescribe the community.\n"
)
UNSTORABLE = ("NUL \x00", "half \ud800 a pair")


async def keep(caller: Caller, question: str = QUESTION, answer: str = ANSWER, **more: Any) -> dict[str, Any]:
    made = await caller.post("/api/answers", {"question": question, "answer": answer, **more})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    assert made.headers["Location"] == f"/api/answers/{found['id']}"
    return found


async def listed(caller: Caller, **params: Any) -> list[str]:
    answer = await caller.get("/api/answers", params=params)
    assert answer.status_code == 200, answer.text
    return [one["question"] for one in answer.json()["items"]]


class TestKeeping:
    async def test_it_is_the_callers_and_new(self, entitled: Entitled) -> None:
        caller = await entitled()
        made = await keep(caller, tags=["People", "people", "risk"], review_on="2999-01-31")
        assert made["owner_id"] == str(caller.user_id)
        assert (made["state"], made["version"], made["uses"], made["last_used_at"]) == ("active", 1, 0, None)
        assert (made["tags"], made["review_on"], made["review_due"]) == (["People", "risk"], "2999-01-31", False)
        assert made["source"] is None
        found = await caller.get(f"/api/answers/{made['id']}")
        assert (found.json(), found.headers["ETag"]) == (made, '"1"')

    async def test_from_an_approved_section_it_knows_where_it_came_from(self, entitled: Entitled) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        section = await caller.section(proposal["id"], "Safety", ANSWER)
        refused = await caller.post(
            "/api/answers", {"question": "Safety", "answer": ANSWER, "section_id": section["id"]}
        )
        assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
        await caller.post(f"/api/sections/{section['id']}/approve")
        made = await keep(caller, "Safety", ANSWER, section_id=section["id"], owner_id=None)
        assert made["owner_id"] is None
        assert made["source"] == {
            "proposal_id": proposal["id"],
            "proposal_title": proposal["title"],
            "section_id": section["id"],
            "section_title": "Safety",
            "question_id": None,
        }
        await caller.delete(f"/api/proposals/{proposal['id']}")
        left = (await caller.get(f"/api/answers/{made['id']}")).json()
        assert (left["answer"], left["source"]) == (ANSWER, None)

    async def test_from_a_question_the_section_need_not_be_approved(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await caller.section((await caller.proposal())["id"])
        made = await keep(caller, section_id=section["id"], question_id="q-1")
        assert made["source"]["question_id"] == "q-1"

    async def test_of_thirty_at_once_the_library_takes_what_it_holds(self, world: World) -> None:
        async with world.serve(ANSWERS_MAX="10") as client:
            caller = world.caller(client)
            body = {"question": QUESTION, "answer": ANSWER}
            answers = await asyncio.gather(*(caller.post("/api/answers", body) for _ in range(30)))
            assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 20}
            full = next(answer for answer in answers if answer.status_code == 409)
            assert full.json()["cap"] == 10
            assert len(await listed(caller)) == 10

    async def test_a_shorter_limit_is_the_installations(self, world: World) -> None:
        async with world.serve(ANSWER_MAX_CHARACTERS="100") as client:
            caller = world.caller(client)
            await keep(caller, answer="x" * 100)
            refused = await caller.post("/api/answers", {"question": "?", "answer": "x" * 101})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "answer")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "question"),
            ({"question": " \n", "answer": "x"}, "question"),
            ({"question": "x" * 10_000, "answer": "x"}, "question"),
            ({"question": "?", "answer": " \n "}, "answer"),
            ({"question": "?", "answer": "x" * 10_001}, "answer"),
            ({"question": "?", "answer": UNSTORABLE[0]}, "answer"),
            ({"question": UNSTORABLE[0], "answer": "x"}, "question"),
            ({"question": "?", "answer": "x", "tags": ["x" * 41]}, "tags.0"),
            ({"question": "?", "answer": "x", "tags": [UNSTORABLE[0]]}, "tags.0"),
            ({"question": "?", "answer": "x", "tags": [str(n) for n in range(11)]}, "tags"),
            ({"question": "?", "answer": "x", "review_on": "tomorrow"}, "review_on"),
            ({"question": "?", "answer": "x", "owner_id": "me"}, "owner_id"),
            ({"question": "?", "answer": "x", "surplus": 1}, "surplus"),
            ({"question": "?", "answer": "x", "question_id": "q-1"}, "body"),
            ({"question": "?", "answer": "x", "section_id": str(uuid4())}, "section_id"),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_bad_input_is_named(self, entitled: Entitled, body: dict[str, Any], field: str) -> None:
        caller = await entitled()
        refused = await caller.post("/api/answers", body)
        assert (refused.status_code, refused.json()["error"]) == (422, "validation_failed"), refused.text
        assert refused.json()["errors"][0]["field"] == field
        assert await listed(caller) == []

    async def test_half_a_surrogate_pair_is_refused(self, entitled: Entitled) -> None:
        caller = await entitled()
        for field in ("question", "answer"):
            raw = '{"question": "?", "answer": "x"}'.replace(f'"{field}": "', f'"{field}": "\\ud800')
            refused = await caller.call(
                "POST", "/api/answers", content=raw.encode(), headers={"Content-Type": "application/json"}
            )
            assert refused.status_code in (400, 422), refused.text


class TestFinding:
    async def test_by_words_of_question_answer_and_tag(self, entitled: Entitled) -> None:
        caller = await entitled()
        await keep(caller, "Who pays?", "The council, 100%.", tags=["Budget"])
        await keep(caller, "Who leads?", "Ada Fenwick.", tags=["team_a"])
        assert await listed(caller) == ["Who leads?", "Who pays?"]
        assert await listed(caller, q="PAYS") == ["Who pays?"]
        assert await listed(caller, q="fenwick") == ["Who leads?"]
        assert await listed(caller, q="budget") == ["Who pays?"]
        assert await listed(caller, q="100%") == ["Who pays?"]
        assert await listed(caller, q="m_a") == ["Who leads?"]
        assert await listed(caller, q="0%x") == []

    async def test_page_by_page_none_is_missed(self, entitled: Entitled) -> None:
        caller = await entitled()
        for number in range(5):
            await keep(caller, f"Question {number}?")
        seen: list[str] = []
        cursor = None
        while True:
            params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await caller.get("/api/answers", params=params)).json()
            seen += [one["question"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [f"Question {number}?" for number in (4, 3, 2, 1, 0)]
        assert (await caller.get("/api/answers", params={"cursor": "x"})).json()["error"] == "invalid_cursor"

    async def test_what_is_due_says_so(self, entitled: Entitled) -> None:
        caller = await entitled()
        today = datetime.now(UTC).date()
        await keep(caller, "Old?", review_on=str(today))
        await keep(caller, "Young?", review_on=str(today + timedelta(days=2)))
        await keep(caller, "Ageless?")
        assert await listed(caller, due=True) == ["Old?"]
        found = (await caller.get("/api/answers")).json()["items"]
        assert {one["question"]: one["review_due"] for one in found} == {
            "Old?": True,
            "Young?": False,
            "Ageless?": False,
        }


class TestChanging:
    async def test_of_twenty_who_saw_one_version_exactly_one_wins(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller))['id']}"
        answers = await asyncio.gather(
            *(caller.patch(path, {"answer": f"Answer {n}."}, If_Match='"1"') for n in range(20))
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
        won = next(answer for answer in answers if answer.status_code == 200)
        lost = next(answer for answer in answers if answer.status_code == 412).json()
        assert (lost["error"], lost["revision"], lost["text"]) == ("stale_revision", 2, won.json()["answer"])
        assert won.headers["ETag"] == '"2"'

    async def test_a_field_that_is_left_out_stays_and_null_empties_one(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller, tags=['a'], review_on='2999-01-31'))['id']}"
        changed = (await caller.patch(path, {"tags": ["b", "B"]}, If_Match='"1"')).json()
        assert (changed["answer"], changed["tags"], changed["review_on"]) == (ANSWER, ["b"], "2999-01-31")
        changed = (await caller.patch(path, {"owner_id": None, "review_on": None}, If_Match='"2"')).json()
        assert (changed["owner_id"], changed["review_on"], changed["version"]) == (None, None, 3)
        same = (await caller.patch(path, {"tags": ["b"]}, If_Match='"3"')).json()
        assert same["version"] == 3
        for nothing in ({}, {"answer": None}):
            assert (await caller.patch(path, nothing, If_Match='"3"')).status_code == 422

    async def test_if_match_is_needed(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller))['id']}"
        assert (await caller.patch(path, {"answer": "x"})).json()["error"] == "precondition_required"
        assert (await caller.patch(path, {"answer": UNSTORABLE[0]}, If_Match='"1"')).status_code == 422

    async def test_archived_it_is_out_of_the_way_until_it_is_taken_back(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller))['id']}"
        assert (await caller.delete(path)).json()["error"] == "conflict"
        assert (await caller.patch(path, {"state": "archived"}, If_Match='"1"')).json()["state"] == "archived"
        assert await listed(caller, state="active") == []
        assert await listed(caller, state="archived") == [QUESTION]
        assert (await caller.get("/api/answers/suggestions", params={"question": QUESTION})).json()["items"] == []
        assert (await caller.patch(path, {"state": "active"}, If_Match='"2"')).json()["state"] == "active"
        await caller.patch(path, {"state": "archived"}, If_Match='"3"')
        assert (await caller.delete(path)).status_code == 204
        assert (await caller.get(path)).status_code == 404


class TestUsing:
    async def test_thirty_uses_at_once_are_thirty(self, entitled: Entitled) -> None:
        caller = await entitled()
        made = await keep(caller)
        uses = [caller.call("PUT", f"/api/answers/{made['id']}/uses/{uuid4()}") for _ in range(30)]
        assert {answer.status_code for answer in await asyncio.gather(*uses)} == {200}
        used = (await caller.get(f"/api/answers/{made['id']}")).json()
        assert (used["uses"], used["version"]) == (30, 1)
        assert used["last_used_at"] is not None

    async def test_one_use_told_thirty_times_is_one(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller))['id']}/uses/{uuid4()}"
        answers = await asyncio.gather(*(caller.call("PUT", path) for _ in range(30)))
        assert {answer.json()["uses"] for answer in answers} == {1}

    async def test_a_change_and_a_use_do_not_get_in_each_others_way(self, entitled: Entitled) -> None:
        caller = await entitled()
        path = f"/api/answers/{(await keep(caller))['id']}"
        await caller.call("PUT", f"{path}/uses/{uuid4()}")
        changed = (await caller.patch(path, {"answer": "New."}, If_Match='"1"')).json()
        assert (changed["answer"], changed["uses"]) == ("New.", 1)


class TestSuggesting:
    async def test_for_words_the_closest_come_first_and_strangers_not_at_all(self, entitled: Entitled) -> None:
        caller = await entitled()
        await keep(caller, "What is the total budget?")
        await keep(caller, "Which policies do you have?")
        await keep(caller, QUESTION)
        found = await caller.get("/api/answers/suggestions", params={"question": "Describe your safeguarding policy"})
        items = found.json()["items"]
        assert [one["answer"]["question"] for one in items] == [QUESTION, "Which policies do you have?"]
        assert items[0]["score"] > items[1]["score"]
        assert items[0]["question_id"] is None

    async def test_use_decides_between_those_that_fit_alike(self, entitled: Entitled) -> None:
        caller = await entitled()
        first, second = await keep(caller), await keep(caller)
        for used in (first, second):
            for _ in range(2):
                await caller.call("PUT", f"/api/answers/{used['id']}/uses/{uuid4()}")
            found = (await caller.get("/api/answers/suggestions", params={"question": QUESTION})).json()["items"]
            if used is first:
                assert found[0]["answer"]["id"] == first["id"]
        await caller.call("PUT", f"/api/answers/{second['id']}/uses/{uuid4()}")
        found = (await caller.get("/api/answers/suggestions", params={"question": QUESTION})).json()["items"]
        assert [one["answer"]["id"] for one in found] == [second["id"], first["id"]]

    async def test_a_near_one_is_found_among_thousands(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        with psycopg.connect(world.database.app_url) as connection:
            connection.execute("SELECT set_config('app.org_id', %s, true)", [str(caller.org_id)])
            connection.execute(
                "INSERT INTO library_answers (id, org_id, question, answer, tags, state, uses, version, created_at,"
                " updated_at) SELECT uuidv7(), %s, 'Question about matter number ' || n, 'x', '[]', 'active', 9, 1,"
                " now(), now() FROM generate_series(1, 1900) AS n",
                [caller.org_id],
            )
        await keep(caller)
        found = await caller.get("/api/answers/suggestions", params={"question": "Have you a safeguarding policy?"})
        assert found.json()["items"][0]["answer"]["question"] == QUESTION

    async def test_for_a_section_each_question_has_its_own(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await planned(caller)
        question = section["questions"][0]
        await keep(caller, question["text"], "612 people live in Eldermoor.")
        found = await caller.get("/api/answers/suggestions", params={"section_id": section["id"]})
        mine = [one for one in found.json()["items"] if one["question_id"] == question["id"]]
        assert [one["answer"]["answer"] for one in mine] == ["612 people live in Eldermoor."]
        unknown = await caller.get("/api/answers/suggestions", params={"section_id": str(uuid4())})
        assert unknown.status_code == 404

    @pytest.mark.parametrize("question", ["", "?!", "' | & ! :* (", "x" * 1_000, "您的团队有哪些经验?", "a:b & c"])
    async def test_any_words_may_be_asked(self, entitled: Entitled, question: str) -> None:
        caller = await entitled()
        await keep(caller)
        answer = await caller.get("/api/answers/suggestions", params={"question": question})
        assert (answer.status_code, answer.json()["items"]) == (200, [])


async def planned(caller: Caller) -> dict[str, Any]:
    """The planned section of a call, with its questions."""
    proposal = await caller.proposal(call_text=CALL)
    answer = await caller.post("/api/ai/plan", {"proposal_id": proposal["id"]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(one for one in answer.json()["sections"] if one["questions"])
    return found


class TestWriting:
    async def write(self, caller: Caller, section_id: str, **answers: str) -> str:
        answer = await caller.post("/api/ai/write", {"section_id": section_id, "answers": answers})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["text"])

    async def test_an_open_question_is_answered_from_the_library_and_cited(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await planned(caller)
        question = section["questions"][0]
        made = await keep(caller, question["text"], "612 people live in Eldermoor.")
        text = await self.write(caller, section["id"])
        assert f"612 people live in Eldermoor. [answer {made['id']}]" in text
        assert (await caller.get(f"/api/answers/{made['id']}")).json()["uses"] == 0

    async def test_what_a_person_answers_goes_first(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await planned(caller)
        question = section["questions"][0]
        made = await keep(caller, question["text"], "612 people live in Eldermoor.")
        text = await self.write(caller, section["id"], **{question["id"]: "Only 600 now."})
        assert "Only 600 now." in text
        assert made["id"] not in text

    async def test_what_is_due_or_archived_is_left_alone(self, entitled: Entitled) -> None:
        caller = await entitled()
        section = await planned(caller)
        question = section["questions"][0]
        await keep(caller, question["text"], "Due.", review_on="2020-01-01")
        gone = await keep(caller, question["text"], "Archived.")
        await caller.patch(f"/api/answers/{gone['id']}", {"state": "archived"}, If_Match='"1"')
        assert "[answer" not in await self.write(caller, section["id"])


class TestBelonging:
    async def test_another_orgs_is_not_there(self, entitled: Entitled) -> None:
        caller, stranger = await entitled(), await entitled()
        made = await keep(caller)
        path = f"/api/answers/{made['id']}"
        for answer in (
            await stranger.get(path),
            await stranger.patch(path, {"answer": "Mine."}, If_Match='"1"'),
            await stranger.delete(path),
            await stranger.call("PUT", f"{path}/uses/{uuid4()}"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        assert await listed(stranger) == []
        assert (await stranger.get("/api/answers/suggestions", params={"question": QUESTION})).json()["items"] == []
        section = await stranger.section((await stranger.proposal())["id"])
        assert (await caller.get("/api/answers/suggestions", params={"section_id": section["id"]})).status_code == 404
        body = {"question": "?", "answer": "x", "section_id": section["id"], "question_id": "q"}
        assert (await caller.post("/api/answers", body)).status_code == 422
        assert (await caller.get(path)).json()["uses"] == 0

    async def test_the_database_says_so_itself(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        made = await keep(caller)
        await caller.call("PUT", f"/api/answers/{made['id']}/uses/{uuid4()}")
        tables = ("library_answers", "library_uses")
        with psycopg.connect(world.database.app_url, autocommit=True) as connection:
            for table in tables:
                assert connection.execute(f"SELECT * FROM {table}").fetchall() == []  # one of ours
            for org, seen in ((new_id(), 0), (caller.org_id, 1)):
                with connection.transaction():
                    connection.execute("SELECT set_config('app.org_id', %s, true)", [str(org)])
                    for table in tables:
                        rows = connection.execute(f"SELECT org_id FROM {table}").fetchall()
                        assert len(rows) == seen, table
            connection.execute("SELECT set_config('app.org_id', %s, false)", [str(new_id())])
            foreign = [made["id"], uuid4(), caller.org_id]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("INSERT INTO library_uses VALUES (%s, %s, %s, now())", foreign)

    async def test_a_viewer_reads_and_a_key_needs_its_scope(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        made = await keep(caller)
        viewer = world.caller(caller.http, caller.org_id, role="viewer")
        assert (await viewer.get(f"/api/answers/{made['id']}")).status_code == 200
        refused = await viewer.post("/api/answers", {"question": "?", "answer": "x"})
        assert (refused.status_code, refused.json()["error"]) == (403, "role_forbidden")


class TestErasing:
    async def test_an_org_goes_with_its_library(self, world: World, entitled: Entitled) -> None:
        caller, other = await entitled(), await entitled()
        made = await keep(caller)
        await caller.call("PUT", f"/api/answers/{made['id']}/uses/{uuid4()}")
        await keep(other)
        await world.hear(OrgDeleted.model_validate(OrgDeleted.EXAMPLE | {"org_id": caller.org_id, "version": 1}))
        assert (await listed(caller), await listed(other)) == ([], [QUESTION])

    async def test_a_person_goes_and_the_answer_stays_with_nobody(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        made, others = await keep(caller), await keep(caller, owner_id=str(uuid4()))
        await world.hear(
            UserErased.model_validate(
                UserErased.EXAMPLE | {"org_id": new_id(), "version": 1, "user_id": caller.user_id}
            )
        )
        left = (await caller.get(f"/api/answers/{made['id']}")).json()
        assert (left["owner_id"], left["answer"]) == (None, ANSWER)
        assert UUID((await caller.get(f"/api/answers/{others['id']}")).json()["owner_id"])
