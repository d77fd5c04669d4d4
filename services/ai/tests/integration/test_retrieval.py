"""The index of the org's documents: asked by words and by meaning, made anew when missing, gone with the upload."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ai.generation.ports import JobDeps
from ai.generation.work import JOB_KINDS
from ai.knowledge import indexing
from ai.knowledge.embedding import StaticEmbedding
from ai.knowledge.search import PassageSearch
from ai.providers.local import LocalProvider
from common.clock import SystemClock
from common.db import Database, Tenant
from common.ids import new_id
from common.jobs import JobRunner
from contracts.gateway import OrgDeleted
from contracts.uploads import FileDeleted

from .conftest import World

pytestmark = pytest.mark.integration

FLOOD = "The river rose by night and forty households had to leave their homes for a month."
FRIDGE = "Der Verein hat 61 alte Kühlschränke gegen sparsame Geräte getauscht."
MONEY = "The auditors found nothing to complain of, and the accounts were signed in May."


@pytest.fixture(scope="module")
async def db(world: World) -> AsyncIterator[Database]:
    db = Database(world.database.worker_url, service="ai", clock=SystemClock())
    yield db
    await db.close()


def rows(world: World, statement: str, *values: Any) -> list[Any]:
    with psycopg.connect(world.database.admin_url) as connection:
        return connection.execute(statement, values).fetchall()


async def run_jobs(world: World, db: Database, org_id: UUID) -> None:
    runner = JobRunner(db, JOB_KINDS, JobDeps(SystemClock(), LocalProvider()))
    for (job_id,) in rows(world, "SELECT id FROM ai.jobs WHERE org_id = %s AND status = 'queued'", org_id):
        await runner.run(job_id)


async def asked(db: Database, org_id: UUID, question: str, documents: Sequence[UUID] | None = None) -> list[str]:
    async with db.unit_of_work(Tenant(org_id=org_id)) as uow:
        found = await PassageSearch(uow.session, org_id).best(question, documents, limit=5)
    return [one.text for one in found]


def vectors(world: World, org_id: UUID) -> int:
    return int(rows(world, "SELECT count(*) FROM ai.passage_vectors WHERE org_id = %s", org_id)[0][0])


class TestAQuestion:
    async def test_is_answered_by_what_is_meant(self, world: World, db: Database) -> None:
        org = new_id()
        await world.upload(org, [MONEY, FLOOD, FRIDGE])
        await run_jobs(world, db, org)
        assert (await asked(db, org, "high water, people without a house"))[0] == FLOOD

    async def test_is_answered_by_its_words_before_the_index_is_there(self, world: World, db: Database) -> None:
        org = new_id()
        await world.upload(org, [MONEY, FLOOD])
        assert await asked(db, org, "What did the auditor say?") == [MONEY]

    async def test_in_german_finds_other_forms_of_its_words(self, world: World, db: Database) -> None:
        org = new_id()
        await world.upload(org, [MONEY, FRIDGE])
        await run_jobs(world, db, org)
        async with db.unit_of_work(Tenant(org_id=org)) as uow:
            search = PassageSearch(uow.session, org)
            by_words = await search.by_words("Wurde ein sparsames Gerät gekauft?", {"org_id": org})
        assert len(by_words) == 1

    async def test_sees_no_other_org(self, world: World, db: Database) -> None:
        org, other = new_id(), new_id()
        await world.upload(other, [FLOOD])
        await run_jobs(world, db, other)
        assert await asked(db, org, "river flood homes") == []

    async def test_looks_in_the_documents_that_it_is_given(self, world: World, db: Database) -> None:
        org = new_id()
        first = await world.upload(org, [FLOOD])
        await world.upload(org, [f"{FLOOD} Again."])
        await run_jobs(world, db, org)
        assert await asked(db, org, "river", [first]) == [FLOOD]
        assert await asked(db, org, "river", []) == []

    @pytest.mark.parametrize("question", ["", "???", "the and of", "a'b\\c \x27; DROP", "123 !", "x" * 5000, "洪水"])
    async def test_of_any_form_does_no_harm(self, world: World, db: Database, question: str) -> None:
        org = new_id()
        await world.upload(org, [FLOOD])
        await run_jobs(world, db, org)
        assert len(await asked(db, org, question)) <= 1


class TestTheIndex:
    async def test_is_gone_with_the_upload(self, world: World, db: Database) -> None:
        org = new_id()
        upload = await world.upload(org, [FLOOD])
        await run_jobs(world, db, org)
        assert vectors(world, org) == 1
        gone = FileDeleted.EXAMPLE | {"org_id": org, "upload_id": upload, "version": 3}
        await world.hear(FileDeleted.model_validate(gone))
        assert vectors(world, org) == 0
        assert await asked(db, org, "river rose homes") == []

    async def test_is_gone_with_the_org(self, world: World, db: Database) -> None:
        org, other = new_id(), new_id()
        for one in (org, other):
            await world.upload(one, [FLOOD])
            await run_jobs(world, db, one)
        await world.hear(OrgDeleted(org_id=org, version=1, deleted_at=datetime.now(UTC)))
        assert (vectors(world, org), vectors(world, other)) == (0, 1)

    async def test_an_upload_that_is_deleted_before_its_job_leaves_none(self, world: World, db: Database) -> None:
        org = new_id()
        upload = await world.upload(org, [FLOOD])
        gone = FileDeleted.EXAMPLE | {"org_id": org, "upload_id": upload, "version": 3}
        await world.hear(FileDeleted.model_validate(gone))
        await run_jobs(world, db, org)
        assert vectors(world, org) == 0

    async def test_of_documents_from_before_is_ordered_once(self, world: World, db: Database) -> None:
        org = new_id()
        for number in range(20):
            await world.upload(org, [FLOOD, f"{MONEY} {number}"])
        with psycopg.connect(world.database.admin_url) as connection:
            connection.execute("DELETE FROM ai.jobs WHERE org_id = %s", [org])
        await asyncio.gather(*(db.ping() for _ in range(5)))  # else the first is done while the others connect
        await asyncio.gather(*(indexing.order_missing(db) for _ in range(5)))
        await indexing.order_missing(db)
        assert rows(world, "SELECT count(*) FROM ai.jobs WHERE org_id = %s", org) == [(20,)]
        await run_jobs(world, db, org)
        assert vectors(world, org) == 40
        await indexing.order_missing(db)
        assert rows(world, "SELECT count(*) FROM ai.jobs WHERE org_id = %s AND status = 'queued'", org) == [(0,)]

    async def test_of_another_embedding_is_made_anew(self, world: World, db: Database) -> None:
        org = new_id()
        await world.upload(org, [FLOOD])
        await run_jobs(world, db, org)
        with psycopg.connect(world.database.admin_url) as connection:
            connection.execute("UPDATE ai.passage_vectors SET embedding = 'old' WHERE org_id = %s", [org])
            connection.execute("UPDATE ai.documents SET indexed_with = 'old' WHERE org_id = %s", [org])
        await indexing.order_missing(db)
        await run_jobs(world, db, org)
        made = rows(world, "SELECT embedding FROM ai.passage_vectors WHERE org_id = %s", org)
        assert made == [(StaticEmbedding.name,)]
        assert rows(world, "SELECT indexed_with FROM ai.documents WHERE org_id = %s", org) == made

    async def test_shows_the_worker_no_document_without_being_asked(self, world: World, db: Database) -> None:
        await world.upload(new_id(), [FLOOD])
        with psycopg.connect(world.database.worker_url) as connection:
            assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)
        with psycopg.connect(world.database.app_url) as connection:
            connection.execute("SET app.embedding = 'x'")
            assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)

    async def test_is_finished_by_the_next_worker_when_one_is_killed(self, world: World, db: Database) -> None:
        org = new_id()
        pages = [f"{FLOOD} Page {number} of them. {MONEY}" * 4 for number in range(1500)]
        await world.upload(org, pages)
        wanted = rows(world, "SELECT count(*) FROM ai.passages WHERE org_id = %s", org)[0][0]
        worker = await world.start_worker()
        async with asyncio.timeout(60):
            while vectors(world, org) == 0:  # noqa: ASYNC110  # another process; there is no event to wait for
                await asyncio.sleep(0.02)
        await world.stop_worker(worker, signal.SIGKILL)
        assert 0 < vectors(world, org) < wanted
        await world.start_worker()
        async with asyncio.timeout(90):
            done = "SELECT 1 FROM ai.documents WHERE org_id = %s AND indexed_with IS NOT NULL"
            while not rows(world, done, org):  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.2)
        assert vectors(world, org) == wanted
