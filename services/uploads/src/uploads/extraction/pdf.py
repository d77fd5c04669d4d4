"""PDF: the text layer by pdfium; a page without one is rendered and read by OCR."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from uploads.extraction.pages import PAGE_CHARACTERS, ExtractedPage, Options, clean

if TYPE_CHECKING:
    import pypdfium2  # type: ignore[import-untyped]

_DPI: Final = 300
_STAMP_CHARACTERS: Final = 24
"""A scan often has a little text of its own, such as a page number or a stamp; so much is no text layer yet."""


def read(path: Path, options: Options) -> Iterator[ExtractedPage]:
    """The pages of a PDF, beginning with `options.first_page`, so that a page that broke a child can be passed over."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        total = len(document)
        for index in range(options.first_page - 1, min(total, options.max_pages)):
            yield _page(document, index, total, options)
    finally:
        document.close()


def _page(document: pypdfium2.PdfDocument, index: int, total: int, options: Options) -> ExtractedPage:
    import pypdfium2

    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return ExtractedPage(index + 1, "", total=total)
    try:
        textpage = page.get_textpage()
        text = clean(_text(textpage))
        textpage.close()
        if options.ocr_pdf and len("".join(text.split())) <= _STAMP_CHARACTERS and _is_drawn(page):
            seen = clean(_recognise(page, options))
            if len(seen) > len(text):
                return ExtractedPage(index + 1, seen[:PAGE_CHARACTERS], ocr=True, total=total)
        return ExtractedPage(index + 1, text[:PAGE_CHARACTERS], total=total)
    finally:
        page.close()


def _text(textpage: Any) -> str:
    """All text of a page.

    Read through one buffer sized by pdfium's own character count; the decoding is ours, because a lone surrogate must
    not raise.
    """
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    count = textpage.count_chars()
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = raw.FPDFText_GetText(textpage, 0, count, buffer)
    return bytes(buffer)[: max(0, 2 * (written - 1))].decode("utf-16-le", "replace")


def _is_drawn(page: Any) -> bool:
    """Whether there is anything on the page to look at."""
    return next(iter(page.get_objects(max_depth=1)), None) is not None


def _recognise(page: Any, options: Options) -> str:
    from uploads.extraction.ocr import recognise

    width, height = page.get_size()
    points = max(1.0, width * height)
    scale = min(_DPI / 72, (options.ocr_pixels / points) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        picture = bitmap.to_pil()
        return recognise(picture if picture.mode == "L" else picture.convert("L"), options)
    finally:
        bitmap.close()
