"""The tree as PDF/A-2a and PDF/UA-1, set by typst from our fixed template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from typing import Any, Final

from exports.rendering.document import Document
from exports.rendering.errors import RenderRefused
from exports.rendering.glyphs import clean, plain_letters, settable
from exports.rendering.inlines import Inline, column_weights
from exports.rendering.tree import Block, parse
from exports.rendering.versions import TEMPLATE_DATE, TEMPLATE_VERSION

_LONG_WORD = re.compile(r"\S{36,}")
_LONG_CELL_WORD = re.compile(r"\S{16,}")

_FONTS: Final = "fontpkg_noto_sans"

Letters = Callable[[str], str]


def render(document: Document) -> bytes:
    """The whole document, tagged, with bookmarks, contents and page numbers.

    A character that no bundled font knows becomes a white square. Should the engine still find a text it cannot set (a
    rare pile of combining marks), the file is set once more with base letters only, before it is refused.
    """
    import typst

    try:
        return _compile(document, settable)
    except typst.TypstError:
        try:
            return _compile(document, plain_letters)
        except typst.TypstError as error:
            raise RenderRefused(f"The text cannot be set as PDF: {error.message}") from error


def _compile(document: Document, letters: Letters) -> bytes:
    import typst

    template = files(__package__).joinpath("template/pdf")
    with as_file(template) as root, as_file(files(_FONTS).joinpath("files")) as noto:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(noto)])
        return typst.compile(
            str(root / "proposal.typ"),
            root=str(root),  # holds our own files only: typst follows symbolic links inside its root
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"document": json.dumps(_data(document, letters))},
            pdf_standards=["a-2a", "ua-1"],
        )


def _data(document: Document, letters: Letters) -> dict[str, Any]:
    """The document as the template takes it."""
    title = _words(document.title, letters)
    org_name = _words(document.org_name, letters)
    return {
        "title": title,
        "short_title": _short(title, 72),
        "org_name": org_name,
        "short_org": _short(org_name, 40),
        "template": TEMPLATE_VERSION,
        "content_key": document.content_key("pdf"),
        "date": [TEMPLATE_DATE.year, TEMPLATE_DATE.month, TEMPLATE_DATE.day],
        "sections": [
            {
                "title": _words(section.title, letters),
                "blocks": _blocks(parse(section.text, drop_title=section.title), letters),
            }
            for section in document.sections
        ],
    }


def _words(text: str, letters: Letters) -> str:
    """One line of plain text; never empty, because a title or heading must say something to a screen reader."""
    return _breakable(letters(" ".join(clean(text).split())), _LONG_WORD) or "Untitled"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _breakable(text: str, long_word: re.Pattern[str]) -> str:
    """Lets a word break that is too long for its line, by invisible break opportunities; shorter words stay whole."""
    return long_word.sub(lambda match: "\u200b".join(re.findall(r".{1,8}", match[0])), text)


def _blocks(blocks: Sequence[Block], letters: Letters) -> list[Block]:
    return [_block(block, letters) for block in blocks]


def _block(block: Block, letters: Letters) -> Block:
    match block["t"]:
        case "para" | "heading":
            return block | {"k": _inlines(block["k"], letters, _LONG_WORD)}
        case "code":
            return block | {"v": _breakable(letters(block["v"]), _LONG_WORD)}
        case "quote":
            return block | {"k": _blocks(block["k"], letters)}
        case "list":
            return block | {"items": [_blocks(item, letters) for item in block["items"]]}
        case "table":
            rows = [[_inlines(cell, letters, _LONG_CELL_WORD) for cell in row] for row in block["rows"]]
            return {
                "t": "table",
                "align": block["align"],
                "weights": column_weights([block["head"], *block["rows"]]),
                "head": [_inlines(cell, letters, _LONG_CELL_WORD) for cell in block["head"]],
                "cells": [cell for row in rows for cell in row],
            }
    return block


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
