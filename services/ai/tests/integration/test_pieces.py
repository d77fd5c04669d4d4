"""Pieces of many streams are stored together, and each is its own writer's alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from ai.bootstrap import open_deps
from ai.generation.pieces import Pieces
from ai.generation.service import Wish
from ai.providers.scripted import ScriptedProvider
from common.clock import SystemClock
from common.db import Database
from common.errors import NotFound
from common.ids import new_id

from .conftest import Caller, Entitled, World
from .slow_worker import DELTAS
from .test_jobs import SLOW_WORKER, WHOLE, follow, new_section, write

pytestmark = pytest.mark.integration


@pytest.fixture
async def db(world: World) -> AsyncIterator[Database]:
    database = Database(world.database.worker_url, service="ai", clock=SystemClock())
    yield database
    await database.close()


async def queued(caller: Caller) -> UUID:
    return UUID(await write(caller, await new_section(caller)))


class TestKeep:
    async def test_a_hundred_at_once_are_told_in_order_when_they_are_stored(
        self, db: Database, entitled: Entitled
    ) -> None:
        told: dict[UUID, list[int]] = {}

        async def tell(generation_id: UUID, place: int, text: str | None) -> None:
            told.setdefault(generation_id, []).append(place)

        callers = [await entitled() for _ in range(4)]
        jobs = [(caller.org_id, await queued(caller)) for caller in callers]
        pieces = Pieces(db, tell)

        async def stream(org_id: UUID, job_id: UUID) -> None:
            for place in range(1, 26):
                assert await pieces.keep(org_id, job_id, place, f"{place} ")

        await asyncio.gather(*(stream(*job) for job in jobs))
        for org_id, job_id in jobs:
            look = await pieces.look(org_id, job_id, after=20)
            assert look.pieces == [(place, f"{place} ") for place in range(21, 26)]
            assert told[job_id] == list(range(1, 26))
            with pytest.raises(NotFound):
                await pieces.look(new_id(), job_id, after=0)

    async def test_of_two_writers_of_a_place_one_is_told_no(self, db: Database, entitled: Entitled) -> None:
        caller = await entitled()
        job_id = await queued(caller)
        kept = await asyncio.gather(*(Pieces(db).keep(caller.org_id, job_id, 1, text) for text in "abcd"))
        assert sorted(kept) == [False, False, False, True]
        [(_, text)] = (await Pieces(db).look(caller.org_id, job_id, after=0)).pieces
        assert text == "abcd"[kept.index(True)]

    async def test_one_that_was_erased_does_not_take_the_others_with_it(self, db: Database, entitled: Entitled) -> None:
        caller = await entitled()
        job_id = await queued(caller)
        pieces = Pieces(db)
        erased, kept = await asyncio.gather(
            pieces.keep(caller.org_id, new_id(), 1, "gone"),
            pieces.keep(caller.org_id, job_id, 1, "here"),
            return_exceptions=True,
        )
        assert isinstance(erased, DBAPIError)
        assert kept is True


async def test_a_stream_is_whole_without_nats(world: World, entitled: Entitled) -> None:
    async with world.serve(NATS_URL="nats://127.0.0.1:1") as deaf:
        caller = await entitled()
        job_id = await write(caller, await new_section(caller))
        worker = await world.start_worker(SLOW_WORKER)
        heard = ""
        async for name, _, data in follow(Caller(deaf, caller.org_id, caller.user_id, caller.headers), job_id):
            heard += data["text"] if name == "delta" else ""
        assert heard == WHOLE
        await world.stop_worker(worker)


async def test_a_draft_that_is_waited_for_takes_few_transactions(world: World, entitled: Entitled) -> None:
    """A limit on what each generation costs us that a busy machine cannot move."""
    caller = await entitled()
    section_id = UUID(await new_section(caller))
    who = await world.issuer.verifier.verify(next(iter(caller.headers.values())))
    begun: list[str] = []
    async with open_deps(world.settings(world.database.app_url), provider=ScriptedProvider(DELTAS[:20])) as deps:
        event.listen(deps.db.engine.sync_engine, "begin", lambda _: begun.append("begin"))
        asked = await deps.generations.ask(who, Wish("write", section_id), wait=True)
    assert asked.job.status == "succeeded"
    assert asked.outcome is not None
    assert asked.outcome.section is not None
    assert len(begun) == 3, "to accept it, to read what it draws on, to end it"
