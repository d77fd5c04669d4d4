"""PDF and DOCX: valid, accessible, tame, and never defeated by a text."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import docx
import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # it has none
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.canonical_zip import FIRST
from exports.rendering import docx as docx_writer
from exports.rendering import markdown
from exports.rendering import pdf as pdf_writer
from exports.rendering.document import Disclosure, Document, Section
from exports.rendering.errors import RenderRefused
from exports.rendering.fonts import BASE, FACES, needed, ranges
from exports.rendering.glyphs import missing, settable
from exports.rendering.layout import WORD_FONTS, Layout
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
        yield lambda document: pool.submit(pdf_writer.render, document).result(timeout=60).data


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
            "## \u200d\n\n## \u0301\n\n## \ufeff \u202e\n\n### `\u200b`",
            "| [head](https://example.org) |\n|-|" + "\n| row |" * 100,
        ],
        ids=[
            "wide table",
            "long table",
            "long word",
            "long code",
            "deep list",
            "long link",
            "marks",
            "big number",
            "headings that show nothing",
            "link in a head",
        ],
    )
    def test_is_made_of_extreme_content(self, pdf: Callable[[Document], bytes], text: str) -> None:
        assert pdf(one(text)).startswith(b"%PDF")

    def test_every_character_that_counts_as_known_has_a_glyph(self, pdf: Callable[[Document], bytes]) -> None:
        known = [chr(point) for first, last in zip(*ranges(BASE), strict=True) for point in (first, last)]

        assert all(settable(character) == character for character in known)
        assert pdf(one(" ".join(f"a{character}b" for character in known))).startswith(b"%PDF")

    @pytest.mark.parametrize("family", [face.family for face in FACES])
    def test_every_face_sets_the_edges_of_its_ranges(self, pdf: Callable[[Document], bytes], family: str) -> None:
        edges = [chr(point) for first, last in zip(*ranges(family), strict=True) for point in (first, last)]
        letters = [one for one in edges if unicodedata.category(one).startswith(("L", "S"))][:40]
        text = "\n\n".join(letters)

        assert missing(text) == {}
        assert family in {face.family for face in needed(text)} or family.endswith((" TC", " JP", " KR"))
        assert "\u25a1" not in text_of(pdf(one(text)))

    def test_unknown_characters_are_seen_to_be_missing(self) -> None:
        assert settable("a\U00012000b\ue000c\u2060\U000e0041d\u3000e") == "a\u25a1b\u25a1c\u2060d\u3000e"
        assert missing("a\U00012000b\U00012000\u0378\u200b\u25a1") == {"\U00012000": 2, "\u0378": 1}

    def test_counts_its_pages_and_reports_what_it_could_not_show(self) -> None:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            made = pool.submit(pdf_writer.render, one("Sumer \U00012000 x" + "\n\n---" * 200)).result(timeout=60)

        assert made.missing == {"\U00012000": 1}
        assert made.pages == len(pypdfium2.PdfDocument(made.data)) > 3


class TestOtherScripts:
    @pytest.mark.parametrize(
        ("text", "fonts"),
        [
            ("هذا نص عربي مع English وأرقام 123.", ["NotoSansArabic"]),
            ("שלום עולם", ["NotoSansHebrew"]),
            ("漢字かな交じり文", ["NotoSansJP"]),
            ("简体中文", ["NotoSansSC"]),
            ("한국어 漢字", ["NotoSansKR"]),
            ("हिन्दी में पाठ", ["NotoSans"]),
            ("emoji 😀 👍🏽 👨‍👩‍👧", ["NotoEmoji"]),
        ],
        ids=["arabic", "hebrew", "japanese", "chinese", "korean", "hindi", "emoji"],
    )
    def test_are_set_in_their_own_face_with_nothing_missing(
        self, pdf: Callable[[Document], bytes], text: str, fonts: list[str]
    ) -> None:
        data = pdf(one(text))

        assert missing(text) == {}
        with pikepdf.open(io.BytesIO(data)) as file:
            used = {
                str(item.get("/BaseFont", "")).split("+")[-1]
                for item in file.objects
                if isinstance(item, pikepdf.Dictionary)
            }
        assert all(any(name.startswith(font) for name in used) for font in fonts), used

    def test_from_the_right_starts_at_the_right(self, pdf: Callable[[Document], bytes]) -> None:
        def left_edge(text: str) -> float:
            page = pypdfium2.PdfDocument(pdf(one(text)))[2].get_textpage()
            at = page.get_text_range().index(text[:3])
            return float(page.get_charbox(at)[0])

        assert left_edge("שלום") > 300
        assert left_edge("Hello") < 100


class TestLayout:
    def test_of_a_pdf_sets_paper_margin_font_size_and_language(self, pdf: Callable[[Document], bytes]) -> None:
        layout = Layout(paper="letter", margin_mm=20, font="arial", size_pt=12, line_spacing=1.5, language="de-AT")
        with pikepdf.open(io.BytesIO(pdf(replace(DOCUMENT, layout=layout)))) as file:
            assert [round(float(edge)) for edge in file.pages[0].MediaBox[2:]] == [612, 792]
            assert file.Root.Lang == "de-AT"
            fonts = {str(item.get("/BaseFont", "")) for item in file.objects if isinstance(item, pikepdf.Dictionary)}
        assert any("Arimo" in font for font in fonts)

    def test_more_space_takes_more_pages_and_less_takes_fewer(self, pdf: Callable[[Document], bytes]) -> None:
        long = one("Some words that fill a line and then some more. " * 600)
        sizes = [Layout(size_pt=9, line_spacing=1.0, margin_mm=15), Layout(), Layout(size_pt=14, line_spacing=2.0)]
        pages = [len(pypdfium2.PdfDocument(pdf(replace(long, layout=layout)))) for layout in sizes]

        assert pages == sorted(set(pages))

    def test_without_cover_and_contents_the_text_begins_at_once(self, pdf: Callable[[Document], bytes]) -> None:
        data = pdf(replace(one("Text."), layout=Layout(cover=False, contents=False)))

        assert len(pypdfium2.PdfDocument(data)) == 1
        assert {"Title", "Text.", "Section"} <= set(re.split(r"[\r\n ]+", text_of(data)))

    @pytest.mark.parametrize("font", ["sans", "arial", "serif"])
    def test_of_word_sets_the_styles_that_all_are_based_on(self, font: str) -> None:
        layout = Layout(paper="letter", margin_mm=20, font=font, size_pt=12, line_spacing=1.5, language="de")
        word: Any = docx.Document(io.BytesIO(docx_writer.render(replace(DOCUMENT, layout=layout))))
        normal, section = word.styles["Normal"], word.sections[0]

        assert normal.font.name == WORD_FONTS[font]
        assert (normal.font.size.pt, normal.paragraph_format.line_spacing) == (12, 1.5)
        assert (round(section.page_width.mm), round(section.left_margin.mm)) == (216, 20)


class TestDisclosure:
    def test_says_what_a_model_drafted_in_every_format(self, pdf: Callable[[Document], bytes]) -> None:
        parts = (Disclosure("ai", ("gpt-5",), (2, 2)), Disclosure("mixed", ("local",), (1, 3)), Disclosure("human"))
        document = replace(DOCUMENT, disclosure=parts)
        word: Any = docx.Document(io.BytesIO(docx_writer.render(document)))
        cells = [cell.text for row in word.tables[-1].rows for cell in row.cells]
        texts = [text_of(pdf(document)), "\n".join(cells), markdown.render(document).decode()]

        for text in (" ".join(text.split()) for text in texts):
            assert "gpt-5" in text
            assert "Drafted by AI, edited and approved by people (1 of 3 paragraphs by AI)" in text
            assert "Written by people" in text

    def test_claims_nothing_that_was_not_recorded(self) -> None:
        unknown = replace(one("Text."), disclosure=(Disclosure("unknown"),))

        assert "was not recorded" in markdown.render(unknown).decode()
        assert "Use of artificial intelligence" not in markdown.render(one("Text.")).decode()


def text_of(data: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(data))


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
