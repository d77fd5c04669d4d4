"""The matrix as a Word document: one table, whose head is repeated on each page."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ai.compliance.schemas import ComplianceOut, RequirementOut
from common.canonical_zip import pack, unpack

if TYPE_CHECKING:
    from docx.table import Table, _Cell, _Row

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HEADINGS: Final = (
    ("Requirement", 9.6),
    ("Kind", 2.4),
    ("Page", 1.3),
    ("Limit", 2.6),
    ("Sections", 5.4),
    ("State", 3.0),
)
"""Each with its width in centimetres, on A4 across."""
STATES: Final = {
    "uncovered": "No section",
    "open": "Open",
    "drafted": "Drafted",
    "approved": "Approved",
    "over_limit": "Over the limit",
}
_ONE_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""In every document: the same matrix gives the same bytes."""
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""


def as_docx(title: str, matrix: ComplianceOut) -> bytes:
    """The matrix under the proposal's title; the same bytes for the same content."""
    import docx  # it takes a quarter of a second, which no start should wait for
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm, Pt

    word = docx.Document()
    properties = word.core_properties
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.title = _clean(title)[:255]
    properties.created = properties.modified = _ONE_MOMENT
    page = word.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Cm(29.7), Cm(21.0)
    page.left_margin = page.right_margin = Cm(2.5)
    page.top_margin = page.bottom_margin = Cm(2.0)
    word.styles["Normal"].font.size = Pt(10)
    word.add_heading(_clean(title), level=1)
    counts = ", ".join(f"{STATES[state].lower()}: {count}" for state, count in matrix.counts.items() if count)
    word.add_paragraph(f"Compliance matrix. {counts[:1].upper()}{counts[1:]}" if counts else "Compliance matrix.")
    table: Table = word.add_table(rows=1, cols=len(HEADINGS), style="Table Grid")
    table.autofit = False
    _head(table, [name for name, _ in HEADINGS])
    for requirement in matrix.requirements:
        row: _Row = table.add_row()  # type: ignore[no-untyped-call]  # python-docx has no types there
        for cell, value in zip(row.cells, _row(requirement), strict=True):
            cell.text = _clean(value)
    for row in table.rows:
        _keep_together(row._tr)
        for cell, (_, width) in zip(row.cells, HEADINGS, strict=True):
            cell.width = Cm(width)
    buffer = io.BytesIO()
    word.save(buffer)
    return pack(unpack(buffer.getvalue()))


def _row(one: RequirementOut) -> tuple[str, ...]:
    limit = f"at most {one.limit.value:,} {one.limit.unit}" if one.limit else ""
    weight = f"{one.weight} points" if one.weight is not None else ""
    sections = "\n".join(f"{section.title} ({section.status})" for section in one.sections)
    return (
        one.words,
        one.kind.capitalize(),
        str(one.place.page),
        "\n".join(filter(None, (limit, weight))),
        sections,
        STATES[one.state],
    )


def _head(table: Table, names: list[str]) -> None:
    row = table.rows[0]
    for cell, name in zip(row.cells, names, strict=True):
        cell.text = name
        cell.paragraphs[0].runs[0].bold = True
        _shade(cell)
    row._tr.get_or_add_trPr().append(_element("w:tblHeader"))


def _keep_together(row: Any) -> None:
    row.get_or_add_trPr().insert(0, _element("w:cantSplit"))


def _shade(cell: _Cell) -> None:
    shade = _element("w:shd", val="clear", color="auto", fill="E8ECF1")
    cell._tc.get_or_add_tcPr().append(shade)


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text)
