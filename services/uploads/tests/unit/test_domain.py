"""Names, room and parts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.downloads import content_disposition
from uploads import domain
from uploads.extraction import ExtractedPage


class TestDisplayName:
    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            ("Call.pdf", "Call.pdf"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("C:\\Users\\ada\\Call 2.pdf", "Call 2.pdf"),
            ("a\r\nSet-Cookie: x\0.pdf", "a Set-Cookie: x.pdf"),
            ("gpj\u202efdp.exe", "gpjfdp.exe"),
            ("Fo\u0308rderung.pdf", "Förderung.pdf"),
            ("   spaced   out .txt  ", "spaced out .txt"),
        ],
    )
    def test_only_a_plain_name_is_left(self, raw: str, shown: str) -> None:
        assert domain.display_name(raw) == shown

    def test_a_long_name_keeps_its_extension(self) -> None:
        name = domain.display_name("x" * 400 + ".docx")
        assert (len(name), name[-6:]) == (255, "x.docx")

    @given(st.text(max_size=400))
    def test_whatever_comes_in_is_safe_to_show_and_to_send(self, raw: str) -> None:
        name = domain.display_name(raw)
        assert len(name) <= 255
        assert "/" not in name
        assert "\\" not in name
        header = content_disposition(name)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2


class TestInParts:
    def test_a_short_text_is_one_part_and_none_is_one_empty_part(self) -> None:
        page = ExtractedPage(1, "text")
        assert domain.in_parts([page]) == [[page]]
        assert domain.in_parts([]) == [[]]

    def test_a_long_text_is_cut_between_pages_below_what_a_message_holds(self) -> None:
        pages = [ExtractedPage(number, "ü\n" * 50_000) for number in range(1, 8)]
        parts = domain.in_parts(pages)
        assert [page for part in parts for page in part] == pages
        assert len(parts) == 7
        assert all(len(json.dumps([page.text for page in part])) < 900_000 for part in parts)


class TestFits:
    @pytest.mark.parametrize(
        ("used", "reserved", "size", "limit", "answer"),
        [
            (0, 0, 10, 10, True),
            (1, 0, 10, 10, False),
            (0, 1, 10, 10, False),
            (9, 9, 9, None, True),
            (0, 0, 1, 0, False),
        ],
    )
    def test_what_is_under_way_counts(
        self, used: int, reserved: int, size: int, limit: int | None, answer: bool
    ) -> None:
        assert domain.fits(used=used, reserved=reserved, size=size, limit=limit) is answer
