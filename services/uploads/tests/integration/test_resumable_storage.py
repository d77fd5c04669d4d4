"""Uploads in pieces and the storage of their org: reserved, given back, erased."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts.gateway import OrgDeleted, UserErased
from devstack.pytest_plugin import ServiceDatabase
from uploads.bootstrap import open_deps
from uploads.deps import Deps
from uploads.resumable import service as resumable

from .resuming import (
    append,
    begin,
    complete,
    create,
    offset_of,
    problem,
    words,
)  # fmt: skip

pytestmark = pytest.mark.integration

Files = Callable[[UUID], list[Path]]


class TestStorage:
    @pytest.fixture
    async def small(self, serve_api: Any) -> httpx.AsyncClient:
        client: httpx.AsyncClient = await serve_api(QUOTA_STORAGE_BYTES_FREE="5000")
        return client

    async def test_what_is_announced_is_reserved_exactly(self, caller: Any, small: httpx.AsyncClient) -> None:
        ada = caller(client=small)
        answers = await asyncio.gather(*(create(ada, 1_000) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] * 5 + [402] * 3
        assert problem(next(a for a in answers if a.status_code == 402))["reason"] == "storage_exhausted"
        assert (await ada.upload(b"x", "a.txt")).status_code == 402  # beside the plain path
        places = [answer.headers["location"] for answer in answers if answer.status_code == 201]
        contents = {at: words(1_000) for at in places}
        # Completed while others try to take the room: a completion needs what it has reserved, and no more.
        for at in places:
            assert (await append(ada, at, contents[at], 0)).status_code == 204
        stored, more = await asyncio.gather(
            asyncio.gather(*(complete(ada, at) for at in places)),
            asyncio.gather(*(ada.upload(f"{n}".encode(), f"{n}.txt") for n in range(8))),
        )
        assert [answer.status_code for answer in stored] == [201] * 5
        assert [answer.status_code for answer in more] == [402] * 8
        first = stored[0].json()["id"]
        await ada.delete(f"/api/uploads/{first}")
        assert (await ada.upload(words(1_000), "a.txt")).status_code == 201

    async def test_a_cancelled_or_refused_upload_gives_its_room_back(
        self, caller: Any, small: httpx.AsyncClient
    ) -> None:
        ada = caller(client=small)
        at = await begin(ada, 5_000)
        assert (await create(ada, 1)).status_code == 402
        await ada.delete(at)
        at = await begin(ada, 4, "a.pdf")
        await append(ada, at, b"text", 0)
        assert (await complete(ada, at)).json()["error"] == "mismatched_signature"
        assert (await create(ada, 5_000)).status_code == 201

    async def test_content_that_is_there_already_takes_no_room(self, caller: Any, small: httpx.AsyncClient) -> None:
        ada, data = caller(client=small), words(2_400)
        assert (await ada.upload(data, "a.txt")).status_code == 201
        at = await begin(ada, 2_400)
        await append(ada, at, data, 0)
        assert (await complete(ada, at)).status_code == 201
        assert (await ada.upload(words(2_600), "b.txt")).status_code == 201


class TestErasure:
    async def test_an_erased_org_or_person_leaves_nothing_under_way(
        self, ada: Any, caller: Any, workers: Any, tell: Any, heard: Any, files_of: Files, make_settings: Any,
        database: ServiceDatabase, deps: Deps,
    ) -> None:  # fmt: skip
        bob, cyd = caller(client=ada.http), caller(client=ada.http)
        for person in (ada, bob, cyd):
            await append(person, await begin(person, 100), b"x" * 50, 0)
        at = await begin(cyd, 100)
        await workers.start()
        await tell(OrgDeleted(org_id=ada.org_id, version=1, deleted_at=datetime.now(UTC)))
        await tell(UserErased(org_id=bob.org_id, version=1, user_id=bob.user_id, erased_at=datetime.now(UTC)))
        await heard("events.uploads.org.erased", ada.org_id)
        await heard("events.uploads.user.erased", bob.org_id)
        assert files_of(ada.org_id) == []
        assert (await create(ada, 10)).status_code == 404
        async with open_deps(make_settings(database.worker_url)) as opened:
            await resumable.sweep(opened)
        assert files_of(bob.org_id) == []
        assert len(files_of(cyd.org_id)) == 1
        assert await offset_of(cyd, at) == 0
