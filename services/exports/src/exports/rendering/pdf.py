"""The tree as PDF/A-2a and PDF/UA-1, set by typst from our fixed template."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any, Final

from exports.rendering.chapters import Chapter, chapters
from exports.rendering.document import Document
from exports.rendering.errors import RenderRefused
from exports.rendering.fonts import font_folder, needed, text_family
from exports.rendering.glyphs import (
    REPLACEMENT,
    base_letters,
    clean,
    is_right_to_left,
    is_visible,
    missing,
    plain_letters,
    settable,
)
from exports.rendering.inlines import Inline, column_weights, plain
from exports.rendering.layout import DEFAULT_FONT, DEFAULT_LANGUAGE, DEFAULT_PAPER, DEFAULT_SIZE_PT, PAPERS, Layout
from exports.rendering.tree import Block
from exports.rendering.versions import TEMPLATE_DATE, TEMPLATE_VERSION

_LONG_WORD = re.compile(r"\S{36,}")
_LONG_CELL_WORD = re.compile(r"\S{16,}")

_SINGLE_EM: Final = 1.2
"""A single-spaced line, in letter sizes."""
_CAPITAL_EM: Final = 0.714
"""Of Noto Sans: the engine counts the gap between lines from the capitals' top."""
_LEADING_EM: Final = 0.72

Letters = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pdf:
    """A finished PDF and what is to be known of it."""

    data: bytes
    pages: int
    missing: Counter[str]
    """The characters that no bundled font has, shown as a white square, and how often."""


def render(document: Document) -> Pdf:
    """The whole document, tagged, with bookmarks, contents and page numbers.

    A character that no bundled font knows becomes a white square. Should the engine still find a text it cannot set (a
    rare pile of combining marks), the file is set once more with base letters only, and then with the base font's,
    before it is refused.
    """
    import typst

    parts = chapters(document)
    for letters in (settable, plain_letters, base_letters):
        try:
            data = _compile(document, parts, letters)
            break
        except typst.TypstError as error:
            refusal = error
    else:
        raise RenderRefused(f"The text cannot be set as PDF: {refusal.message}") from refusal
    texts = Counter[str]()
    for text in (document.title, document.org_name, *(title for title, _ in parts)):
        texts += missing(clean(text))
    for text in (text for _, blocks in parts for text in _texts(blocks)):
        texts += missing(text)
    return Pdf(data, _count_pages(data), texts)


def _count_pages(data: bytes) -> int:
    import pypdfium2  # type: ignore[import-untyped]  # it has none

    file = pypdfium2.PdfDocument(data)
    try:
        return len(file)
    finally:
        file.close()


def _compile(document: Document, parts: Sequence[Chapter], letters: Letters) -> bytes:
    import typst

    data = _data(document, parts, letters)
    font = document.layout.font or DEFAULT_FONT
    faces = needed(set(json.dumps(data, ensure_ascii=False)))
    data["fonts"] = [*dict.fromkeys([text_family(font), "Noto Sans"]), *(face.family for face in faces)]
    template = files(__package__).joinpath("template/pdf")
    with as_file(template) as root, font_folder(font, faces) as folder:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])
        return typst.compile(
            str(root / "proposal.typ"),
            root=str(root),  # holds our own files only: typst follows symbolic links inside its root
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"document": json.dumps(data)},
            pdf_standards=["a-2a", "ua-1"],
        )


def _data(document: Document, parts: Sequence[Chapter], letters: Letters) -> dict[str, Any]:
    """The document as the template takes it."""
    title = _words(document.title, letters)
    org_name = _words(document.org_name, letters)
    rtl = is_right_to_left(title)
    return {
        "title": title,
        "rtl": rtl,
        "short_title": _short(title, 72),
        "org_name": org_name,
        "short_org": _short(org_name, 40),
        "template": TEMPLATE_VERSION,
        "content_key": document.content_key("pdf"),
        "date": [TEMPLATE_DATE.year, TEMPLATE_DATE.month, TEMPLATE_DATE.day],
        "layout": _layout(document.layout),
        "sections": [
            {"title": _words(heading, letters), "blocks": _blocks(blocks, letters, rtl)} for heading, blocks in parts
        ],
    }


def _layout(layout: Layout) -> dict[str, Any]:
    spacing = layout.line_spacing
    return {
        "paper": PAPERS[layout.paper or DEFAULT_PAPER],
        "margin": layout.margin_mm,
        "size": layout.size_pt or DEFAULT_SIZE_PT,
        "leading": _LEADING_EM if spacing is None else round(spacing * _SINGLE_EM - _CAPITAL_EM, 4),
        "language": layout.language or DEFAULT_LANGUAGE,
        "cover": layout.cover,
        "contents": layout.contents,
    }


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    """Every piece of text in the blocks."""
    for block in blocks:
        match block["t"]:
            case "para" | "heading":
                yield plain(block["k"])
            case "code":
                yield block["v"]
            case "quote":
                yield from _texts(block["k"])
            case "list":
                for item in block["items"]:
                    yield from _texts(item)
            case "table":
                for row in (block["head"], *block["rows"]):
                    yield from (plain(cell) for cell in row)


def _words(text: str, letters: Letters) -> str:
    """One line of plain text; never empty, because a title or heading must say something to a screen reader."""
    words = letters(" ".join(clean(text).split()))
    return _breakable(words, _LONG_WORD) if is_visible(words) else "Untitled"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _breakable(text: str, long_word: re.Pattern[str]) -> str:
    """Lets a word break that is too long for its line, by invisible break opportunities; shorter words stay whole."""
    return long_word.sub(lambda match: "\u200b".join(re.findall(r".{1,8}", match[0])), text)


def _blocks(blocks: Sequence[Block], letters: Letters, rtl: bool) -> list[Block]:
    return [_block(block, letters, rtl) for block in blocks]


def _turned(text: str, rtl: bool) -> dict[str, str]:
    """The direction of a text that reads the other way than the document (`rtl`) does."""
    own = is_right_to_left(text)
    return {} if own == rtl else {"dir": "rtl" if own else "ltr"}


def _block(block: Block, letters: Letters, rtl: bool) -> Block:
    match block["t"]:
        case "heading" if not is_visible(letters(plain(block["k"]))):
            return block | {"k": [{"v": REPLACEMENT}]}  # a heading must say something to a screen reader
        case "para" | "heading":
            return block | {"k": _inlines(block["k"], letters, _LONG_WORD)} | _turned(plain(block["k"]), rtl)
        case "code":
            return block | {"v": _breakable(letters(block["v"]), _LONG_WORD)} | _turned("a", rtl)
        case "quote":
            return block | {"k": _blocks(block["k"], letters, rtl)}
        case "list":
            turned = _turned(next(_texts([block]), ""), rtl)
            own = turned.get("dir", "rtl" if rtl else "ltr") == "rtl"
            return block | {"items": [_blocks(item, letters, own) for item in block["items"]]} | turned
        case "table":
            # The head stands on every page that the table reaches, and what is repeated may not lead anywhere.
            rows = [[_without_links(cell) for cell in block["head"]], *block["rows"]]
            turned = _turned(next((text for text in _texts([block]) if text), ""), rtl)
            cells = [_inlines(cell, letters, _LONG_CELL_WORD) for row in rows for cell in row]
            return {
                "t": "table",
                "align": block["align"],
                "weights": column_weights(rows),
                "head": cells[: len(block["head"])],
                "cells": cells[len(block["head"]) :],
            } | turned
    return block


def _without_links(inlines: Sequence[Inline]) -> list[Inline]:
    return [inner for one in inlines for inner in (one["k"] if "u" in one else [one])]


def _inlines(inlines: Sequence[Inline], letters: Letters, long_word: re.Pattern[str]) -> list[Inline]:
    out: list[Inline] = []
    for one in inlines:
        if "u" in one:
            out.append({"u": one["u"], "k": _inlines(one["k"], letters, long_word)})
        elif "v" in one:
            out.append(one | {"v": _breakable(letters(one["v"]), long_word)})
        else:
            out.append(one)
    return out
