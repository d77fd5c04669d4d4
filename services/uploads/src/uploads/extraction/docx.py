"""DOCX: paragraphs, tables and footnotes from the XML itself; a page break starts a new page."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from uploads.extraction.pages import ExtractedPage, Options, numbered

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED: Final = frozenset(
    {
        f"{_W}del",
        f"{_W}moveFrom",
        f"{_W}instrText",
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
_BREAK: Final = "\f"


def read(path: Path, options: Options) -> Iterator[ExtractedPage]:
    """The pages of a DOCX, by its explicit and last rendered page breaks; a page's footnotes stand at its end."""
    with zipfile.ZipFile(path) as archive:
        body = _part(archive, "word/document.xml")
        notes = {**_notes(archive, "footnote"), **_notes(archive, "endnote")}
    pages = "".join(_blocks(body)).split(_BREAK) if body is not None else []
    yield from numbered(_with_notes(page, notes) for page in pages)


def _part(archive: zipfile.ZipFile, name: str) -> Any | None:
    from lxml import etree

    try:
        data = archive.read(name)
    except KeyError:
        return None
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _notes(archive: zipfile.ZipFile, kind: str) -> dict[str, str]:
    """By their mark in the text, for example `[footnote 2]`."""
    root = _part(archive, f"word/{kind}s.xml")
    if root is None:
        return {}
    notes = {
        f"[{kind} {note.get(f'{_W}id')}]": "".join(_blocks(note)).replace(_BREAK, "\n").strip()
        for note in root.iter(f"{_W}{kind}")
        if note.get(f"{_W}type") in {None, "normal"}
    }
    return {mark: text for mark, text in notes.items() if text}


def _with_notes(page: str, notes: dict[str, str]) -> str:
    used = [f"{mark} {text}" for mark, text in notes.items() if mark in page]
    return page + "\n\n" + "\n".join(used) if used else page


def _blocks(element: Any) -> Iterator[str]:
    """Text in document order; tables row by row, their cells separated by ` | `."""
    for child in element:
        if child.tag in _SKIPPED or not isinstance(child.tag, str):
            continue
        if child.tag == f"{_W}p":
            yield "".join(_runs(child)) + "\n"
        elif child.tag == f"{_W}tbl":
            yield from _rows(child)
            yield "\n"
        else:
            yield from _blocks(child)


def _rows(table: Any) -> Iterator[str]:
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl"), None) is not table:
            continue  # of a table inside a cell, which the cell itself yields
        cells = [" ".join("".join(_blocks(cell)).replace(_BREAK, " ").split()) for cell in row.iterchildren(f"{_W}tc")]
        yield " | ".join(cells) + "\n"


def _runs(paragraph: Any) -> Iterator[str]:
    for child in paragraph:
        tag = child.tag
        if tag in _SKIPPED or not isinstance(tag, str):
            continue
        if tag == f"{_W}t":
            yield child.text or ""
        elif tag == f"{_W}tab":
            yield "\t"
        elif tag == f"{_W}noBreakHyphen":
            yield "-"
        elif tag in {f"{_W}br", f"{_W}cr"}:
            yield _BREAK if child.get(f"{_W}type") == "page" else "\n"
        elif tag == f"{_W}lastRenderedPageBreak":
            yield _BREAK
        elif tag in {f"{_W}footnoteReference", f"{_W}endnoteReference"}:
            yield f"[{tag.removeprefix(_W).removesuffix('Reference')} {child.get(f'{_W}id')}]"
        elif tag == f"{_W}txbxContent":
            yield "\n" + "".join(_blocks(child))
        elif tag not in {f"{_W}pPr", f"{_W}rPr", f"{_W}tabs"}:
            yield from _runs(child)
