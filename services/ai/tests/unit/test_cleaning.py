"""Cleaning of models' texts: whatever comes, in whatever pieces, what is left calls no other server."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ai.providers.cleaning import GONE, Cleaner
from ai.providers.port import Passage, ProviderRequest

REQUEST = ProviderRequest(
    kind="write",
    section_title="Need",
    answers={"a": "See [our site](https://ours.example/x) and https://ours.example/report."},
    passages=[Passage("call", 1, "Apply at https://funder.example/apply.")],
)
pieces = st.sampled_from(
    [
        *("![", "[", "]", "](", "(", ")", "<", ">", "<img src=", "<a href='", "]: ", "\n", "\n\n", " ", "\\", "!", '"'),
        *("https://evil.example/q?x=", "//evil.example", "www.evil.example", "javascript:alert(1)", "data:text/html,x"),
        *("we dig wells", "call, p. 1", "ours", "https://ours.example/x", "`", "*"),
    ]
)
texts = st.lists(pieces, max_size=14).map("".join)


def in_pieces(text: str, cuts: list[int]) -> str:
    cleaner, at, out = Cleaner(REQUEST), 0, ""
    for cut in cuts:
        out += cleaner.add(text[at : at + cut])
        at += cut
    return out + cleaner.add(text[at:]) + cleaner.rest()


class TestCleaner:
    @settings(max_examples=400)
    @given(texts, st.lists(st.integers(1, 9), max_size=40))
    def test_nothing_active_is_left(self, text: str, cuts: list[int]) -> None:
        shown = MarkdownIt("commonmark").render(in_pieces(text, cuts))
        assert "<img" not in shown
        assert not re.search(r"//evil\.example|(?<!\w)www\.evil\.example", shown)
        assert all(
            target == "https://ours.example/x" for target in re.findall(r'href="([^"]*)"', shown) if ":" in target
        )

    @given(st.lists(st.integers(1, 9), max_size=60))
    def test_it_does_not_matter_how_it_is_cut(self, cuts: list[int]) -> None:
        text = (
            "We dig [call, p. 1]. ![x](https://evil.example/x) [a](https://evil.example) [our site](https://ours.example/x)"
            " see https://funder.example/apply, not https://funder.example/apply?q=wells. [To complete: x] 5 < 6."
        )
        assert in_pieces(text, cuts) == (
            "We dig [call, p. 1]. x a [our site](https://ours.example/x)"
            f" see https://funder.example/apply, not {GONE}. [To complete: x] 5 < 6."
        )

    @given(st.text(alphabet="abc .,\n-*0123456789", max_size=80))
    def test_ordinary_text_is_left_alone_and_not_held(self, text: str) -> None:
        assert Cleaner(REQUEST).clean(text) == text

    def test_the_first_words_are_not_held(self) -> None:
        assert Cleaner(REQUEST).add("We bring") == "We bring"
