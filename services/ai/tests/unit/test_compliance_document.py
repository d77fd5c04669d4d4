"""The matrix as a Word document: a real table, and bytes that depend on its content alone."""

from __future__ import annotations

import io
import time
from uuid import UUID

import docx
from docx.oxml.ns import qn

from ai.compliance.document import HEADINGS, as_docx
from ai.compliance.schemas import ComplianceOut


def matrix(words: str = "Describe the community.") -> ComplianceOut:
    return ComplianceOut.model_validate(
        {
            "proposal_id": UUID(int=1),
            "planned": True,
            "counts": {"uncovered": 0, "open": 0, "drafted": 1, "approved": 0, "over_limit": 0},
            "requirements": [
                {
                    "id": UUID(int=2),
                    "kind": "content",
                    "words": words,
                    "place": {"page": 3, "start": 0, "end": 9},
                    "weight": 30,
                    "limit": {"value": 1200, "unit": "words"},
                    "sections": [{"id": UUID(int=3), "title": "Need", "status": "draft"}],
                    "state": "drafted",
                    "mapped_by_hand": False,
                }
            ],
        }
    )


class TestDocument:
    def test_it_is_a_table_whose_head_is_repeated(self) -> None:
        word = docx.Document(io.BytesIO(as_docx("Clean water", matrix())))
        (table,) = word.tables
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        assert rows == [
            [name for name, _ in HEADINGS],
            ["Describe the community.", "Content", "3", "at most 1,200 words\n30 points", "Need (draft)", "Drafted"],
        ]
        marks: list[set[str]] = [{child.tag for child in row._tr.get_or_add_trPr()} for row in table.rows]
        assert [qn("w:tblHeader") in found for found in marks] == [True, False]
        assert all(qn("w:cantSplit") in found for found in marks)
        assert word.paragraphs[0].style is not None
        assert word.paragraphs[0].style.name == "Heading 1"

    def test_the_same_matrix_gives_the_same_bytes_at_any_time(self) -> None:
        first = as_docx("Clean water", matrix())
        time.sleep(2.1)  # a zip counts in steps of two seconds
        assert as_docx("Clean water", matrix()) == first
        assert as_docx("Clean water", matrix("Another.")) != first

    def test_it_names_nobody_and_no_program(self) -> None:
        properties = docx.Document(io.BytesIO(as_docx("T", matrix()))).core_properties
        assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
        assert properties.created == properties.modified
        assert properties.created.year == 2000

    def test_what_xml_cannot_hold_is_left_out(self) -> None:
        word = docx.Document(io.BytesIO(as_docx("A\x00\ud800title", matrix("Form\x0b feed <w:t>\ufffe & more"))))
        assert word.paragraphs[0].text == "Atitle"
        assert word.tables[0].rows[1].cells[0].text == "Form feed <w:t> & more"
