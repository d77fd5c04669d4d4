"""What a file is made of, in order: the sections as trees and, where it is asked for, what AI had a part in."""

from __future__ import annotations

from typing import Final

from exports.rendering.document import Disclosure, Document
from exports.rendering.glyphs import clean
from exports.rendering.tree import Block, parse

DISCLOSURE_TITLE: Final = "Use of artificial intelligence"
_INTRODUCTION: Final = (
    "Parts of this proposal were drafted with the help of artificial intelligence. People reviewed and approved every"
    " section before it was exported."
)
_UNKNOWN: Final = (
    "It was not recorded for every section whether artificial intelligence had a part in it. People reviewed and"
    " approved every section before it was exported."
)
_NONE: Final = "No artificial intelligence wrote any part of this proposal. People approved every section."
_ORIGINS: Final = {
    "human": "Written by people",
    "ai": "Drafted by AI, approved by people",
    "mixed": "Drafted by AI, edited and approved by people",
    "unknown": "Not recorded",
}

Chapter = tuple[str, list[Block]]
"""A title as it was written, and its blocks."""


def chapters(document: Document) -> list[Chapter]:
    """Every section, and the disclosure as the last when the document has one. Raises RenderRefused."""
    out = [(one.title, parse(one.text, drop_title=one.title)) for one in document.sections]
    if document.disclosure is not None:
        titles = [one.title for one in document.sections]
        out.append((DISCLOSURE_TITLE, _disclosure(titles, document.disclosure)))
    return out


def _disclosure(titles: list[str], parts: tuple[Disclosure, ...]) -> list[Block]:
    origins = {one.origin for one in parts}
    words = _INTRODUCTION if origins & {"ai", "mixed"} else _NONE if origins == {"human"} else _UNKNOWN
    rows = [
        [
            [{"v": " ".join(clean(title).split()) or "Untitled"}],
            [{"v": _origin(part)}],
            [{"v": ", ".join(part.models) or "–"}],
        ]
        for title, part in zip(titles, parts, strict=True)
    ]
    head = [[{"v": "Section"}], [{"v": "Origin"}], [{"v": "Models"}]]
    return [
        {"t": "para", "k": [{"v": words}]},
        {"t": "table", "align": ["left"] * 3, "head": head, "rows": rows},
    ]


def _origin(part: Disclosure) -> str:
    words = _ORIGINS.get(part.origin, _ORIGINS["unknown"])
    if part.paragraphs is None or part.origin in ("human", "unknown"):
        return words
    drafted, total = part.paragraphs
    return f"{words} ({drafted} of {total} paragraph{'' if total == 1 else 's'} by AI)"
