"""Handing out, verifying, listing and deleting what was exported."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from common.ids import new_id

from .story import Org, Proposal, eventually, stored_files

pytestmark = pytest.mark.integration


@pytest.fixture
async def proposal(org: Org) -> Proposal:
    return await org.proposal('Clean "water": für alle / 净水').written("A text to hand out.")


@pytest.fixture
async def export(org: Org, proposal: Proposal) -> dict[str, Any]:
    answer = await org.export(proposal)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


class TestGetFile:
    async def test_is_saved_under_the_title_and_never_shown_in_place(self, org: Org, export: dict[str, Any]) -> None:
        answer = await org.get(export["url"])

        assert answer.headers["etag"] == f'"{export["sha256"]}"'
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert answer.headers["content-disposition"] == (
            'attachment; filename="Clean water fur alle.md"; '
            "filename*=UTF-8''Clean%20water%20f%C3%BCr%20alle%20%E5%87%80%E6%B0%B4.md"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"

    async def test_sends_a_range(self, org: Org, export: dict[str, Any]) -> None:
        whole = (await org.get(export["url"])).content

        answer = await org.get(export["url"], range="bytes=2-9")

        assert answer.status_code == 206
        assert answer.content == whole[2:10]
        assert answer.headers["content-range"] == f"bytes 2-9/{len(whole)}"
        assert (await org.get(export["url"], range="bytes=-5")).content == whole[-5:]

    async def test_refuses_a_range_behind_the_end(self, org: Org, export: dict[str, Any]) -> None:
        answer = await org.get(export["url"], range="bytes=99999-")

        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{export['size']}"

    async def test_sends_the_whole_file_when_the_range_is_of_another_version(
        self, org: Org, export: dict[str, Any]
    ) -> None:
        answer = await org.get(export["url"], range="bytes=2-9", if_range='"other"')

        assert answer.status_code == 200
        assert len(answer.content) == export["size"]

    async def test_sends_nothing_that_the_client_has(self, org: Org, export: dict[str, Any]) -> None:
        answer = await org.get(export["url"], if_none_match=f'"x", W/"{export["sha256"]}"')

        assert (answer.status_code, answer.content) == (304, b"")

    async def test_head_tells_the_size(self, org: Org, export: dict[str, Any]) -> None:
        answer = await org.client.head(export["url"], headers=org.headers())

        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(export["size"])

    async def test_says_so_when_the_stored_file_is_damaged(
        self, org: Org, export: dict[str, Any], objects: Path
    ) -> None:
        path = objects / "exports" / str(org.org_id) / export["sha256"][:2] / export["sha256"]
        path.write_bytes(b"cut")

        answer = await org.get(export["url"])

        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")


class TestListExports:
    async def test_pages_through_the_newest_first(self, org: Org, proposal: Proposal) -> None:
        made = [(await org.export(proposal, one)).json()["id"] for one in ("md", "docx", "pdf")]
        other = await org.proposal().written("Other.")
        await org.export(other)

        first = (await org.get(f"/api/exports?proposal_id={proposal.id}&limit=2")).json()
        second = (await org.get(f"/api/exports?limit=2&proposal_id={proposal.id}&cursor={first['next_cursor']}")).json()

        assert [one["id"] for one in first["items"] + second["items"]] == made[::-1]
        assert second["next_cursor"] is None

    @pytest.mark.parametrize(
        ("path", "status", "error"),
        [
            ("/api/exports?cursor=nonsense", 400, "invalid_cursor"),
            ("/api/exports?limit=101", 422, "validation_failed"),
            ("/api/exports/not-an-id", 404, "not_found"),
            ("/api/exports/not-an-id/file", 404, "not_found"),
        ],
    )
    async def test_refuses_what_makes_no_sense(self, org: Org, path: str, status: int, error: str) -> None:
        answer = await org.get(path)

        assert (answer.status_code, answer.json()["error"]) == (status, error)

    @pytest.mark.parametrize(
        "body",
        [
            {"format": "pdf"},
            {"proposal_id": "x", "format": "pdf"},
            {"proposal_id": str(new_id()), "format": "odt"},
            {"proposal_id": str(new_id()), "format": "md", "proposal_revision": 0},
        ],
    )
    async def test_refuses_a_body_that_makes_no_sense(self, org: Org, body: dict[str, Any]) -> None:
        answer = await org.client.post("/api/exports", json=body, headers=org.headers())

        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")


class TestVerify:
    async def test_a_file_of_ours_is_recognised(self, org: Org, proposal: Proposal, export: dict[str, Any]) -> None:
        content = (await org.get(export["url"])).content

        by_file = await org.client.post(
            "/api/exports/verify",
            files={"note": (None, "kept out"), "file": ("renamed.bin", content)},
            headers=org.headers(role="viewer"),
        )
        by_hash = await org.client.post(
            "/api/exports/verify", json={"sha256": export["sha256"].upper()}, headers=org.headers()
        )

        assert by_file.json() == by_hash.json()
        assert by_file.json() == {
            "match": True,
            "sha256": export["sha256"],
            "export": {
                "id": export["id"],
                "proposal_id": str(proposal.id),
                "proposal_revision": 1,
                "format": "md",
                "created_at": export["created_at"],
            },
            "altered_from": None,
        }

    async def test_one_changed_byte_is_no_match(self, org: Org, export: dict[str, Any]) -> None:
        content = (await org.get(export["url"])).content + b"\n"

        answer = await org.client.post("/api/exports/verify", files={"file": ("a.md", content)}, headers=org.headers())

        told = answer.json()
        assert told["altered_from"].pop("id") == export["id"]
        assert {name: told[name] for name in ("match", "sha256", "export")} == {
            "match": False,
            "sha256": hashlib.sha256(content).hexdigest(),
            "export": None,
        }

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            (b"{", 400, "invalid_json"),
            (b"{}", 422, "validation_failed"),
            (b'{"sha256": "abc"}', 422, "validation_failed"),
            (b"x" * 5000, 400, "invalid_json"),
        ],
    )
    async def test_refuses_a_body_without_a_hash(self, org: Org, body: bytes, status: int, error: str) -> None:
        headers = org.headers() | {"content-type": "application/json"}
        answer = await org.client.post("/api/exports/verify", content=body, headers=headers)

        assert (answer.status_code, answer.json()["error"]) == (status, error)

    async def test_names_a_field_that_it_does_not_know(self, org: Org, export: dict[str, Any]) -> None:
        body = {"sha256": export["sha256"], "sha512": "x"}
        answer = await org.client.post("/api/exports/verify", json=body, headers=org.headers())

        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "sha512", "message": "Extra inputs are not permitted"}]

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    async def test_refuses_what_is_neither_a_hash_nor_a_file(self, org: Org, kind: str) -> None:
        headers = org.headers() | {"content-type": kind}
        answer = await org.client.post("/api/exports/verify", content=b"{}", headers=headers)

        assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")

    async def test_refuses_a_form_without_a_file(self, org: Org) -> None:
        form = {"content-type": "multipart/form-data; boundary=b"}
        part = b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n'

        missing = await org.client.post("/api/exports/verify", content=part, headers=org.headers() | form)
        broken = await org.client.post("/api/exports/verify", content=b"nonsense", headers=org.headers() | form)

        assert (missing.status_code, missing.json()["error"]) == (422, "validation_failed")
        assert broken.status_code == 400


class TestDelete:
    async def test_the_file_goes_with_the_last_export_that_shares_it(
        self, org: Org, proposal: Proposal, export: dict[str, Any], objects: Path
    ) -> None:
        await org.publish(proposal.outline())
        shared = (await org.export(proposal)).json()
        assert shared["sha256"] == export["sha256"]

        first = await org.client.delete(f"/api/exports/{export['id']}", headers=org.headers())
        assert first.status_code == 204
        assert (await org.get(shared["url"])).status_code == 200

        await org.client.delete(f"/api/exports/{shared['id']}", headers=org.headers())
        await eventually(lambda: stored_files(objects, org.org_id) == [], "the file is gone")

        again = await org.client.delete(f"/api/exports/{shared['id']}", headers=org.headers())
        assert again.status_code == 404
        assert (await org.export(proposal)).status_code == 201, "and it can be made again"

    async def test_a_viewer_may_not_delete(self, org: Org, export: dict[str, Any]) -> None:
        answer = await org.client.delete(f"/api/exports/{export['id']}", headers=org.headers(role="viewer"))

        assert (answer.status_code, answer.json()["error"]) == (403, "role_forbidden")
