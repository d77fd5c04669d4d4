"""Uploading over HTTP: what is accepted, read and announced, and what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from common.ids import new_id

pytestmark = pytest.mark.integration

Make = Callable[[str], bytes]
Files = Callable[[UUID], list[Path]]
REAL_DOCS = os.environ.get("BIDWRIGHT_REAL_DOCS")


async def begin_post(
    caller: Any, headers: dict[str, str], body: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Sends a request whose body is not finished."""
    url = caller.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = {"Host": "test", "Content-Type": "multipart/form-data; boundary=b", **caller.headers, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"POST /api/uploads HTTP/1.1\r\n{head}\r\n".encode() + body)
    await writer.drain()
    return reader, writer


async def post_partly(caller: Any, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    """The answer to a request whose body never ends."""
    reader, writer = await begin_post(caller, headers, body)
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", head)
        assert length
        problem: dict[str, Any] = json.loads(await reader.readexactly(int(length.group(1))))
    writer.close()
    return int(head.split()[1]), problem


class TestAccepting:
    async def test_a_pdf_is_stored_read_and_announced(
        self, make: Make, caller: Any, workers: Any, heard: Callable[..., Awaitable[list[dict[str, Any]]]]
    ) -> None:
        ada, data, proposal_id = caller(), make("pdf"), str(new_id())
        await workers.start()
        answer = await ada.upload(data, "Call.PDF", content_type="application/pdf", proposal_id=proposal_id)
        assert answer.status_code == 201
        created = answer.json()
        assert created["sha256"] == hashlib.sha256(data).hexdigest()
        assert (created["filename"], created["content_type"]) == ("Call.PDF", "application/pdf")
        assert (created["size"], created["status"]) == (len(data), "processing")
        assert created["proposal_id"] == proposal_id

        ready = await ada.until(created["id"])
        assert ready["pages"] == 1
        text = (await ada.get(f"/api/uploads/{created['id']}/text")).json()
        assert text["status"] == "ready"
        assert [(page["number"], page["ocr"]) for page in text["pages"]] == [(1, False)]
        assert "the work plan" in text["pages"][0]["text"]

        (accepted,) = await heard("events.uploads.file.accepted", ada.org_id)
        assert (accepted["version"], accepted["storage_bytes_used"]) == (1, len(data))
        (extracted,) = await heard("events.uploads.file.extracted", ada.org_id)
        assert (extracted["version"], extracted["part"], extracted["parts"]) == (2, 1, 1)
        assert extracted["pages"] == text["pages"]

    async def test_a_long_text_is_announced_in_parts(self, caller: Any, workers: Any, heard: Any) -> None:
        ada = caller()
        await workers.start()
        data = "".join(f"Ünïcode line {number}\n" for number in range(9_000)).encode()
        created = (await ada.upload(data, "long.txt")).json()
        ready = await ada.until(created["id"])
        pages = (await ada.get(f"/api/uploads/{created['id']}/text")).json()["pages"]
        assert len(pages) == ready["pages"] > 1
        parts = await heard("events.uploads.file.extracted", ada.org_id, count=1)
        assert parts[0]["parts"] == 1
        assert [page for part in parts for page in part["pages"]] == pages

    async def test_a_file_without_text_is_unreadable_but_kept(self, make: Make, caller: Any, workers: Any) -> None:
        ada = caller()
        await workers.start()
        created = (await ada.upload(make("png"), "noise.png")).json()
        ended = await ada.until(created["id"], "unreadable")
        assert ended["reason"] == "no_text_found"
        assert ended["detail"]
        assert (await ada.get(f"/api/uploads/{created['id']}/file")).content

    async def test_a_file_over_the_extraction_limit_is_stored_not_read(
        self, make: Make, caller: Any, workers: Any
    ) -> None:
        ada = caller()
        await workers.start(TEXT_EXTRACTION_MAX_BYTES="100")
        created = (await ada.upload(make("pdf"), "call.pdf")).json()
        assert (await ada.until(created["id"], "unreadable"))["reason"] == "too_large_to_read"

    async def test_a_page_that_defeats_the_reader_costs_only_itself(
        self, make: Make, serve_api: Any, caller: Any, workers: Any
    ) -> None:
        ada = caller(client=await serve_api(FILE_UPLOAD_MAX_BYTES="10485760"))
        await workers.start(TEXT_EXTRACTION_MEMORY_BYTES=str(200 << 20))
        created = (await ada.upload(make("pdf with a bomb on its second page"), "bomb.pdf")).json()
        assert (await ada.until(created["id"]))["pages"] == 3
        pages = (await ada.get(f"/api/uploads/{created['id']}/text")).json()["pages"]
        assert [page["text"][-7:] for page in pages] == ["Page 1.", "", "Page 3."]

    @pytest.mark.skipif(not REAL_DOCS, reason="BIDWRIGHT_REAL_DOCS is not set")
    async def test_a_real_call_with_a_form_is_read_to_its_last_page(
        self, serve_api: Any, caller: Any, workers: Any
    ) -> None:
        ada = caller(client=await serve_api(FILE_UPLOAD_MAX_BYTES="10485760"))
        await workers.start()
        path = Path(str(REAL_DOCS)) / "nsf-23-556-solicitation.pdf"
        answer = await ada.upload(await asyncio.to_thread(path.read_bytes), path.name, content_type="application/pdf")
        assert answer.status_code == 201, answer.text
        assert (await ada.until(answer.json()["id"]))["pages"] == 18
        pages = (await ada.get(f"/api/uploads/{answer.json()['id']}/text")).json()["pages"]
        assert [page["number"] for page in pages] == list(range(1, 19))
        assert "$1,500,000" in "".join(page["text"] for page in pages)
        assert "PRIVACY ACT" in pages[17]["text"]


class TestRefusing:
    @pytest.mark.parametrize(
        ("name", "filename", "content_type", "code"),
        [
            ("pdf with javascript", "call.pdf", "application/pdf", "active_content"),
            ("pdf with a password", "call.pdf", "application/pdf", "encrypted_file"),
            ("png", "call.pdf", "application/pdf", "mismatched_signature"),
            ("pdf", "call.pdf", "text/html", "mismatched_content_type"),
            ("docx bomb", "call.docx", "application/octet-stream", "malformed_file"),
            ("nothing", "call.pdf", "application/pdf", "empty_file"),
            ("text", "run.exe", "text/plain", "extension_not_allowed"),
        ],
    )
    async def test_a_refused_file_leaves_nothing_behind(
        self,
        make: Make,
        caller: Any,
        files_of: Files,
        staged: Any,
        name: str,
        filename: str,
        content_type: str,
        code: str,
    ) -> None:
        ada = caller()
        answer = await ada.upload(make(name), filename, content_type=content_type)
        assert (answer.status_code, answer.json()["error"]) == (400, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert files_of(ada.org_id) == staged() == []
        assert (await ada.get("/api/uploads")).json() == {"items": [], "next_cursor": None}

    async def test_a_refusal_is_announced(self, make: Make, caller: Any, workers: Any, heard: Any) -> None:
        ada = caller()
        await workers.start()
        await ada.upload(make("pdf with javascript"), "../../evil\u202efdp.pdf")
        (refused,) = await heard("events.uploads.file.refused", ada.org_id)
        assert (refused["error"], refused["filename"]) == ("active_content", "evilfdp.pdf")

    async def test_a_length_over_the_limit_is_refused_before_the_body_is_read(self, caller: Any, staged: Any) -> None:
        status, problem = await post_partly(caller(), {"Content-Length": "2000000000"}, b"x" * 1000)
        assert (status, problem["error"], problem["limit"]) == (413, "file_too_large", 300_000)
        assert staged() == []

    async def test_a_chunked_body_is_cut_off_at_the_limit(self, caller: Any, staged: Any) -> None:
        start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (start, *[b"x" * 50_000] * 7))
        status, problem = await post_partly(caller(), {"Transfer-Encoding": "chunked"}, body)
        assert (status, problem["error"], problem["limit"]) == (413, "file_too_large", 300_000)
        assert staged() == []

    async def test_a_client_that_goes_away_leaves_nothing_behind(self, caller: Any, staged: Any) -> None:
        start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        writer = await begin_post(caller(), {"Content-Length": "200000"}, start + b"x" * 100_000)
        async with asyncio.timeout(10):
            while not staged():  # noqa: ASYNC110  # the server makes it true
                await asyncio.sleep(0.01)
            writer[1].close()
            while staged():  # noqa: ASYNC110  # the server makes it true
                await asyncio.sleep(0.01)

    async def test_a_file_of_exactly_the_limit_passes_and_one_byte_more_does_not(self, caller: Any) -> None:
        ada = caller()
        assert (await ada.upload(b"x" * 300_000, "a.txt")).status_code == 201
        assert (await ada.upload(b"x" * 300_001, "a.txt")).status_code == 413

    @pytest.mark.parametrize(
        ("content", "content_type", "status", "error"),
        [
            (b"{}", "application/json", 415, "unsupported_media_type"),
            (b"x", "multipart/form-data", 400, "invalid_request"),
            (b"nonsense", "multipart/form-data; boundary=b", 400, "invalid_request"),
            (b"--b\r\n\r\n", "multipart/form-data; boundary=b", 400, "invalid_request"),
            (
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
                "multipart/form-data; boundary=b",
                400,
                "invalid_request",
            ),
            (
                b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
                "multipart/form-data; boundary=b",
                422,
                "validation_failed",
            ),
        ],
    )
    async def test_what_is_no_upload_is_refused(
        self, caller: Any, staged: Any, content: bytes, content_type: str, status: int, error: str
    ) -> None:
        ada = caller()
        headers = {**ada.headers, "Content-Type": content_type}
        answer = await ada.http.post("/api/uploads", headers=headers, content=content)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert staged() == []

    async def test_a_malformed_proposal_id_is_refused(self, make: Make, caller: Any) -> None:
        answer = await caller().upload(make("text"), "a.txt", proposal_id="nonsense")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "proposal_id")


class TestScanning:
    @pytest.mark.parametrize(
        ("script", "status", "code"),
        [
            ("exit 0", 201, None),
            ("exit 1", 400, "infected"),
            ("exit 2", 400, "scan_error"),
            ("sleep 30", 400, "scan_error"),
        ],
    )
    async def test_only_a_clear_verdict_lets_a_file_in(
        self,
        serve_api: Any,
        caller: Any,
        files_of: Files,
        tmp_path: Path,
        script: str,
        status: int,
        code: str | None,
    ) -> None:
        program = tmp_path / "scan me"
        program.write_text(f'#!/bin/sh\n[ -f "$2" ] || exit 3\n{script}\n')
        program.chmod(0o755)
        command = f"'{program}' --file {{path}}"
        ada = caller(client=await serve_api(VIRUSSCAN_CMD=command, VIRUSSCAN_TIMEOUT_SECONDS="1"))
        answer = await ada.upload(b"hello", "a.txt")
        assert (answer.status_code, answer.json().get("error")) == (status, code)
        assert len(files_of(ada.org_id)) == (1 if status == 201 else 0)
