"""The text inside a block: flat runs with marks instead of nested emphasis, so that every writer sets them alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from markdown_it.tree import SyntaxTreeNode

Inline = dict[str, Any]

_MARKS: Final = {"strong": "b", "em": "i", "s": "s"}
_LINK = re.compile(r"(?:https?://|mailto:)[!-~]{1,2000}", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f\v]+")


def plain(inlines: Iterable[Inline]) -> str:
    """The text without marks, breaks as spaces."""
    return "".join(" " if "br" in one else plain(one["k"]) if "u" in one else one["v"] for one in inlines)


def column_weights(rows: Sequence[Sequence[Sequence[Inline]]]) -> list[int]:
    """How wide each column of a table wants to be, in characters: as its longest cell, within reason, and its longest
    word, so that a column of numbers does not take half a page and a heading is not broken."""
    weights = []
    for column in zip(*rows, strict=True):
        texts = [plain(cell) for cell in column]
        words = [len(word) for text in texts for word in text.split()]
        weights.append(3 + max(4, min(30, max(map(len, texts))), min(18, max(words, default=0))))
    return weights


def collect(nodes: Iterable[SyntaxTreeNode]) -> list[Inline]:
    """The inlines of a block's children: runs merged, spaces single, none at the edges; empty when nothing is seen."""
    flat: list[Inline] = []
    for node in nodes:
        _walk(node, {}, flat)
    return _settle(flat)


def _walk(node: SyntaxTreeNode, marks: Inline, out: list[Inline]) -> None:
    match node.type:
        case "text" | "text_special":
            out.append({"v": _SPACES.sub(" ", node.content), **marks})
        case "softbreak":
            out.append({"v": " ", **marks})
        case "hardbreak":
            out.append({"br": 1})
        case "code_inline":
            out.append({"v": _SPACES.sub(" ", node.content), **marks, "c": 1})
        case "image":
            # what it shows is not ours to fetch; its alt text is part of the text
            out.append({"v": _SPACES.sub(" ", plain(collect(node.children))), **marks})
        case "link":
            _link(node, marks, out)
        case "strong" | "em" | "s":
            for child in node.children:
                _walk(child, {**marks, _MARKS[node.type]: 1}, out)
        case _:  # the `inline` wrapper itself
            for child in node.children:
                _walk(child, marks, out)


def _link(node: SyntaxTreeNode, marks: Inline, out: list[Inline]) -> None:
    inner: list[Inline] = []
    for child in node.children:
        _walk(child, marks, inner)
    url = str(node.attrs.get("href", ""))
    if not _LINK.fullmatch(url):
        out.extend(inner)  # a relative or exotic address leads nowhere in a file: its words stay
        return
    inner = [{"v": " ", **marks} if "br" in one else one for one in inner]
    label = _settle(inner) or [{"v": url, **marks}]
    # spaces at the edges belong to the sentence, not to the link
    if inner and inner[0]["v"].startswith(" "):
        out.append({"v": " ", **marks})
    out.append({"u": url, "k": label})
    if inner and inner[-1]["v"].endswith(" "):
        out.append({"v": " ", **marks})


def _same_marks(one: Inline, other: Inline) -> bool:
    return "v" in one and "v" in other and {**one, "v": ""} == {**other, "v": ""}


def _settle(inlines: Iterable[Inline]) -> list[Inline]:
    """Merges equal neighbours; spaces single, outside marks, none beside breaks or at the ends."""
    out: list[Inline] = []
    space = False
    for one in inlines:
        if "v" not in one:
            if "br" in one:
                space = False
                if out and "br" not in out[-1]:
                    out.append(one)
                continue
            if space and out and "br" not in out[-1]:
                out.append({"v": " "})
            space = False
            out.append(one)
            continue
        words = one["v"].strip() if "c" not in one else one["v"].strip(" ")
        if not words:
            space = space or bool(one["v"])
            continue
        space = space or one["v"][:1].isspace()
        if space and out and "br" not in out[-1]:
            out.append({"v": " "})
        space = one["v"][-1:].isspace()
        out.append({**one, "v": words})
    while out and "br" in out[-1]:
        out.pop()
    return _merge(out)


def _merge(inlines: list[Inline]) -> list[Inline]:
    """Joins runs with equal marks, also across the space between them."""
    out: list[Inline] = []
    for one in inlines:
        joins_over_space = len(out) >= 2 and "c" not in one and one.get("v") != " " and out[-1].get("v") == " "
        if out and _same_marks(out[-1], one) and "c" not in one:
            out[-1] = {**out[-1], "v": out[-1]["v"] + one["v"]}
        elif joins_over_space and _same_marks(out[-2], one):
            out.pop()
            out[-1] = {**out[-1], "v": out[-1]["v"] + " " + one["v"]}
        else:
            out.append(one)
    return out
