"""A funder's layout on a Word document: its page, and the styles that everything else is based on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from exports.rendering.docx_xml import Element, el
from exports.rendering.layout import PAPERS, WORD_FONTS, Layout

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_TWIPS_PER_EMU: Final = 635
_SINGLE_LINE: Final = 240
_LARGEST_TABLE_TEXT_STEP: Final = 1
"""Points that the text of a table is smaller than the text around it."""


def text_width(word: WordDocument) -> int:
    """Of the page between its margins, in twentieths of a point."""
    section: Any = word.sections[0]
    return int((section.page_width - section.left_margin - section.right_margin) // _TWIPS_PER_EMU)


def apply_layout(word: WordDocument, layout: Layout) -> None:
    """Sets what the layout sets; the rest stays as the template has it."""
    section = word.sections[0]
    if layout.paper:
        width, height = PAPERS[layout.paper]
        section.page_width, section.page_height = Mm(width), Mm(height)
    if layout.margin_mm:
        margin = Mm(layout.margin_mm)
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = margin
    styles: Any = word.styles
    normal: Any = styles["Normal"]
    if layout.font:
        for style in (normal, *(one for one in styles if _names_a_font(one))):
            _set_font(style.element.get_or_add_rPr(), WORD_FONTS[layout.font])
    if layout.size_pt:
        normal.font.size = Pt(layout.size_pt)
        _same_for_other_scripts(normal.element.rPr)
        styles["Table Text"].font.size = Pt(layout.size_pt - _LARGEST_TABLE_TEXT_STEP)
        _same_for_other_scripts(styles["Table Text"].element.rPr)
    if layout.line_spacing:
        normal.paragraph_format.line_spacing = layout.line_spacing
    if layout.language:
        properties = normal.element.get_or_add_rPr()
        for old in properties.findall(qn("w:lang")):
            properties.remove(old)
        properties.append(el("w:lang", {"w:val": layout.language}))
    if layout.paper or layout.margin_mm:
        _move_tabs(word)


def _names_a_font(style: Any) -> bool:
    """Any style but the monospaced ones, which stay so."""
    fonts = style.element.find(qn("w:rPr") + "/" + qn("w:rFonts"))
    return fonts is not None and style.style_id not in ("Code", "CodeInline")


def _set_font(properties: Element, name: str) -> None:
    fonts = properties.find(qn("w:rFonts"))
    if fonts is not None:
        properties.remove(fonts)
    names = {f"w:{slot}": name for slot in ("ascii", "hAnsi", "eastAsia", "cs")}
    properties.insert(0, el("w:rFonts", names))


def _same_for_other_scripts(properties: Element) -> None:
    size = properties.find(qn("w:sz"))
    for old in properties.findall(qn("w:szCs")):
        properties.remove(old)
    size.addnext(el("w:szCs", {"w:val": size.get(qn("w:val"))}))


def _move_tabs(word: WordDocument) -> None:
    """The right-hand tab of our header and footer stands at the margin, wherever that is now."""
    styles: Any = word.styles
    for name in ("Header", "Footer"):
        style = styles[name] if name in [one.name for one in styles] else None
        if style is None:
            continue
        for tab in style.element.iter(qn("w:tab")):
            if tab.get(qn("w:val")) == "right":
                tab.set(qn("w:pos"), f"{text_width(word)}")
