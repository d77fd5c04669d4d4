"""Reading, listing and deleting over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.ids import new_id

pytestmark = pytest.mark.integration

Make = Callable[[str], bytes]
Files = Callable[[UUID], list[Path]]


class TestReading:
    async def test_the_file_comes_back_to_be_saved(self, make: Make, caller: Any) -> None:
        ada = caller()
        created = (await ada.upload(make("text with markup"), 'Fö"rder;\nung.txt')).json()
        path = f"/api/uploads/{created['id']}/file"
        answer = await ada.get(path)
        assert answer.content == make("text with markup")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["etag"] == f'"{created["sha256"]}"'
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert "filename*=UTF-8''F%C3%B6%22rder%3B" in answer.headers["content-disposition"]
        assert (await ada.get(path, **{"If-None-Match": answer.headers["etag"]})).status_code == 304

    async def test_a_download_that_broke_off_goes_on(self, caller: Any) -> None:
        ada, data = caller(), "".join(f"line {number}\n" for number in range(9_000)).encode()
        created = (await ada.upload(data, "long.txt")).json()
        path, half = f"/api/uploads/{created['id']}/file", len(data) // 2
        rest = await ada.get(path, Range=f"bytes={half}-", **{"If-Range": f'"{created["sha256"]}"'})
        assert (rest.status_code, rest.content) == (206, data[half:])
        assert rest.headers["content-range"] == f"bytes {half}-{len(data) - 1}/{len(data)}"
        assert (await ada.get(path, Range="bytes=0-9", **{"If-Range": '"another"'})).content == data
        past = await ada.get(path, Range=f"bytes={len(data)}-")
        assert (past.status_code, past.json()["error"]) == (416, "range_not_satisfiable")

    async def test_a_list_is_paged_newest_first(self, caller: Any) -> None:
        ada, proposal_id = caller(), str(new_id())
        ids = [(await ada.upload(f"text {n}".encode(), f"{n}.txt")).json()["id"] for n in range(5)]
        await ada.upload(b"of a proposal", "p.txt", proposal_id=proposal_id)
        first = (await ada.get("/api/uploads?limit=3")).json()
        second = (await ada.get(f"/api/uploads?limit=3&cursor={first['next_cursor']}")).json()
        assert [item["id"] for item in first["items"] + second["items"]][1:] == ids[::-1]
        assert second["next_cursor"] is None
        mine = (await ada.get(f"/api/uploads?proposal_id={proposal_id}")).json()["items"]
        assert [item["filename"] for item in mine] == ["p.txt"]
        bad = await ada.get("/api/uploads?cursor=nonsense")
        assert (bad.status_code, bad.json()["error"]) == (400, "invalid_cursor")

    async def test_another_org_finds_nothing(self, make: Make, caller: Any) -> None:
        ada, eve = caller(), caller()
        created = (await ada.upload(make("text"), "a.txt")).json()
        for path in ("", "/file", "/text"):
            assert (await eve.get(f"/api/uploads/{created['id']}{path}")).status_code == 404
        assert (await eve.delete(f"/api/uploads/{created['id']}")).status_code == 404
        assert (await eve.get("/api/uploads")).json()["items"] == []
        assert (await ada.get("/api/uploads/nonsense")).status_code == 404

    async def test_roles_and_scopes_are_asked(self, make: Make, caller: Any, http: httpx.AsyncClient) -> None:
        ada = caller()
        created = (await ada.upload(make("text"), "a.txt")).json()
        viewer = caller(ada.org_id, role="viewer")
        assert (await viewer.get(f"/api/uploads/{created['id']}")).status_code == 200
        assert (await viewer.upload(b"x", "a.txt")).json()["error"] == "role_forbidden"
        assert (await viewer.delete(f"/api/uploads/{created['id']}")).json()["error"] == "role_forbidden"
        key = caller(ada.org_id, scopes=frozenset({"uploads:read"}))
        assert (await key.get("/api/uploads")).status_code == 200
        assert (await key.upload(b"x", "a.txt")).json()["error"] == "scope_forbidden"
        assert (await http.get("/api/uploads")).status_code == 401


class TestDeleting:
    async def test_the_bytes_go_with_the_last_file_that_has_them(
        self, make: Make, caller: Any, files_of: Files, workers: Any, heard: Any
    ) -> None:
        ada, data = caller(), make("text")
        await workers.start()
        first, second = [(await ada.upload(data, name)).json()["id"] for name in ("a.txt", "b.txt")]
        assert len(files_of(ada.org_id)) == 1
        assert (await ada.delete(f"/api/uploads/{first}")).status_code == 204
        assert len(files_of(ada.org_id)) == 1
        assert (await ada.delete(f"/api/uploads/{second}")).status_code == 204
        assert files_of(ada.org_id) == []
        assert (await ada.delete(f"/api/uploads/{second}")).status_code == 404
        deleted = await heard("events.uploads.file.deleted", ada.org_id, count=2)
        assert [event["storage_bytes_used"] for event in deleted] == [len(data), 0]
