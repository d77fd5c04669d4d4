"""The reader for each kind, chosen by name, and what all of them share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uploads.inspection.kinds import KindName

PAGE_CHARACTERS: Final = 100_000
"""The longest page. A text or DOCX without page breaks is cut into pages of this size at line ends."""

_UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u00ad]")
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES: Final = re.compile(r"[ \t\u00a0]+\n")
_BLANK_LINES: Final = re.compile(r"\n{4,}")


@dataclass(frozen=True, slots=True)
class ExtractedPage:
    """The text of one page; `number` counts from 1, `total` is how many pages there are (0: not known)."""

    number: int
    text: str
    ocr: bool = False
    total: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What may be read, and how much work it may cost."""

    ocr_pdf: bool = True
    ocr_image: bool = True
    ocr_languages: str = "eng"
    ocr_pixels: int = 12_000_000
    ocr_seconds: int = 60
    max_pages: int = 2_000
    first_page: int = 1


def extract(kind: KindName, path: Path, options: Options) -> Iterator[ExtractedPage]:
    """The pages of the file in order, from `options.first_page` on, each as soon as it is read."""
    from uploads.extraction import docx, image, pdf, text

    readers = {"pdf": pdf.read, "docx": docx.read, "png": image.read, "jpeg": image.read, "text": text.read}
    for page in readers[kind](path, options):
        if page.number > options.max_pages:
            return
        if page.number >= options.first_page:
            yield page


def clean(text: str) -> str:
    """Text as it is stored: without control characters (Postgres chokes on them) and spaces at line ends."""
    text = _LINE_ENDS.sub("\n", text).replace("\ufffe", "-")  # pdfium's sign for a hyphen at a line's end
    text = _UNWANTED.sub("", text)
    return _BLANK_LINES.sub("\n\n\n", _SPACES.sub("\n", text)).strip()


def cut(text: str) -> Iterator[str]:
    """Pieces of at most PAGE_CHARACTERS, cut at a line end where there is one in the second half."""
    while len(text) > PAGE_CHARACTERS:
        at = text.rfind("\n", PAGE_CHARACTERS // 2, PAGE_CHARACTERS) + 1 or PAGE_CHARACTERS
        yield text[:at]
        text = text[at:]
    yield text


def numbered(texts: Iterator[str]) -> Iterator[ExtractedPage]:
    """Pages of a kind that has none of its own: the pieces, counted; empty ones are left out."""
    number = 0
    for whole in texts:
        for piece in cut(whole):
            if piece := clean(piece):
                number += 1
                yield ExtractedPage(number, piece)
