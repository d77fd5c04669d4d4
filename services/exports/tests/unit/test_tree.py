"""Markdown to the tree: tame, canonical, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

from exports.rendering.errors import RenderRefused
from exports.rendering.inlines import plain
from exports.rendering.tree import MAX_DEPTH, parse

from .examples import HOSTILE


def levels(text: str) -> list[int]:
    return [block["level"] for block in parse(text) if block["t"] == "heading"]


class TestHeadings:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("# a\n## b\n### c", [2, 3, 4]),
            ("#### a\n# b\n###### c\n## d", [2, 2, 3, 3]),
            ("# a\n###### b\n### c", [2, 3, 3]),
            ("# 1\n## 2\n### 3\n#### 4\n##### 5\n###### 6", [2, 3, 4, 5, 6, 6]),
        ],
    )
    def test_start_below_the_sections_own_and_never_skip_a_level(self, text: str, expected: list[int]) -> None:
        assert levels(text) == expected

    def test_that_say_nothing_are_left_out(self) -> None:
        assert parse("# ![](x.png)\n\ntext\n\n##") == [{"t": "para", "k": [{"v": "text"}]}]

    def test_inside_a_quote_are_no_part_of_the_outline(self) -> None:
        assert parse("> # Aside") == [{"t": "quote", "k": [{"t": "para", "k": [{"v": "Aside", "b": 1}]}]}]

    def test_a_first_one_that_repeats_the_title_is_left_out(self) -> None:
        assert parse("#  NEED \n\ntext", drop_title="Need") == parse("text")
        assert parse("# Needs\n\ntext", drop_title="Need") != parse("text")


class TestInlines:
    def test_images_become_their_alt_text(self) -> None:
        assert parse("![A *pump*](http://x/y.png) works")[0]["k"] == [{"v": "A pump works"}]

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "/relative", "data:text/html,x", "x"])
    def test_a_link_that_leads_nowhere_leaves_its_words(self, url: str) -> None:
        assert plain(parse(f"see [this]({url}) now")[0]["k"]).startswith("see ")
        assert "u" not in str([one.keys() for one in parse(f"see [this]({url})")[0]["k"]])

    def test_links_to_the_web_and_to_mailboxes_stay(self) -> None:
        assert parse("[a](https://x.org/) <mailto:a@x.org>")[0]["k"] == [
            {"u": "https://x.org/", "k": [{"v": "a"}]},
            {"v": " "},
            {"u": "mailto:a@x.org", "k": [{"v": "mailto:a@x.org"}]},
        ]

    def test_spaces_are_single_and_outside_the_marks(self) -> None:
        assert parse("a  *&#32;b*&#32;  c")[0]["k"] == parse("a *b* c")[0]["k"]

    def test_two_spellings_of_one_meaning_are_one_tree(self) -> None:
        assert parse("__a__ *b*\nc\n\n* x\n* y") == parse("**a** _b_ c\r\n\r\n- x\r\n\r\n- y")


class TestHostileText:
    def test_stays_text(self) -> None:
        text = plain(parse(HOSTILE)[0]["k"])

        for part in ('#read("/etc/passwd")', "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "<!-- c -->", "a pump"):
            assert part in text

    def test_controls_and_half_surrogates_are_dropped(self) -> None:
        assert parse("a\x07b\ud800c\ufffed")[0]["k"] == [{"v": "abcd"}]


class TestNesting:
    def test_ends_at_a_depth_that_fits_a_page_and_loses_no_text(self) -> None:
        def depth(blocks: list[dict[str, Any]]) -> int:
            return max((1 + depth(one["k"]) for one in blocks if one["t"] == "quote"), default=0)

        tree = parse("> " * 40 + "text")

        assert depth(tree) == MAX_DEPTH
        assert "'text'" in str(tree)

    def test_beyond_sense_is_refused(self) -> None:
        with pytest.raises(RenderRefused, match="hundreds of levels"):
            parse("> " * 3000 + "text")
