"""The tree as Markdown, in one spelling: text comes out as text, escaped where a reader would stumble."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from exports.rendering.chapters import chapters
from exports.rendering.document import Document
from exports.rendering.glyphs import clean
from exports.rendering.inlines import Inline
from exports.rendering.tree import Block, parse
from exports.rendering.versions import TEMPLATE_VERSION

_ESCAPED = re.compile(r"[\\`*<\[\]]|~(?=~)|&(?=#?\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START = re.compile(r"#{1,6}(?!\S)|[+-](?!\S)|-(?=-)|=+\s*$|>|~~~|\||:-|\d{1,9}(?=[.)](?!\S))")
_TICKS = re.compile(r"`+")
_MARKS: Final = (("b", "**"), ("i", "*"), ("s", "~~"))


def render(document: Document) -> bytes:
    """The whole document: the title as the one first-level heading, then each section under its own; as a comment at
    the end what it was made of."""
    parts = [f"# {_line(document.title)}", f"*{_line(document.org_name)}*"]
    for title, blocks in chapters(document):
        parts.append(f"## {_line(title)}")
        parts.append(write([_below(block) for block in blocks]))
    parts.append(f"<!-- template {TEMPLATE_VERSION}, content {document.content_key('md')} -->")
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def _below(block: Block) -> Block:
    """A heading stands under its section's, and that under the title's."""
    return block | {"level": min(block["level"] + 1, 6)} if block["t"] == "heading" else block


def write(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown that `parse` reads back as the same tree.

    Emphasis that starts or ends inside a word has no safe spelling in Markdown; a block that would be read back
    differently is written without its marks.
    """
    out: list[str] = []
    for block in _with_markers(blocks):
        text = _block(block, marks=True)
        if _strip(parse(text)) != _strip([block]):
            text = _block(block, marks=False)
        out.append(text)
    return "\n\n".join(out)


def _strip(blocks: Sequence[Block]) -> list[Block]:
    """For comparing: without the heading level, which depends on neighbours, and our own marker hints."""
    return [{name: value for name, value in block.items() if name not in ("level", "marker")} for block in blocks]


def _line(text: str) -> str:
    return _escape_start(_escape(" ".join(clean(text).split())))


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\\" + match[0], text)


def _escape_start(text: str) -> str:
    """Escapes what would be a heading, list item or rule at the start of a line; `text` is escaped already."""
    match = _LINE_START.match(text)
    if not match:
        return text
    return f"{match[0]}\\{text[match.end() :]}" if match[0].isdigit() else "\\" + text


def _with_markers(blocks: Sequence[Block]) -> Iterator[Block]:
    """Two lists in a row would be read as one: they take turns with their markers."""
    previous: Block | None = None
    for block in blocks:
        if block["t"] == "list":
            follows = previous is not None and previous["t"] == "list"
            block = block | {"marker": not previous["marker"] if follows and previous else False}
        previous = block
        yield block


def _blocks(blocks: Sequence[Block], marks: bool, joint: str = "\n\n") -> str:
    return joint.join(_block(block, marks) for block in _with_markers(blocks))


def _block(block: Block, marks: bool) -> str:
    match block["t"]:
        case "para":
            return _inlines(block["k"], marks)
        case "heading":
            text = _inlines([{"v": " "} if "br" in one else one for one in block["k"]], marks)
            return f"{'#' * block['level']} {text[:-1]}\\#" if text.endswith("#") else f"{'#' * block['level']} {text}"
        case "rule":
            return "___"  # the one spelling that no list marker can be mistaken for
        case "code":
            fence = _fence(block["v"], 3)
            return f"{fence}{block['lang']}\n{block['v']}\n{fence}"
        case "quote":
            return _prefixed(_blocks(block["k"], marks), "> ", "> ")
        case "list":
            return _list(block, marks)
        case "table":
            return _table(block, marks)
    raise AssertionError(block["t"])


def _fence(text: str, least: int) -> str:
    return "`" * max(least, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))


def _prefixed(text: str, first: str, rest: str) -> str:
    head, *tail = text.split("\n")
    return "\n".join([first + head, *(rest + line if line else rest.rstrip() for line in tail)])


def _list(block: Block, marks: bool) -> str:
    items = []
    for at, item in enumerate(block["items"]):
        if block["start"] is None:
            marker = "* " if block["marker"] else "- "
        else:
            marker = f"{block['start'] + at}{')' if block['marker'] else '.'} "
        joint = "\n" if block["tight"] else "\n\n"
        items.append(_prefixed(_blocks(item, marks, joint), marker, " " * len(marker)))
    return ("\n" if block["tight"] else "\n\n").join(items)


def _table(block: Block, marks: bool) -> str:
    rule = {"left": ":---", "center": ":---:", "right": "---:"}
    lines = [[_inlines(cell, marks).replace("|", "\\|") for cell in row] for row in (block["head"], *block["rows"])]
    lines.insert(1, [rule[align] for align in block["align"]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _inlines(inlines: Sequence[Inline], marks: bool) -> str:
    lines: list[str] = []
    for breaks, run in groupby(inlines, key=lambda one: "br" in one):
        if not breaks:
            lines.append(_escape_start(_runs(list(run), marks)))
    return "\\\n".join(lines)


def _runs(inlines: Sequence[Inline], marks: bool, depth: int = 0) -> str:
    """Groups neighbours that share a mark and wraps them, the widest mark outside."""
    out = ""
    if depth == len(_MARKS) or not marks:
        for one in inlines:
            text = _run(one, marks)
            # an exclamation mark before a link would make it an image
            out = f"{out[:-1]}\\!{text}" if "u" in one and out.endswith("!") else out + text
        return out
    mark, sign = _MARKS[depth]
    for marked, group in groupby(inlines, key=lambda one: _has(one, mark)):
        text = _runs(list(group), marks, depth + 1)
        out += f"{sign}{text}{sign}" if marked else text
    return out


def _has(one: Inline, mark: str) -> bool:
    return all(mark in inner for inner in one["k"]) if "u" in one else mark in one


def _run(one: Inline, marks: bool) -> str:
    if "u" in one:
        url = re.sub(r"[()<>|\\`*\[\]]", lambda match: f"%{ord(match[0]):02X}", one["u"])
        outside = [mark for mark, _ in _MARKS if _has(one, mark)]
        inner = [{name: value for name, value in run.items() if name not in outside} for run in one["k"]]
        return f"[{_runs(inner, marks)}]({url})"
    if "c" in one:
        ticks = _fence(one["v"], 1)
        pad = " " if one["v"].startswith("`") or one["v"].endswith("`") else ""
        return f"{ticks}{pad}{one['v']}{pad}{ticks}"
    return _escape(one["v"])
