"""Uploads in pieces: what the protocol promises, over lines that break and processes that die."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id
from devstack.pytest_plugin import ServiceDatabase
from uploads import storing
from uploads.bootstrap import open_deps
from uploads.resumable import service as resumable

from .conftest import free_port
from .resuming import (
    CHUNK,
    SIZE,
    TUS,
    BreakingLine,
    KillableApi,
    append,
    begin,
    complete,
    create,
    meta,
    offset_of,
    problem,
    published,
    send_slowly,
    words,
)  # fmt: skip

pytestmark = pytest.mark.integration

Files = Callable[[UUID], list[Path]]


def names(files: list[Path]) -> list[str]:
    return [path.name for path in files]


class TestTheProtocol:
    async def test_a_file_comes_in_pieces_and_is_as_any_other(
        self, ada: Any, files_of: Files, workers: Any, staged: Any, heard: Any
    ) -> None:
        await workers.start()
        data, proposal_id = words(), str(new_id())
        created = await create(ada, SIZE, "Call.txt", filetype="text/plain", proposal_id=proposal_id)
        assert (created.status_code, created.headers["upload-offset"]) == (201, "0")
        assert created.headers["upload-expires"].endswith("GMT")
        at = created.headers["location"]
        first = await append(ada, at, data[:2_500_000], 0)
        assert (first.status_code, first.headers["upload-offset"]) == (204, "2500000")
        assert problem(await complete(ada, at))["error"] == "upload_incomplete"
        assert (await append(ada, at, data[2_500_000:], 2_500_000)).headers["upload-offset"] == str(SIZE)
        answer = await complete(ada, at)
        assert answer.status_code == 201
        upload = answer.json()
        assert upload["sha256"] == hashlib.sha256(data).hexdigest()
        assert (upload["filename"], upload["size"], upload["proposal_id"]) == ("Call.txt", SIZE, proposal_id)
        assert at.endswith(upload["id"])
        assert names(files_of(ada.org_id)) == [upload["sha256"]]
        assert staged() == []
        again = await complete(ada, at)  # its answer was lost
        assert again.json()["id"] == upload["id"]
        assert await offset_of(ada, at) == SIZE
        assert (await ada.get(f"/api/uploads/{upload['id']}/file")).content == data
        await ada.until(upload["id"])
        (accepted,) = await heard("events.uploads.file.accepted", ada.org_id)
        assert accepted["storage_bytes_used"] == SIZE

    async def test_it_says_what_it_can(self, ada: Any) -> None:
        answer = await ada.http.request("OPTIONS", "/api/uploads/resumable", headers=ada.headers)
        assert answer.status_code == 204
        assert answer.headers["tus-max-size"] == "10485760"
        assert "creation" in answer.headers["tus-extension"]

    async def test_a_piece_that_does_not_belong_there_is_a_conflict(self, ada: Any, files_of: Files) -> None:
        at = await begin(ada, 100)
        await append(ada, at, b"x" * 10, 0)
        for offset in (0, 5, 11):
            answer = await append(ada, at, b"y" * 10, offset)
            assert (answer.status_code, problem(answer)["offset"], answer.headers["upload-offset"]) == (409, 10, "10")
        assert len(files_of(ada.org_id)) == 1

    async def test_more_than_was_announced_is_refused_and_leaves_nothing(self, ada: Any) -> None:
        at = await begin(ada, 10)
        assert problem(await append(ada, at, b"x" * 11, 0))["error"] == "more_than_announced"
        assert await offset_of(ada, at) == 0

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    async def test_bytes_that_a_line_has_garbled_are_dropped(self, ada: Any, files_of: Files, algorithm: str) -> None:
        data = words(2_500_000)
        at = await begin(ada, len(data))
        digest = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
        said = {"Upload-Checksum": f"{algorithm} {digest}"}
        garbled = await append(ada, at, b"?" + data[1:], 0, **said)
        assert (garbled.status_code, problem(garbled)["error"]) == (460, "checksum_mismatch")
        assert (await offset_of(ada, at), files_of(ada.org_id)) == (0, [])
        assert (await append(ada, at, data, 0, **said)).status_code == 204
        assert (await complete(ada, at)).json()["sha256"] == hashlib.sha256(data).hexdigest()

    async def test_a_refused_file_leaves_nothing_and_says_so_again(self, make: Any, ada: Any, files_of: Files) -> None:
        data = make("pdf with javascript")
        at = await begin(ada, len(data), "call.pdf")
        await append(ada, at, data, 0)
        for _ in range(2):
            answer = await complete(ada, at)
            assert (answer.status_code, answer.json()["error"]) == (400, "active_content")
            assert answer.json()["detail"]
        assert files_of(ada.org_id) == []

    async def test_what_can_be_refused_by_its_name_is_refused_before_it_is_sent(self, ada: Any) -> None:
        assert problem(await create(ada, 10, "run.exe"))["error"] == "extension_not_allowed"
        assert problem(await create(ada, 10, "a.pdf", filetype="text/html"))["error"] == "mismatched_content_type"
        too_large = await create(ada, 10_485_761)
        assert (too_large.status_code, problem(too_large)["limit"]) == (413, 10_485_760)

    @pytest.mark.parametrize(
        ("headers", "status", "field"),
        [
            ({"Tus-Resumable": "0.2.2"}, 412, None),
            ({"Upload-Length": "many"}, 422, "Upload-Length"),
            ({"Upload-Length": "-1"}, 422, "Upload-Length"),
            ({"Upload-Length": "9" * 30}, 422, "Upload-Length"),
            ({"Upload-Metadata": "filename !"}, 422, "Upload-Metadata"),
            ({"Upload-Metadata": "filename " + "YQ==" * 2000}, 422, "Upload-Metadata"),
            ({"Upload-Metadata": ""}, 422, "Upload-Metadata"),
            ({"Upload-Metadata": meta(filename="a.txt", proposal_id="x")}, 422, "proposal_id"),
        ],
    )
    async def test_what_says_nothing_sensible_is_refused(
        self, ada: Any, headers: dict[str, str], status: int, field: str | None
    ) -> None:
        good = {**ada.headers, **TUS, "Upload-Length": "10", "Upload-Metadata": meta(filename="a.txt")}
        answer = await ada.http.post("/api/uploads/resumable", headers={**good, **headers})
        assert answer.status_code == status
        assert [found["field"] for found in problem(answer).get("errors", [])] == ([field] if field else [])

    async def test_a_piece_is_bytes_alone(self, ada: Any) -> None:
        at = await begin(ada, 10)
        assert (await append(ada, at, b"x", 0, **{"Content-Type": "text/plain"})).status_code == 415
        assert (await append(ada, at, b"x", 0, **{"Upload-Checksum": "md5 YQ=="})).status_code == 422
        assert (await append(ada, at, b"x", 0, **{"Upload-Offset": "?"})).status_code == 422

    async def test_it_is_one_persons(self, ada: Any, caller: Any) -> None:
        at = await begin(ada, 10)
        for other in (caller(client=ada.http), caller(org_id=ada.org_id, client=ada.http)):
            assert (await other.http.head(at, headers=other.headers)).status_code == 404
            assert (await append(other, at, b"x" * 10, 0)).status_code == 404
            assert (await complete(other, at)).status_code == 404
            assert (await other.delete(at)).status_code == 404
        assert await offset_of(ada, at) == 0
        viewer = caller(org_id=ada.org_id, client=ada.http, role="viewer")
        assert (await create(viewer, 10)).status_code == 403

    async def test_given_up_it_is_gone(self, ada: Any, files_of: Files) -> None:
        at = await begin(ada, 100)
        await append(ada, at, b"x" * 50, 0)
        assert (await ada.delete(at)).status_code == 204
        assert files_of(ada.org_id) == []
        assert (await append(ada, at, b"x" * 50, 50)).status_code == 404
        assert (await ada.delete(at)).status_code == 404


class TestLinesThatBreak:
    async def test_it_goes_on_where_it_broke_off(self, ada: Any, files_of: Files) -> None:
        data = words()
        chance = random.Random(6)
        at = await begin(ada, SIZE)
        lost, before = 0, -1

        async with (
            BreakingLine(ada.http.base_url.port, lambda: chance.randrange(1_000, 2_500_000)) as line,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{line.port}", trust_env=False) as client,
        ):
            for _ in range(200):
                offset = await self._settled(ada, at)
                assert offset >= before
                before = offset
                if offset == SIZE:
                    break
                headers = {**ada.headers, **TUS, "Content-Type": CHUNK, "Upload-Offset": str(offset)}
                try:
                    await client.patch(at, headers=headers, content=data[offset:])
                except httpx.TransportError:
                    lost += 1
        assert offset == SIZE
        assert lost >= 3
        answer = await complete(ada, at)
        assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
        assert names(files_of(ada.org_id)) == [answer.json()["sha256"]]

    async def _settled(self, ada: Any, at: str) -> int:
        """The offset, once the server has seen that the line is gone and kept what came."""
        before = -1
        while (offset := await offset_of(ada, at)) != before:
            before = offset
            await asyncio.sleep(0.2)
        return offset

    async def test_what_came_before_the_cut_is_kept(self, ada: Any) -> None:
        data = words()
        at = await begin(ada, SIZE)

        async def broken() -> AsyncIterator[bytes]:
            yield data[:3_300_000]
            await asyncio.sleep(0.2)
            raise RuntimeError("the line is cut")

        headers = {**ada.headers, **TUS, "Content-Type": CHUNK, "Upload-Offset": "0", "Content-Length": str(SIZE)}
        with pytest.raises(RuntimeError, match="cut"):
            await ada.http.patch(at, headers=headers, content=broken())
        async with asyncio.timeout(10):
            while await offset_of(ada, at) != 3_300_000:  # noqa: ASYNC110  # the server makes it true
                await asyncio.sleep(0.05)

    async def test_of_two_appends_at_once_one_wins(self, ada: Any, files_of: Files) -> None:
        data = words(3_000_000)
        at = await begin(ada, len(data))
        answers = await asyncio.gather(*(append(ada, at, data, 0) for _ in range(5)), return_exceptions=True)
        codes = [answer.status_code for answer in answers if isinstance(answer, httpx.Response)]
        assert set(codes) <= {204, 409}
        while (offset := await offset_of(ada, at)) < len(data):  # they may have taken turns
            await append(ada, at, data[offset:], offset)
        assert (await complete(ada, at)).json()["sha256"] == hashlib.sha256(data).hexdigest()
        async with asyncio.timeout(10):
            while len(files_of(ada.org_id)) > 1:  # noqa: ASYNC110  # a loser may still be tidying up
                await asyncio.sleep(0.05)

    async def test_of_two_completions_at_once_both_name_one_file(self, ada: Any, files_of: Files) -> None:
        at = await begin(ada, 1_000)
        await append(ada, at, words(1_000), 0)
        answers = await asyncio.gather(*(complete(ada, at) for _ in range(5)))
        assert [answer.status_code for answer in answers] == [201] * 5
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len((await ada.get("/api/uploads")).json()["items"]) == len(files_of(ada.org_id)) == 1


class TestKill:
    @pytest.fixture
    async def api(self, env: dict[str, str], database: ServiceDatabase, issuer: Any) -> AsyncIterator[KillableApi]:
        async with published(issuer.verifier._keys.keys) as url:
            more = {"FILE_UPLOAD_MAX_BYTES": "10485760", "IDENTITY_JWKS_URL": url, "DATABASE_URL": database.app_url}
            yield KillableApi({**env, **more}, free_port())

    async def test_a_kill_costs_at_most_the_last_piece_and_leaves_what_the_sweep_removes(
        self, ada: Any, api: KillableApi, files_of: Files
    ) -> None:
        data, chance = words(), random.Random(66)
        at, offset = await begin(ada, SIZE), 0
        for _ in range(3):
            await api.start()
            target = offset + chance.randrange(1_500_000, 2_500_000)

            async def gone(sent: int, target: int = target) -> None:
                if sent >= target:
                    await api.kill()
                    raise ConnectionError

            await send_slowly(api.port, ada, at, data, offset, gone)
            before, offset = offset, await offset_of(ada, at)
            assert before <= offset < target + 100_000
        assert offset >= resumable.PART_BYTES
        await append(ada, at, data[offset:], offset)
        assert (await complete(ada, at)).json()["sha256"] == hashlib.sha256(data).hexdigest()
        assert len(files_of(ada.org_id)) == 1  # what the kills left is gone with the pieces

    async def test_what_is_left_alone_is_swept_with_its_reservation(
        self, ada: Any, make_settings: Any, database: ServiceDatabase, files_of: Files
    ) -> None:
        at = await begin(ada, 2_000)
        await append(ada, at, b"x" * 1_000, 0)
        (part,) = files_of(ada.org_id)
        part.with_name("stray").write_bytes(b"of a killed append")
        part.with_name("half#1").write_bytes(b"of a killed write")
        clock = FrozenClock(datetime.now(UTC))
        async with open_deps(make_settings(database.worker_url), clock=clock) as deps:

            async def mine() -> tuple[int, ...]:
                async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
                    rows = await uow.session.execute(
                        text(
                            "SELECT (SELECT count(*) FROM resumable_uploads WHERE org_id = :org),"
                            " (SELECT count(*) FROM resumable_parts)"
                        ),
                        {"org": ada.org_id},
                    )
                    return tuple(rows.one())

            await resumable.sweep(deps)
            assert (await mine(), len(files_of(ada.org_id))) == ((1, 1), 3)
            clock.advance(timedelta(days=1, minutes=1))
            await resumable.sweep(deps)
            assert (await mine(), files_of(ada.org_id)) == ((1, 1), [])
            assert (await append(ada, at, b"x", 1_000)).status_code == 404
            clock.advance(storing.CLAIM_LIFE)
            await resumable.sweep(deps)
            assert await mine() == (0, 0)
        assert (await append(ada, at, b"x", 1_000)).status_code == 404

    async def test_an_upload_that_is_never_begun_reserves_for_an_hour_only(
        self, ada: Any, make_settings: Any, database: ServiceDatabase
    ) -> None:
        await begin(ada, 2_000)
        clock = FrozenClock(datetime.now(UTC))
        async with open_deps(make_settings(database.worker_url), clock=clock) as deps:
            clock.advance(timedelta(minutes=61))
            assert await resumable.sweep(deps) >= 1
