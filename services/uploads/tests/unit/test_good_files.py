"""Every sound file passes, whatever program wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from .checking import check
from .good_files import GOOD
from .good_programs import chromium, libreoffice

PROGRAMS: list[tuple[str, str, Callable[[Path], bytes]]] = [
    ("chromium", "call.pdf", chromium),
    ("libreoffice", "call.docx", lambda folder: libreoffice(folder, "docx:MS Word 2007 XML")),
    ("libreoffice, open xml", "call.docx", lambda folder: libreoffice(folder, "docx:Office Open XML Text")),
    ("libreoffice", "call.pdf", lambda folder: libreoffice(folder, "pdf")),
    (
        "libreoffice, archive and form",
        "call.pdf",
        lambda folder: libreoffice(
            folder,
            'pdf:writer_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"2"},'
            '"UseTaggedPDF":{"type":"boolean","value":"true"}}',
        ),
    ),
]


@pytest.mark.parametrize(
    ("filename", "make"), [case[1:] for case in GOOD], ids=[f"{case[1]}: {case[0]}" for case in GOOD]
)
async def test_a_sound_file_passes(tmp_path: Path, filename: str, make: Callable[[], bytes]) -> None:
    await check(make(), filename, None, tmp_path)


@pytest.mark.parametrize(
    ("filename", "make"), [case[1:] for case in PROGRAMS], ids=[f"{case[1]}: {case[0]}" for case in PROGRAMS]
)
async def test_a_file_of_an_office_program_or_a_browser_passes(
    tmp_path: Path, filename: str, make: Callable[[Path], bytes]
) -> None:
    data = await asyncio.to_thread(make, tmp_path)
    await check(data, filename, None, tmp_path)


def test_there_are_as_many_as_promised() -> None:
    assert len(GOOD) >= 30
