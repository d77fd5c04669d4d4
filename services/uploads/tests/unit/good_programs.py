"""Sound files from programs of the machine: Chromium and LibreOffice, each started without a window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

SECONDS: Final = 90
PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Call</title></head><body>
<h1>Work plan</h1><p>See <a href="https://example.org/">the call</a> and <a href="#b">below</a>.</p>
<table border="1"><tr><th>Budget</th><td>1 500</td></tr></table><h2 id="b">Outcome</h2>
<form><input name="n" value="Ada"></form><svg width="9" height="9"><path d="M0 0h9"/></svg>
<script>document.body.append("now")</script></body></html>"""
NOTED: Final = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.3"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"
 office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:h text:outline-level="1">Work plan</text:h>
<text:p>Ten wells<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>
<text:p>Dug by hand.</text:p></text:note-body></text:note>, see
<text:a xlink:href="https://example.org/">the call</text:a>.
<office:annotation><dc:creator>Ada</dc:creator><text:p>Sure?</text:p></office:annotation></text:p>
<table:table><table:table-column/><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>
</table:table-row></table:table></office:text></office:body></office:document>"""


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


def _run(words: list[str], folder: Path) -> None:
    subprocess.run(words, check=True, timeout=SECONDS, cwd=folder, capture_output=True)


def chromium(folder: Path) -> bytes:
    """A page as "Save as PDF" writes it."""
    program = _program("chromium")
    (folder / "call.html").write_text(PAGE)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    _run([program, *flags, f"--user-data-dir={folder}/profile", "--print-to-pdf=call.pdf", "call.html"], folder)
    return (folder / "call.pdf").read_bytes()


def libreoffice(folder: Path, to: str, source: str = "call.fodt") -> bytes:
    """A text with a footnote, a comment, a link and a table, as LibreOffice saves or exports it."""
    program = _program("soffice", "libreoffice")
    (folder / "call.fodt").write_text(NOTED)
    extension = to.partition(":")[0]
    profile = f"-env:UserInstallation=file://{folder}/profile"
    _run([program, "--headless", profile, "--convert-to", to, "--outdir", "out", source], folder)
    return (folder / "out" / f"call.{extension}").read_bytes()
