"""The blocks of the tree as paragraphs and tables of a Word document's body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from exports.rendering.docx_layout import text_width
from exports.rendering.docx_xml import Element, el, text_run
from exports.rendering.glyphs import is_right_to_left
from exports.rendering.inlines import Inline, column_weights, plain

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

    from exports.rendering.tree import Block

_INDENT: Final = 340
"""Twentieths of a point that a list level or a quote moves its content in; as in the template's numbering.xml."""
_NUMBERS_ABSTRACT: Final = "3"


class Body:
    """Appends to the body of `word`, before its closing section properties."""

    def __init__(self, word: WordDocument) -> None:
        self._part: Any = word.part
        self._root: Element = self._part.element.body
        self._end: Element = self._root.sectPr
        self._numbering: Element = self._part.numbering_part.element
        self._bookmarks = 0
        self._numbers = max(one.numId for one in self._numbering.num_lst)
        self._text_width = text_width(word)

    def paragraph(self, style: str, inlines: Sequence[Inline], *properties: Element) -> Element:
        """Appends a paragraph in the style and returns it."""
        paragraph = el("w:p", {}, _properties(style, properties, plain(inlines)))
        self._fill(paragraph, inlines)
        self._end.addprevious(paragraph)
        return paragraph

    def heading(self, level: int, inlines: Sequence[Inline], bookmark: str | None, *, new_page: bool = False) -> None:
        """Appends a heading; `bookmark` is where its line in the contents leads."""
        directed = [el("w:bidi")] if is_right_to_left(plain(inlines)) else []
        paragraph = self.paragraph(f"Heading{level}", [], *([el("w:pageBreakBefore")] if new_page else []), *directed)
        if bookmark is None:
            self._fill(paragraph, inlines)
            return
        self._bookmarks += 1
        paragraph.append(el("w:bookmarkStart", {"w:id": f"{self._bookmarks}", "w:name": bookmark}))
        self._fill(paragraph, inlines)
        paragraph.append(el("w:bookmarkEnd", {"w:id": f"{self._bookmarks}"}))

    def block(
        self, block: Block, *, bookmark: str | None = None, left: int = 0, depth: int = 0, quoted: bool = False
    ) -> None:
        """Appends a block. `left` is how far it is moved in, `depth` how many lists it lies in."""
        moved = [el("w:ind", {"w:left": f"{left}"})] if left else []
        match block["t"]:
            case "para":
                style = "Quote" if quoted else "ListParagraph" if depth else "Normal"
                self.paragraph(style, block["k"], *moved)
            case "heading":
                self.heading(block["level"], block["k"], bookmark)
            case "rule":
                self.paragraph("Rule", [], *moved)
            case "code":
                self._code(block["v"], left)
            case "quote":
                for inner in block["k"]:
                    self.block(inner, left=left + _INDENT, depth=depth, quoted=True)
            case "list":
                self._list(block, left, depth, quoted)
            case "table":
                self._table(block, left)

    def _fill(self, paragraph: Element, inlines: Sequence[Inline]) -> None:
        for one in inlines:
            if "br" in one:
                paragraph.append(el("w:r", {}, el("w:br")))
            elif "u" in one:
                target = self._part.relate_to(one["u"], RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
                link = el("w:hyperlink", {"r:id": target, "w:history": "1"})
                for inner in one["k"]:
                    link.append(_run(inner, linked=True))
                paragraph.append(link)
            else:
                paragraph.append(_run(one))

    def _code(self, text: str, left: int) -> None:
        moved = [el("w:ind", {"w:left": f"{left + 140}", "w:right": "140"})] if left else []
        paragraph = self.paragraph("Code", [], *moved)
        for at, line in enumerate(text.split("\n")):
            if at:
                paragraph.append(el("w:r", {}, el("w:br")))
            paragraph.append(text_run(line))

    def _list(self, block: Block, left: int, depth: int, quoted: bool) -> None:
        ordered = block["start"] is not None
        style = "ListNumber" if ordered else "ListBullet"
        number = self._new_numbering(block["start"], depth) if ordered else "2"
        hanging = 397 if ordered else 284
        content = left + (57 if ordered else 0) + _INDENT
        for item in block["items"]:
            first, *rest = item
            marked = [el("w:numPr", {}, el("w:ilvl", {"w:val": f"{min(depth, 8)}"}), el("w:numId", {"w:val": number}))]
            if block["tight"]:
                marked.append(el("w:spacing", {"w:after": "60"}))
            marked.append(el("w:ind", {"w:left": f"{content}", "w:hanging": f"{hanging}"}))
            if first["t"] == "para":
                self.paragraph(style, first["k"], *marked)
            else:  # a marker needs a paragraph to stand in
                self.paragraph(style, [], *marked)
                rest = item
            for inner in rest:
                self.block(inner, left=content, depth=depth + 1, quoted=quoted)

    def _new_numbering(self, start: int, depth: int) -> str:
        """Every numbered list counts for itself: a `w:num` that starts its level anew."""
        self._numbers += 1
        number = f"{self._numbers}"
        override = el("w:lvlOverride", {"w:ilvl": f"{min(depth, 8)}"}, el("w:startOverride", {"w:val": f"{start}"}))
        self._numbering.append(
            el("w:num", {"w:numId": number}, el("w:abstractNumId", {"w:val": _NUMBERS_ABSTRACT}), override)
        )
        return number

    def _table(self, block: Block, left: int) -> None:
        weights = column_weights([block["head"], *block["rows"]])
        widths = [(self._text_width - left) * weight // sum(weights) for weight in weights]
        properties = el(
            "w:tblPr",
            {},
            el("w:tblStyle", {"w:val": "ProposalTable"}),
            *([el("w:bidiVisual")] if is_right_to_left(" ".join(plain(cell) for cell in block["head"])) else []),
            el("w:tblW", {"w:w": f"{sum(widths)}", "w:type": "dxa"}),
            *([el("w:tblInd", {"w:w": f"{left}", "w:type": "dxa"})] if left else []),
            el("w:tblLayout", {"w:type": "fixed"}),
            el("w:tblLook", {"w:val": "0020", "w:firstRow": "1", "w:noHBand": "1", "w:noVBand": "1"}),
        )
        grid = el("w:tblGrid", {}, *(el("w:gridCol", {"w:w": f"{width}"}) for width in widths))
        table = el("w:tbl", {}, properties, grid)
        for at, row in enumerate([block["head"], *block["rows"]]):
            kind = [el("w:cantSplit"), *([el("w:tblHeader")] if at == 0 else [])]
            line = el("w:tr", {}, el("w:trPr", {}, *kind))
            for cell, width, align in zip(row, widths, block["align"], strict=True):
                justify = [el("w:jc", {"w:val": align})] if align != "left" else []
                paragraph = el("w:p", {}, _properties("TableText", justify, plain(cell)))
                self._fill(paragraph, cell)
                line.append(
                    el("w:tc", {}, el("w:tcPr", {}, el("w:tcW", {"w:w": f"{width}", "w:type": "dxa"})), paragraph)
                )
            table.append(line)
        self._end.addprevious(table)
        self.paragraph("AfterTable", [])  # Word joins two tables that touch


_ORDER: Final = ("w:pageBreakBefore", "w:numPr", "w:bidi", "w:spacing", "w:ind", "w:jc")
"""Of a paragraph's properties behind its style; Word refuses another."""


def _properties(style: str, properties: Sequence[Element], text: str) -> Element:
    """A paragraph's properties; one that reads from the right says so, and its indents follow."""
    found = list(properties)
    if is_right_to_left(text):
        found.append(el("w:bidi"))
    order = {qn(tag): at for at, tag in enumerate(_ORDER)}
    found.sort(key=lambda one: order[one.tag])
    return el("w:pPr", {}, el("w:pStyle", {"w:val": style}), *found)


def _run(one: Inline, *, linked: bool = False) -> Element:
    properties: list[Element] = []
    if linked:
        properties.append(el("w:rStyle", {"w:val": "Hyperlink"}))
    elif "c" in one:
        properties.append(el("w:rStyle", {"w:val": "CodeInline"}))
    for mark, tag in (("b", "w:b"), ("i", "w:i"), ("s", "w:strike")):
        if mark in one:
            properties.append(el(tag))
            if mark != "s":
                properties.append(el(f"{tag}Cs"))  # the same for Arabic and Hebrew letters
    if is_right_to_left(one["v"]):
        properties.append(el("w:rtl"))
    return text_run(one["v"], *properties)
