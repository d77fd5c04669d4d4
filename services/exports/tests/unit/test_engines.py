"""PDF and DOCX: valid, accessible, tame, and never defeated by a text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import docx
import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.rendering import docx as docx_writer
from exports.rendering import pdf as pdf_writer
from exports.rendering.canonical_zip import FIRST
from exports.rendering.document import Document, Section
from exports.rendering.errors import RenderRefused
from exports.rendering.glyphs import _ranges, settable
from exports.rendering.versions import TEMPLATE_DATE

from .examples import DOCUMENT

MARKDOWN = st.text(
    st.one_of(
        st.sampled_from("ab 1*_`#>-+.)\n\n\\[]()!|:~<&;=\t$@{}/\"'"),
        st.sampled_from("\u0301\u200d\ufe0f\u202e\ufeff\u00ad漢😀א→\u25a1\u0378\ue000"),
        st.characters(),
    ),
    max_size=120,
)


@pytest.fixture(scope="module")
def pdf() -> Iterator[Callable[[Document], bytes]]:
    """Renders in a process of its own: the compiler must not live in one that forks later."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda document: pool.submit(pdf_writer.render, document).result(timeout=60)


def one(text: str, title: str = "Title") -> Document:
    return Document(title, "Org", (Section("Section", text),))


class TestPdf:
    def test_declares_its_standards_title_and_language(self, pdf: Callable[[Document], bytes]) -> None:
        with pikepdf.open(io.BytesIO(pdf(DOCUMENT))) as file:
            meta = file.open_metadata()
            assert (meta["pdfaid:part"], meta["pdfaid:conformance"], meta["pdfuaid:part"]) == ("2", "A", "1")
            assert meta["dc:title"] == "Clean water for all"
            assert file.Root.Lang == "en"
            assert file.Root.MarkInfo.Marked
            assert len(list(file.open_outline().root)) == len(DOCUMENT.sections)

    def test_shows_the_text_with_contents_and_page_numbers(self, pdf: Callable[[Document], bytes]) -> None:
        file = pypdfium2.PdfDocument(pdf(DOCUMENT))
        pages = [page.get_textpage().get_text_bounded() for page in file]

        assert "Clean water for all" in pages[0]
        assert "Northwind Water Trust" in pages[0]
        assert "Contents" in pages[1]
        assert "1.1 Evidence" in " ".join(pages[1].split())
        assert f"2 of {len(pages)}" in pages[1]
        assert '#read("/etc/passwd")' in " ".join(" ".join(pages).split())

    def test_names_no_person_id_or_moment(self, pdf: Callable[[Document], bytes]) -> None:
        with pikepdf.open(io.BytesIO(pdf(DOCUMENT))) as file:
            info = {str(name): str(value) for name, value in file.docinfo.items()}

        assert "/Author" not in info
        assert info["/CreationDate"] == info["/ModDate"] == f"D:{TEMPLATE_DATE:%Y%m%d}000000Z"

    @settings(max_examples=40, deadline=None)
    @given(MARKDOWN, MARKDOWN)
    def test_is_made_of_any_text(self, pdf: Callable[[Document], bytes], text: str, title: str) -> None:
        assert pdf(one(text, title)).startswith(b"%PDF")

    @pytest.mark.parametrize(
        "text",
        [
            "|" + "a|" * 40 + "\n|" + "-|" * 40 + ("\n|" + "1|" * 40) * 3,
            "| a |\n|-|" + "\n| row |" * 1000,
            "x" * 5000,
            "```\n" + "y" * 5000 + "\n" + "\n" * 200 + "```",
            "".join("  " * n + f"- level {n}\n" for n in range(30)),
            "[" + "long " * 300 + "](https://example.org/" + "u" * 1500 + ")",
            "e" + "\u0301" * 50,
            "999999999. last\n1. and on",
        ],
        ids=["wide table", "long table", "long word", "long code", "deep list", "long link", "marks", "big number"],
    )
    def test_is_made_of_extreme_content(self, pdf: Callable[[Document], bytes], text: str) -> None:
        assert pdf(one(text)).startswith(b"%PDF")

    def test_every_character_that_counts_as_known_has_a_glyph(self, pdf: Callable[[Document], bytes]) -> None:
        known = [chr(point) for first, last in zip(*_ranges(), strict=True) for point in (first, last)]

        assert all(settable(character) == character for character in known)
        assert pdf(one(" ".join(f"a{character}b" for character in known))).startswith(b"%PDF")

    def test_unknown_characters_are_seen_to_be_missing(self) -> None:
        assert settable("a漢b😀c\u2060\U000e0041d\u3000e") == "a\u25a1b\u25a1c\u2060d e"


class TestDocx:
    def test_has_real_styles_numbering_and_links(self) -> None:
        word: Any = docx.Document(io.BytesIO(docx_writer.render(DOCUMENT)))
        styles = {paragraph.text: paragraph.style.name for paragraph in word.paragraphs if paragraph.text}

        assert styles["Clean water for all"] == "Title"
        assert styles["Evidence"] == "Heading 2"
        assert styles["A skipped level"] == "Heading 3"
        assert styles["Pumps break."] == "List Number"
        assert styles["shallow wells first,"] == "List Bullet"
        assert styles["Head teacher"] == "Quote"
        assert [cell.text for cell in word.tables[0].rows[0].cells] == ["Village", "Households", "Share", "Comment"]
        assert "https://example.org/report?x=1&y=2" in {rel.target_ref for rel in word.part.rels.values()}
        assert styles["1.1\tEvidence"] == "toc 2"

    def test_holds_the_hostile_text_as_text(self) -> None:
        with zipfile.ZipFile(io.BytesIO(docx_writer.render(DOCUMENT))) as archive:
            body = archive.read("word/document.xml").decode()

        assert "&lt;w:fldSimple" in body
        assert set(re.findall(r"<w:instrText[^>]*>([^<]*)", body)) == {' TOC \\o "1-2" \\n \\h \\z '}

    def test_names_no_person_and_no_moment(self) -> None:
        properties = docx.Document(io.BytesIO(docx_writer.render(DOCUMENT))).core_properties

        assert (properties.author, properties.last_modified_by) == ("", "")
        assert (properties.created, properties.modified) == (None, None)
        assert properties.title == "Clean water for all"

    def test_is_a_plain_archive_that_type_detectors_know(self) -> None:
        with zipfile.ZipFile(io.BytesIO(docx_writer.render(DOCUMENT))) as archive:
            entries = archive.infolist()

        assert tuple(entry.filename for entry in entries[:3]) == FIRST
        assert {(entry.date_time, entry.compress_type) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0)}

    @settings(max_examples=60, deadline=None)
    @given(MARKDOWN, MARKDOWN)
    def test_is_made_of_any_text(self, text: str, title: str) -> None:
        docx.Document(io.BytesIO(docx_writer.render(one(text, title))))

    def test_refuses_what_nests_beyond_sense(self) -> None:
        with pytest.raises(RenderRefused):
            docx_writer.render(one("> " * 3000 + "x"))
