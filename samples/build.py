"""Builds every sample from its source; run again, it writes the same bytes.

.venv/bin/python samples/build.py            write the files
.venv/bin/python samples/build.py --check    exit 1 if a committed file differs from what its source gives
"""

from __future__ import annotations

import importlib
import io
import random
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
_EPOCH = datetime(2027, 2, 8, tzinfo=UTC)
_DPI = 200

PdfStandard = Literal["1.7", "ua-1"]


def compile_pdf(source: Path, *, standard: PdfStandard) -> bytes:
    """A PDF from a typst source, with the fonts that typst carries and no others."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    compiler = typst.Compiler(input=str(source), root=str(HERE), font_paths=fonts)
    result = compiler.compile(format="pdf", pdf_standards=[standard])
    if not isinstance(result, bytes):
        raise TypeError("typst gave no single document")
    return result


def scan(pdf: bytes) -> bytes:
    """The first page as a scanner would give it: grey, a little crooked, a little dirty, a picture only."""
    from PIL import Image, ImageFilter

    pypdfium2: Any = importlib.import_module("pypdfium2")  # it carries no types
    page = pypdfium2.PdfDocument(pdf)[0].render(scale=_DPI / 72, grayscale=True).to_pil().convert("L")
    crooked = page.rotate(0.7, resample=Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
    dice = random.Random(2027)  # noqa: S311 (dirt, not secrets)
    grain = Image.frombytes("L", crooked.size, dice.randbytes(crooked.width * crooked.height))
    dirty = Image.blend(
        crooked.point(lambda value: 18 + value * 0.9), grain.filter(ImageFilter.GaussianBlur(0.8)), 0.07
    )
    out = io.BytesIO()
    stamp = _EPOCH.timetuple()
    dirty.save(out, "PDF", resolution=_DPI, quality=55, title="Scan", creationDate=stamp, modDate=stamp)
    return out.getvalue()


def docx() -> bytes:
    """The applicant's profile as a Word file, zipped in a fixed order with fixed dates."""
    from docx import Document

    document = Document()
    core = document.core_properties
    core.title, core.author, core.last_modified_by = "Profile", "Eldermoor Community Energy Society", ""
    core.created = core.modified = _EPOCH.replace(tzinfo=None)
    styles = {"#": "Title", "##": "Heading 1", "-": "List Bullet"}
    for line in filter(None, (HERE / "applicant-profile.md").read_text().splitlines()):
        mark, _, text = line.partition(" ")
        document.add_paragraph(text if mark in styles else line, style=styles.get(mark, "Normal"))
    raw = io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    first = ["[Content_Types].xml", "_rels/.rels", "word/document.xml"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in first + sorted(set(parts) - set(first)):
            entry = zipfile.ZipInfo(name, (2027, 2, 8, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            new.writestr(entry, parts[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def build() -> dict[str, bytes]:
    """Every sample by file name."""
    return {
        "community-energy-call.pdf": compile_pdf(HERE / "community-energy-call.typ", standard="ua-1"),
        "scanned-letter.pdf": scan(compile_pdf(HERE / "scanned-letter.typ", standard="1.7")),
        "applicant-profile.docx": docx(),
    }


def _current(file: Path, data: bytes) -> bool:
    """Whether the committed file is what its source gives; of a zip, what is inside counts: zlib's builds differ."""
    if not file.is_file():
        return False
    if file.suffix == ".docx":
        return _inside(file.read_bytes()) == _inside(data)
    return file.read_bytes() == data


def _inside(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def main(argv: list[str]) -> int:
    """Write the samples, or with --check compare them."""
    made = build()
    if "--check" in argv:
        stale = [
            name for name, data in made.items() if not (HERE / name).is_file() or (HERE / name).read_bytes() != data
        ]
        sys.stdout.write("".join(f"{name} is not what its source gives\n" for name in stale))
        return 1 if stale else 0
    for name, data in made.items():
        (HERE / name).write_bytes(data)
        sys.stdout.write(f"{name}: {len(data):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
