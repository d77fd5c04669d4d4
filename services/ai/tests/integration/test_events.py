"""Facts of other services: entitlements, files, erasure; and what the database itself enforces."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from common.ids import new_id
from contracts.gateway import OrgDeleted, UserErased
from contracts.uploads import FileDeleted, FileExtracted, Page

from .conftest import Entitled, World

pytestmark = pytest.mark.integration

TENANT_TABLES = (
    "entitlements",
    "proposal_charges",
    "proposals",
    "sections",
    "section_revisions",
    "documents",
    "document_pages",
    "passages",
    "generations",
    "generation_chunks",
    "answers",
)


def rows(world: World, statement: str, *values: Any) -> list[Any]:
    with psycopg.connect(world.database.admin_url) as connection:
        return connection.execute(statement, values).fetchall()


def part(org_id: Any, upload_id: Any, number: int, pages: list[tuple[int, str]]) -> FileExtracted:
    return FileExtracted(
        org_id=org_id,
        version=number,
        upload_id=upload_id,
        filename="call.pdf",
        proposal_id=None,
        status="ready",
        pages=tuple(Page(number=page, text=text) for page, text in pages),
        part=number,
        parts=2,
    )


class TestFiles:
    async def test_a_text_in_parts_is_ready_with_the_last_and_joins_a_split_page(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        upload_id = new_id()
        await world.hear(part(caller.org_id, upload_id, 1, [(1, "One."), (2, "Two begins ")]))
        early = await caller.post("/api/proposals", {"title": "x", "call_upload_id": str(upload_id)})
        assert early.json()["error"] == "not_yet_consistent"
        await world.hear(part(caller.org_id, upload_id, 2, [(2, "and ends.\x00")]))
        assert (
            await caller.post("/api/proposals", {"title": "x", "call_upload_id": str(upload_id)})
        ).status_code == 201
        pages = rows(
            world, "SELECT number, text FROM ai.document_pages WHERE document_id = %s ORDER BY number", upload_id
        )
        assert pages == [(1, "One."), (2, "Two begins and ends.")]

    async def test_a_deleted_file_is_forgotten(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        upload_id = await world.upload(caller.org_id, ["Something to forget."])
        deleted = FileDeleted.EXAMPLE | {"org_id": caller.org_id, "upload_id": upload_id, "version": 3}
        await world.hear(FileDeleted.model_validate(deleted))
        assert rows(world, "SELECT 1 FROM ai.passages WHERE org_id = %s", caller.org_id) == []


class TestErasure:
    async def test_an_org_leaves_nothing_and_a_receipt(self, world: World, entitled: Entitled) -> None:
        caller, other = await entitled(), await entitled()
        for person in (caller, other):
            await world.upload(person.org_id, ["Ours."])
            section = await person.section((await person.proposal(call_text="A call."))["id"], text="Text.")
            wish = {"section_id": section["id"], "answers": {"what": "This."}}
            assert (await person.post("/api/ai/write", wish)).status_code == 200
        await world.hear(OrgDeleted(org_id=caller.org_id, version=1, deleted_at=datetime.now(UTC)))
        for table in (*TENANT_TABLES, "jobs"):
            count = f"SELECT count(*) FROM ai.{table} WHERE org_id = %s"
            assert rows(world, count, caller.org_id) == [(0,)], table
            assert rows(world, count, other.org_id) != [(0,)], table
        receipts = rows(
            world, "SELECT body FROM ai.outbox WHERE org_id = %s AND subject = 'events.ai.org.erased'", caller.org_id
        )
        assert receipts[0][0]["version"] == 1

    async def test_a_person_is_taken_off_in_every_org_and_the_words_stay(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        colleague = world.caller(caller.http, caller.org_id)
        section = await caller.section((await caller.proposal())["id"], text="Words.")
        await colleague.patch(f"/api/sections/{section['id']}", {"text": "More words."}, If_Match='"1"')
        await world.hear(UserErased(org_id=new_id(), version=1, user_id=caller.user_id))
        revisions = (await colleague.get(f"/api/sections/{section['id']}/revisions")).json()["items"]
        assert [(item["text"], item["author_id"]) for item in revisions] == [
            ("More words.", str(colleague.user_id)),
            ("Words.", None),
        ]
        assert (await colleague.get(f"/api/proposals/{section['proposal_id']}")).json()["created_by"] is None
        receipts = rows(world, "SELECT body FROM ai.outbox WHERE subject = 'events.ai.user.erased'")
        assert receipts[-1][0]["user_id"] == str(caller.user_id)


class TestRowLevelSecurity:
    async def test_every_table_shows_nothing_without_a_tenant(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        await world.upload(caller.org_id, ["Ours."])
        section = await caller.section((await caller.proposal(call_text="A call."))["id"], text="Text.")
        await caller.post("/api/ai/write", {"section_id": section["id"], "answers": {"what": "This."}})
        for url in (world.database.app_url, world.database.worker_url):
            with psycopg.connect(url) as connection:
                for table in TENANT_TABLES:
                    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                    assert found == (0,), (url, table)

    async def test_a_row_of_another_org_can_neither_be_written_nor_moved(
        self, world: World, entitled: Entitled
    ) -> None:
        caller = await entitled()
        proposal = await caller.proposal()
        with psycopg.connect(world.database.app_url) as connection:
            connection.execute("SELECT set_config('app.org_id', %s, true)", (str(caller.org_id),))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE proposals SET org_id = %s WHERE id = %s", (new_id(), proposal["id"]))

    async def test_the_erasing_policy_is_the_workers_alone(self, world: World, entitled: Entitled) -> None:
        caller = await entitled()
        await caller.proposal()
        with psycopg.connect(world.database.app_url) as connection:
            connection.execute("SELECT set_config('app.erase_user_id', %s, true)", (str(caller.user_id),))
            assert connection.execute("SELECT count(*) FROM proposals").fetchone() == (0,)
