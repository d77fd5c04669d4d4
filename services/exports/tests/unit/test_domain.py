"""The rules: what is current, what fits, what a file is called, what may be forgotten."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from exports.domain import Outline, OutlineEntry, filename, fits, is_current, outdated, snapshot

A, B = uuid4(), uuid4()


def outline(*entries: tuple[UUID, int | None], revision: int = 5) -> Outline:
    return Outline(
        uuid4(), "T", revision, tuple(OutlineEntry(one, f"{at}", known) for at, (one, known) in enumerate(entries))
    )


class TestIsCurrent:
    def test_when_the_revision_is_reached_and_every_approved_text_is_here(self) -> None:
        assert is_current(outline((A, 2), (B, None)), {(A, 2): "x"}, 5)
        assert is_current(outline((A, 2), (B, None)), {(A, 2): "x"}, None)

    @pytest.mark.parametrize(("texts", "revision"), [({(A, 2): "x"}, 6), ({(A, 1): "old"}, 5), ({}, None)])
    def test_not_while_something_is_on_its_way(self, texts: dict[tuple[UUID, int], str], revision: int | None) -> None:
        assert not is_current(outline((A, 2)), texts, revision)


def test_a_snapshot_has_the_approved_sections_in_order_and_says_where_they_come_from() -> None:
    taken = snapshot(outline((B, 1), (A, None), (A, 3)), {(B, 1): "b", (A, 3): "a"}, "Org")

    assert [(one.title, one.text) for one in taken.document.sections] == [("0", "b"), ("2", "a")]
    assert [one["section_id"] for one in taken.manifest("md")["sections"]] == [str(B), str(A)]


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
