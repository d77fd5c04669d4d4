"""Every hostile file is refused for its own reason, and every sound one passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from uploads import sandbox
from uploads.inspection import KINDS, Caps, Refused, check_declared_type, check_signature, kind_of

Make = Callable[[str], bytes]
LIMITS = sandbox.Limits(memory_bytes=768 << 20, total_seconds=30, silent_seconds=30)

SOUND = [
    ("pdf", "call.pdf"),
    ("pdf with a form and a link", "call.pdf"),
    ("pdf with an owner password only", "call.pdf"),
    ("docx", "call.docx"),
    ("docx with a local template", "call.docx"),
    ("docx with a link", "call.docx"),
    ("png", "scan.png"),
    ("jpeg", "scan.JPG"),
    ("jpeg", "scan.jpeg"),
    ("text", "notes.txt"),
    ("text with markup", "notes.txt"),
    ("text in utf-16", "notes.txt"),
]
HOSTILE = [
    ("nothing", "call.pdf", "empty_file"),
    ("png", "call.pdf", "mismatched_signature"),
    ("pdf", "call.docx", "mismatched_signature"),
    ("pdf", "call.txt", "mismatched_signature"),
    ("jpeg", "scan.png", "mismatched_signature"),
    ("pdf behind a prefix", "call.pdf", "mismatched_signature"),
    ("pdf with javascript", "call.pdf", "active_content"),
    ("pdf with an escaped javascript name", "call.pdf", "active_content"),
    ("pdf with javascript in an object stream", "call.pdf", "active_content"),
    ("pdf with a launch action", "call.pdf", "active_content"),
    ("pdf with an embedded file", "call.pdf", "active_content"),
    ("pdf with a script link", "call.pdf", "active_content"),
    ("pdf with a scripted xfa form", "call.pdf", "active_content"),
    ("pdf with a password", "call.pdf", "encrypted_file"),
    ("pdf cut short", "call.pdf", "malformed_file"),
    ("pdf with data after its end", "call.pdf", "malformed_file"),
    ("pdf that is a zip too", "call.pdf", "malformed_file"),
    ("pdf that is only a header", "call.pdf", "malformed_file"),
    ("docx with macros", "call.docx", "active_content"),
    ("docx with a macro type", "call.docx", "active_content"),
    ("docx with activex", "call.docx", "active_content"),
    ("docx with an ole object", "call.docx", "active_content"),
    ("docx with a remote template", "call.docx", "active_content"),
    ("docx with a template on a share", "call.docx", "active_content"),
    ("docx with a remote part", "call.docx", "active_content"),
    ("docx with dde", "call.docx", "active_content"),
    ("docx with entities", "call.docx", "malformed_file"),
    ("docx with a path", "call.docx", "malformed_file"),
    ("docx with an absolute path", "call.docx", "malformed_file"),
    ("docx with a part twice", "call.docx", "malformed_file"),
    ("docx with a wrong crc", "call.docx", "malformed_file"),
    ("docx bomb", "call.docx", "malformed_file"),
    ("docx without a document", "call.docx", "mismatched_signature"),
    ("docx that is any zip", "call.docx", "malformed_file"),
    ("docx behind a prefix", "call.docx", "malformed_file"),
    ("docx with a tail", "call.docx", "malformed_file"),
    ("docx that is an encrypted ole", "call.docx", "encrypted_file"),
    ("docx that is an old doc", "call.docx", "mismatched_signature"),
    ("png cut short", "scan.png", "malformed_file"),
    ("png with data after its end", "scan.png", "malformed_file"),
    ("png with a wrong crc", "scan.png", "malformed_file"),
    ("png with too many pixels", "scan.png", "malformed_file"),
    ("jpeg cut short", "scan.jpg", "malformed_file"),
    ("jpeg with data after its end", "scan.jpg", "malformed_file"),
    ("text in latin-1", "notes.txt", "malformed_file"),
    ("text with a nul", "notes.txt", "malformed_file"),
    ("text that is a program", "notes.txt", "mismatched_signature"),
    ("text", "notes.exe", "extension_not_allowed"),
    ("text", "notes", "extension_not_allowed"),
    ("text", ".txt", "extension_not_allowed"),
]


async def inspect(data: bytes, path: Path) -> None:
    await asyncio.to_thread(path.write_bytes, data)
    kind = kind_of(path.name, list(KINDS))
    check_signature(kind, data[:4096], ole_directory=data)
    await sandbox.inspect(kind.name, path, Caps(), LIMITS)


class TestStructure:
    @pytest.mark.parametrize(("name", "filename"), SOUND)
    async def test_a_sound_file_passes(self, make: Make, tmp_path: Path, name: str, filename: str) -> None:
        await inspect(make(name), tmp_path / filename)

    @pytest.mark.parametrize(("name", "filename", "code"), HOSTILE)
    async def test_a_hostile_file_is_refused_for_its_reason(
        self, make: Make, tmp_path: Path, name: str, filename: str, code: str
    ) -> None:
        with pytest.raises(Refused) as refused:
            await inspect(make(name), tmp_path / filename)
        assert refused.value.code == code
        assert refused.value.detail.endswith(".")

    async def test_a_check_that_cannot_be_survived_is_a_refusal(self, make: Make, tmp_path: Path) -> None:
        path = tmp_path / "call.pdf"
        path.write_bytes(make("pdf"))
        with pytest.raises(Refused, match="than is allowed"):
            await sandbox.inspect("pdf", path, Caps(), sandbox.Limits(memory_bytes=24 << 20, total_seconds=30))


class TestDeclaredType:
    @pytest.mark.parametrize(
        "declared", [None, "", "application/octet-stream", "application/pdf", "Application/PDF; x=y"]
    )
    def test_what_fits_or_says_nothing_passes(self, declared: str | None) -> None:
        check_declared_type(KINDS["pdf"], declared)

    @pytest.mark.parametrize("declared", ["image/png", "text/html", "nonsense"])
    def test_a_contradiction_is_refused(self, declared: str) -> None:
        with pytest.raises(Refused) as refused:
            check_declared_type(KINDS["pdf"], declared)
        assert refused.value.code == "mismatched_content_type"


class TestExtension:
    def test_only_what_is_allowed_is_accepted(self) -> None:
        assert kind_of("Call.v2.PDF", ["pdf"]).name == "pdf"
        with pytest.raises(Refused, match=r"\.pdf"):
            kind_of("scan.png", ["pdf"])
