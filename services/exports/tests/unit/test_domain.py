"""The rules: what is current, what fits, what a file is called, what may be forgotten."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from contracts.exports import Format
from exports.domain import (
    ApprovedText,
    Outline,
    OutlineEntry,
    Wish,
    disclosure,
    filename,
    fits,
    is_current,
    outdated,
    snapshot,
    within,
)
from exports.rendering.document import Disclosure, Document
from exports.rendering.layout import Layout

A, B = uuid4(), uuid4()
X = ApprovedText("x")
FORMATS: tuple[Format, ...] = ("pdf", "docx", "md")


def outline(*entries: tuple[UUID, int | None], revision: int = 5) -> Outline:
    return Outline(
        uuid4(), "T", revision, tuple(OutlineEntry(one, f"{at}", known) for at, (one, known) in enumerate(entries))
    )


class TestIsCurrent:
    def test_when_the_revision_is_reached_and_every_approved_text_is_here(self) -> None:
        assert is_current(outline((A, 2), (B, None)), {(A, 2): X}, 5)
        assert is_current(outline((A, 2), (B, None)), {(A, 2): X}, None)

    @pytest.mark.parametrize(("texts", "revision"), [({(A, 2): X}, 6), ({(A, 1): X}, 5), ({}, None)])
    def test_not_while_something_is_on_its_way(
        self, texts: dict[tuple[UUID, int], ApprovedText], revision: int | None
    ) -> None:
        assert not is_current(outline((A, 2)), texts, revision)


def test_a_snapshot_has_the_approved_sections_in_order_and_says_where_they_come_from() -> None:
    texts = {(B, 1): ApprovedText("b"), (A, 3): ApprovedText("a")}
    taken = snapshot(outline((B, 1), (A, None), (A, 3)), texts, "Org", Wish("md"))

    assert [(one.title, one.text) for one in taken.document.sections] == [("0", "b"), ("2", "a")]
    assert [one["section_id"] for one in taken.manifest()["sections"]] == [str(B), str(A)]


class TestSnapshotOfAWish:
    LAYOUT = Layout(font="arial", size_pt=11)

    def document(self, wish: Wish) -> Document:
        return snapshot(outline((A, 1)), {(A, 1): X}, "Org", wish, "f" * 64).document

    def test_sets_a_pdf_and_a_word_file_as_the_layout_says_and_leaves_markdown_alone(self) -> None:
        layouts = [self.document(Wish(one, self.LAYOUT)).layout for one in FORMATS]

        assert layouts == [self.LAYOUT, self.LAYOUT, Layout()]

    def test_takes_the_orgs_template_for_word_unless_ours_is_asked_for(self) -> None:
        wishes = [Wish("docx"), Wish("docx", own_template=False), Wish("pdf")]

        assert [self.document(one).template_sha256 for one in wishes] == ["f" * 64, None, None]

    def test_can_be_wished_again_from_its_manifest(self) -> None:
        wish = Wish("pdf", self.LAYOUT, page_limit=10, ai_disclosure=True, own_template=False)

        assert Wish.of("pdf", snapshot(outline((A, 1)), {(A, 1): X}, "Org", wish).manifest()["options"]) == wish


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (None, Disclosure("unknown")),
        ([], Disclosure("human")),
        (["person", "person"], Disclosure("human")),
        (["model", "model"], Disclosure("ai", ("m",), (2, 2))),
        (["model", "person"], Disclosure("mixed", ("m",), (1, 2))),
        (["both"], Disclosure("mixed", ("m",), (1, 1))),
    ],
)
def test_disclosure(by: list[str] | None, expected: Disclosure) -> None:
    origins = None if by is None else [{"by": one, "model": None if one == "person" else "m"} for one in by]

    assert disclosure(origins) == expected


@pytest.mark.parametrize(
    ("pages", "limit", "expected"), [(10, 10, True), (11, 10, False), (None, 10, None), (10, None, None)]
)
def test_within(pages: int | None, limit: int | None, expected: bool | None) -> None:
    assert within(pages, limit) is expected


@pytest.mark.parametrize(
    ("size", "used", "cap", "expected"),
    [(10, 90, 100, True), (11, 90, 100, False), (0, 99, 100, True), (0, 100, 100, False), (10**12, 0, None, True)],
)
def test_fits(size: int, used: int, cap: int | None, expected: bool) -> None:
    assert fits(size, used=used, cap=cap) is expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Clean water", "Clean water.pdf"),
        ('a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("\r\nSet-Cookie: x", "Set-Cookie x.pdf"),
        ("...", "proposal.pdf"),
        ("净水", "净水.pdf"),
        ("x" * 300, "x" * 100 + ".pdf"),
    ],
)
def test_filename(title: str, expected: str) -> None:
    assert filename(title, "pdf") == expected


class TestOutdated:
    def test_older_texts_and_those_of_removed_sections_go_and_newer_ones_stay(self) -> None:
        gone, fresh = uuid4(), uuid4()
        before = [OutlineEntry(A, "", 1), OutlineEntry(gone, "", 1)]
        now = [OutlineEntry(A, "", 2), OutlineEntry(B, "", None)]
        held = [(A, 1), (A, 2), (A, 3), (B, 1), (gone, 1), (fresh, 1)]

        assert outdated(before, now, held) == [(A, 1), (gone, 1)]
