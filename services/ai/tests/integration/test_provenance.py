"""Who wrote each paragraph, from the draft through a person's hand to what others are told."""

from __future__ import annotations

from typing import Any

import pytest

from ai.providers import prompts
from ai_fake.testing import FakeProcess

from .conftest import Caller, Entitled, World
from .vendors_at_hand import addresses

pytestmark = pytest.mark.integration

DRAFT = (
    "Three villages have no well at all.\n\nWe will dig one deep well in each of them.\n\nThe women's council keeps it."
)
EDITED = DRAFT.replace("one deep well", "one deep and safe well") + "\n\nA person adds that the mayor agrees."
REVISED = EDITED.replace("The women's council keeps it.", "The women's council keeps and repairs it every year.")


async def origins(caller: Caller, section_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.get(f"/api/sections/{section_id}/provenance", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["paragraphs"]
    return found


async def test_a_draft_edited_by_hand_and_revised_by_a_model(world: World, entitled: Entitled) -> None:
    with FakeProcess() as fake:
        fake.say("openai", {"text": DRAFT, "model": "fake-1"}, {"text": REVISED, "model": "fake-2"})
        async with world.serve(None, **addresses(fake, "openai")) as client:
            caller = await entitled(client)
            proposal = await caller.proposal()
            section = await caller.section(proposal["id"])
            path = f"/api/sections/{section['id']}"
            written = (await caller.post("/api/ai/write", {"section_id": section["id"]})).json()
            assert written["applied"]
            drafted = await origins(caller, section["id"])
            assert [one["by"] for one in drafted] == ["model"] * 3
            ref, _ = prompts.load("write")
            assert {(one["model"], one["prompt"], one["prompt_checksum"]) for one in drafted} == {
                ("fake-1", ref.name, ref.checksum)
            }
            assert all(one["person_id"] is None for one in drafted)

            colleague = world.caller(client, caller.org_id)
            await colleague.patch(path, {"text": EDITED}, If_Match='"2"')
            edited = await origins(caller, section["id"])
            assert [one["by"] for one in edited] == ["model", "both", "model", "person"]
            assert edited[1]["generation_id"] == drafted[1]["generation_id"], "still drafted by the model"
            assert edited[3]["person_id"] == str(colleague.user_id)

            proposed = (await caller.post("/api/ai/revise", {"section_id": section["id"], "instruction": "x"})).json()
            assert proposed["text"] == REVISED
            by_hand = REVISED.replace("A person adds", "They add themselves")
            await caller.patch(path, {"text": by_hand}, If_Match=f'"{proposed["base_revision"]}"')
            revised = await origins(caller, section["id"])
            assert [one["by"] for one in revised] == ["model", "both", "model", "person"]
            assert [one["model"] for one in revised] == ["fake-1", "fake-1", "fake-2", None]
            assert [one["revision"] for one in revised] == [2, 3, 4, 4]
            assert [one["by"] for one in await origins(caller, section["id"], revision=2)] == ["model"] * 3

            await caller.post(f"{path}/approve")
        worker = await world.start_worker()
        (approved,) = await world.published("events.ai.section.approved", caller.org_id, 1)
        await world.stop_worker(worker)
    assert [(one["by"], one["model"]) for one in approved["paragraphs"]] == [
        (one["by"], one["model"]) for one in revised
    ]
    assert sum(one["words"] for one in approved["paragraphs"]) == sum(one["words"] for one in revised)


async def test_what_is_put_back_has_its_origin_again(entitled: Entitled) -> None:
    caller = await entitled()
    section = await caller.section((await caller.proposal())["id"])
    path = f"/api/sections/{section['id']}"
    text = (await caller.post("/api/ai/write", {"section_id": section["id"]})).json()["text"]
    await caller.patch(path, {"text": "All anew, by hand, and quite different from it."}, If_Match='"2"')
    await caller.patch(path, {"text": text}, If_Match='"3"')
    assert {(one["by"], one["revision"]) for one in await origins(caller, section["id"])} == {("model", 2)}


async def test_a_revision_from_before_is_taken_for_what_it_says_itself(world: World, entitled: Entitled) -> None:
    import psycopg

    caller = await entitled()
    section = await caller.section((await caller.proposal())["id"], text="One.\n\nTwo.")
    await caller.post("/api/ai/write", {"section_id": section["id"]})
    with psycopg.connect(world.database.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE ai.section_revisions SET provenance = NULL WHERE section_id = %s", (section["id"],))
    assert [one["by"] for one in await origins(caller, section["id"], revision=1)] == ["person", "person"]
    assert {one["by"] for one in await origins(caller, section["id"])} == {"model"}


async def test_it_is_nobody_elses(world: World, entitled: Entitled) -> None:
    caller = await entitled()
    section = await caller.section((await caller.proposal())["id"], text="Ours.")
    stranger = await entitled()
    for path in ("provenance", "citations"):
        assert (await stranger.get(f"/api/sections/{section['id']}/{path}")).status_code == 404
    assert (await caller.get(f"/api/sections/{section['id']}/provenance?revision=7")).status_code == 404
