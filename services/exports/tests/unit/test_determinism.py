"""The same content gives the same bytes: here, elsewhere, tomorrow. A change must be meant and visible."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.exports import Format
from exports.rendering.document import Disclosure, Document, Section
from exports.rendering.layout import Layout
from exports.rendering.versions import TEMPLATE_VERSION, engine_version

from .examples import DOCUMENT, WORLD

GOLDEN = Path(__file__).parent / "golden.json"
FORMATS: tuple[Format, ...] = ("md", "pdf", "docx")

TOMORROW = """
import runpy, sys, time
real = time.time
time.time = lambda: real() + 86_400 * 500
time.gmtime = time.localtime = lambda *_: time.struct_time((2031, 5, 17, 3, 4, 5, 5, 137, 0))
sys.argv = ["exports.rendering", *sys.argv[1:]]
runpy.run_module("exports.rendering", run_name="__main__")
"""


def rendered(
    file_format: Format, folder: Path, *interpreter: str, document: Document = DOCUMENT, **environment: str
) -> bytes:
    output = folder / f"{len(list(folder.iterdir()))}.{file_format}"
    subprocess.run(
        [sys.executable, *(interpreter or ("-m", "exports.rendering")), file_format, str(output), str(2**31), "60"],
        input=document.canonical().encode(),
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    return output.read_bytes()


@pytest.mark.parametrize("file_format", FORMATS)
def test_other_process_hash_seed_zone_locale_and_clock(file_format: Format, tmp_path: Path) -> None:
    files = {
        rendered(file_format, tmp_path, PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C"),
        rendered(file_format, tmp_path, PYTHONHASHSEED="4242", TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8"),
        rendered(file_format, tmp_path, "-c", TOMORROW, SOURCE_DATE_EPOCH="12345", RAYON_NUM_THREADS="1"),
    }

    assert len(files) == 1


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("document", [DOCUMENT, WORLD], ids=["plain", "world"])
def test_the_committed_hash(file_format: Format, document: Document, tmp_path: Path) -> None:
    """Fails when a byte has changed. Was it meant? Raise TEMPLATE_VERSION (unless an engine did it), and write into
    `golden.json` what this test says."""
    now = {
        "template": TEMPLATE_VERSION,
        "engine": engine_version(file_format),
        "sha256": hashlib.sha256(rendered(file_format, tmp_path, document=document)).hexdigest(),
    }
    golden: dict[str, Any] = json.loads(GOLDEN.read_text())

    assert golden["world" if document is WORLD else "plain"][file_format] == now


class TestContentKey:
    def test_is_the_same_for_the_same_content(self) -> None:
        assert Document.parse(DOCUMENT.canonical()) == DOCUMENT
        assert Document.parse(DOCUMENT.canonical()).content_key("pdf") == DOCUMENT.content_key("pdf")

    def test_differs_with_anything_that_the_file_shows(self) -> None:
        base = Document("T", "O", (Section("S", "x"),))
        others = [
            Document("T2", "O", base.sections),
            Document("T", "O2", base.sections),
            Document("T", "O", (Section("S2", "x"),)),
            Document("T", "O", (Section("S", "y"),)),
            Document("T", "O", (*base.sections, Section("S", "x"))),
            replace(base, layout=Layout(paper="letter")),
            replace(base, layout=Layout(cover=False)),
            replace(base, disclosure=(Disclosure("human"),)),
            replace(base, template_sha256="f" * 64),
        ]
        keys = [one.content_key("pdf") for one in (base, *others)] + [base.content_key("docx")]

        assert len(set(keys)) == len(keys)
