"""A folder as object store that is full, read-only or gone: 503, nothing half-stored, and uploads go on afterwards."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from common.ids import new_id

from .conftest import stored_files
from .resuming import append, begin, complete, offset_of

pytestmark = pytest.mark.integration

MIB = 1 << 20


def run(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A file system of 4 MiB."""
    folder = tmp_path_factory.mktemp("disk")
    if not run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)):
        pytest.skip("a file system cannot be mounted here")
    yield folder
    run("mount", "-o", "remount,rw,size=4m", str(folder))
    run("umount", "-l", str(folder))


@pytest.fixture
def api(disk: Path, serve_api: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    async def start(staging: Path | None = None) -> httpx.AsyncClient:
        client: httpx.AsyncClient = await serve_api(
            STORAGE_URL=f"file://{disk / 'objects'}",
            UPLOAD_STAGING_DIR=str(staging or tmp_path_factory.mktemp("staging")),
            FILE_UPLOAD_MAX_BYTES=str(8 * MIB),
        )
        return client

    return start


def text_of(size: int) -> bytes:
    return (f"{new_id()}\n".encode() * (size // 37 + 1))[:size]


def refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable"), answer.text


class TestFull:
    async def test_nothing_is_half_stored_and_room_lets_it_go_on(self, api: Any, caller: Any, disk: Path) -> None:
        ada = caller(client=await api())
        data = text_of(3 * MIB)
        at = await begin(ada, len(data))
        await append(ada, at, data[:MIB], 0)
        filler = disk / "filler"
        filler.write_bytes(bytes(2 * MIB))
        refused(await ada.upload(text_of(3 * MIB), "large.txt"))
        refused(await append(ada, at, data[MIB:], MIB))
        offset = await offset_of(ada, at)
        assert offset in (MIB, 2 * MIB)
        # What did not fit has left nothing: no half-written object, no claim of one.
        assert sum(path.stat().st_size for path in stored_files(disk / "objects")) == offset
        assert (await ada.get("/api/uploads")).json()["items"] == []
        filler.unlink()
        # Completing needs the room for the pieces and for the file.
        await ada.delete(at)
        assert stored_files(disk / "objects") == []
        again = await begin(ada, MIB)
        await append(ada, again, data[:MIB], 0)
        assert (await complete(ada, again)).json()["sha256"] == hashlib.sha256(data[:MIB]).hexdigest()
        for upload in (await ada.get("/api/uploads")).json()["items"]:
            await ada.delete(f"/api/uploads/{upload['id']}")

    async def test_no_room_to_stage_a_file_is_the_same(self, api: Any, caller: Any, disk: Path) -> None:
        ada = caller(client=await api(disk / "staging"))
        refused(await ada.upload(text_of(6 * MIB), "large.txt"))
        assert stored_files(disk / "staging") == []
        assert (await ada.upload(b"small", "small.txt")).status_code == 201

    async def test_a_file_that_can_not_be_put_together_for_want_of_room_can_be_later(
        self, api: Any, caller: Any, disk: Path
    ) -> None:
        ada, data = caller(client=await api()), text_of(MIB + MIB // 2)
        at = await begin(ada, len(data))
        await append(ada, at, data, 0)
        filler = disk / "filler"
        filler.write_bytes(bytes(2 * MIB))
        refused(await complete(ada, at))
        assert await offset_of(ada, at) == len(data)
        filler.unlink()
        upload = (await complete(ada, at)).json()
        assert upload["sha256"] == hashlib.sha256(data).hexdigest()
        assert [path.name for path in stored_files(disk / "objects" / "uploads" / str(ada.org_id))] == [
            upload["sha256"]
        ]
        await ada.delete(f"/api/uploads/{upload['id']}")


class TestReadOnlyOrGone:
    async def test_read_only(self, api: Any, caller: Any, disk: Path) -> None:
        ada, data = caller(client=await api()), text_of(100_000)
        kept = (await ada.upload(b"kept", "kept.txt")).json()
        at = await begin(ada, len(data))
        assert run("mount", "-o", "remount,ro", str(disk))
        refused(await ada.upload(b"lost", "lost.txt"))
        refused(await append(ada, at, data, 0))
        assert (await ada.get(f"/api/uploads/{kept['id']}/file")).content == b"kept"
        assert (await ada.delete(f"/api/uploads/{kept['id']}")).status_code == 204  # the sweep removes its bytes
        assert run("mount", "-o", "remount,rw", str(disk))
        await append(ada, at, data, 0)
        assert (await complete(ada, at)).status_code == 201

    async def test_gone(self, api: Any, caller: Any, tmp_path: Path, disk: Path) -> None:
        ada = caller(client=await api())
        kept = (await ada.upload(b"kept", "kept.txt")).json()
        place = disk / "objects" / "uploads"
        place.rename(disk / "elsewhere")
        place.write_text("in its place")
        refused(await ada.upload(b"lost", "lost.txt"))
        refused(await ada.get(f"/api/uploads/{kept['id']}/file"))
        place.unlink()
        (disk / "elsewhere").rename(place)
        assert (await ada.get(f"/api/uploads/{kept['id']}/file")).content == b"kept"
        assert (await ada.upload(b"found", "found.txt")).status_code == 201
