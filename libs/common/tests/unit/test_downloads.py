"""HTTP's rules for handing out a file."""

from __future__ import annotations

import pytest

from common.downloads import byte_range, content_disposition, is_unchanged
from common.errors import UnsatisfiableRange

TAG = '"abc"'


class TestByteRange:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("bytes=0-0", (0, 1)),
            ("bytes=5-", (5, 10)),
            ("bytes=-3", (7, 10)),
            ("bytes=-99", (0, 10)),
            ("bytes=2-99", (2, 10)),
            (None, None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=5-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=1-2", None),
            ("bytes=a-b", None),
        ],
    )
    def test_is_one_range_or_the_whole(self, header: str | None, expected: tuple[int, int] | None) -> None:
        assert byte_range(header, None, TAG, 10) == expected

    @pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
    def test_behind_the_end_is_refused(self, header: str) -> None:
        with pytest.raises(UnsatisfiableRange):
            byte_range(header, None, TAG, 10)

    def test_counts_only_for_the_version_that_the_client_has(self) -> None:
        assert byte_range("bytes=0-1", TAG, TAG, 10) == (0, 2)
        assert byte_range("bytes=0-1", '"other"', TAG, 10) is None
        assert byte_range("bytes=0-1", "Wed, 21 Oct 2026 07:28:00 GMT", TAG, 10) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), (TAG, True), (f"W/{TAG}", True), ('"x", "abc"', True), ("*", True), ('"x"', False)],
)
def test_is_unchanged(header: str | None, expected: bool) -> None:
    assert is_unchanged(header, TAG) is expected


@pytest.mark.parametrize(
    ("name", "plain", "extended"),
    [
        ("Plan.pdf", "Plan.pdf", "Plan.pdf"),
        ("Über uns.pdf", "Uber uns.pdf", "%C3%9Cber%20uns.pdf"),
        ("净水.docx", "file.docx", "%E5%87%80%E6%B0%B4.docx"),
        ('a"b\r\n.md', "ab.md", "a%22b%0D%0A.md"),
    ],
)
def test_content_disposition(name: str, plain: str, extended: str) -> None:
    assert content_disposition(name) == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}"
