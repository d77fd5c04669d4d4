"""Markdown to the tree that all three writers share.

The tree is canonical: what two spellings of Markdown mean alike looks alike here. It is plain JSON data, so that the
PDF template can take it as it is, and it is tame: headings step by one, nesting ends, images have become their alt
text, HTML has stayed text, links lead to the web or a mailbox.

    block  = {"t": "heading", "level": 2..6, "k": [inline]}  {"t": "para", "k": [inline]}  {"t": "rule"}
             {"t": "code", "v": str, "lang": str}  {"t": "quote", "k": [block]}
             {"t": "list", "start": int | None, "tight": bool, "items": [[block]]}
             {"t": "table", "align": ["left" | "center" | "right"], "head": [[inline]], "rows": [[[inline]]]}
    inline = {"v": str, "b"?: 1, "i"?: 1, "s"?: 1, "c"?: 1}  {"br": 1}  {"u": str, "k": [inline]}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from exports.rendering.errors import RenderRefused
from exports.rendering.glyphs import clean
from exports.rendering.inlines import Inline, collect, plain

Block = dict[str, Any]

MAX_DEPTH: Final = 6
"""Quotes and lists nested deeper are shown at this depth: no page is wide enough for more."""
MAX_NESTING: Final = 1000
"""Of the parser. It leaves out what is deeper without a word, so reaching it refuses the document."""
_TOO_DEEP: Final = "A section nests quotes or lists hundreds of levels deep."
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING, "html": False, "typographer": False})
    return parser.enable(["table", "strikethrough"])


def parse(text: str, *, drop_title: str | None = None) -> list[Block]:
    """The tree of a section's Markdown; RenderRefused when it is nested beyond sense.

    `drop_title`: leave out a first heading that only repeats the section's title.
    """
    try:
        tokens = _parser().parse(clean(text))
        if any(token.level >= MAX_NESTING - 2 for token in tokens):
            raise RenderRefused(_TOO_DEEP)
        blocks = _blocks(SyntaxTreeNode(tokens).children, depth=0)
    except RecursionError:
        raise RenderRefused(_TOO_DEEP) from None
    if drop_title and blocks and blocks[0]["t"] == "heading" and _same(plain(blocks[0]["k"]), drop_title):
        blocks = blocks[1:]
    return _step_headings(blocks)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _blocks(nodes: Iterable[SyntaxTreeNode], depth: int) -> list[Block]:
    out: list[Block] = []
    for node in nodes:
        out.extend(_block(node, depth))
    return out


def _block(node: SyntaxTreeNode, depth: int) -> list[Block]:
    """The block that a node means: none when it is empty, several when it lies too deep to be a container."""
    match node.type:
        case "paragraph":
            return _filled("para", node)
        case "heading":
            if depth:  # a heading inside a quote or a list is no part of the document's outline
                return [{"t": "para", "k": [_bold(one) for one in block["k"]]} for block in _filled("para", node)]
            return [block | {"level": int(node.tag[1])} for block in _filled("heading", node)]
        case "blockquote":
            inner = _blocks(node.children, depth + 1)
            return inner if depth >= MAX_DEPTH or not inner else [{"t": "quote", "k": inner}]
        case "bullet_list" | "ordered_list":
            return _list(node, depth)
        case "fence" | "code_block":
            language = _LANGUAGE.match(node.info.strip()) if node.info else None
            return [
                {"t": "code", "v": node.content.rstrip("\n").expandtabs(4), "lang": language[0] if language else ""}
            ]
        case "hr":
            return [{"t": "rule"}]
        case "table":
            return _table(node)
        case other:
            raise AssertionError(f"the parser made a {other}, which no rule that is enabled makes")


def _filled(kind: str, node: SyntaxTreeNode) -> list[Block]:
    content = collect(node.children)
    return [{"t": kind, "k": content}] if content else []


def _bold(inline: Inline) -> Inline:
    if "u" in inline:
        return inline | {"k": [_bold(one) for one in inline["k"]]}
    return inline if "br" in inline or "c" in inline else inline | {"b": 1}


def _list(node: SyntaxTreeNode, depth: int) -> list[Block]:
    items = [item for child in node.children if (item := _blocks(child.children, depth + 1))]
    if depth >= MAX_DEPTH or not items:
        return [block for item in items for block in item]
    tight = all(_is_line(block) if at == 0 else _is_sublist(block) for item in items for at, block in enumerate(item))
    start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    if start is not None and start + len(items) > 999_999_999:
        start = 1  # the last numbers would have too many digits to be a list
    return [{"t": "list", "start": start, "tight": tight, "items": items}]


def _is_line(block: Block) -> bool:
    return bool(block["t"] == "para")


def _is_sublist(block: Block) -> bool:
    """A list that may follow a line without a gap; one that starts at another number than 1 may not."""
    return block["t"] == "list" and block["start"] in (None, 1)


def _table(node: SyntaxTreeNode) -> list[Block]:
    rows = [row for part in node.children for row in part.children]
    align = [str(cell.attrs.get("style", "text-align:left")).removeprefix("text-align:") for cell in rows[0].children]
    head, *body = [[collect(cell.children) for cell in row.children] for row in rows]
    return [{"t": "table", "align": align, "head": head, "rows": body}]


def _step_headings(blocks: list[Block]) -> list[Block]:
    """Headings renumbered to start at 2, under the section's own, and never to skip a level on the way down."""
    open_levels: list[int] = []
    out: list[Block] = []
    for block in blocks:
        if block["t"] == "heading":
            while open_levels and open_levels[-1] >= block["level"]:
                open_levels.pop()
            open_levels.append(block["level"])
            block = block | {"level": min(1 + len(open_levels), 6)}
        out.append(block)
    return out
