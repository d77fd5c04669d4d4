"""The canonical Markdown: read back, it is the same tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.rendering import markdown
from exports.rendering.document import Document, Section
from exports.rendering.markdown import write
from exports.rendering.tree import parse
from exports.rendering.versions import TEMPLATE_VERSION

from .examples import DOCUMENT, HOSTILE, NEED

TRICKY = [
    NEED,
    HOSTILE,
    "- a\n\n\n- b\n* c\n+ d\n1. x\n1) y",
    "2026\\. was a good year\n\n\\- no list\n\n\\# no heading\n\n\\> no quote",
    "a ``b ` c`` and ` `` ` and `|`",
    "| a | b |\n|--:|---|\n| `x\\|y` | z\\|w |\n| only one |",
    "Hello![x](http://a.b/c)! wow!\\\nbreak",
    "5 * 3 * 2 < 6 & 7 &amp;lt; snake_case_name __init__ ~~~ ~~a~~",
    "- ```\n  code\n\n      deeper\n  ```\n- > quote\n\n  2. two\n  3. three",
    "### a #\n\n#### b \\#\\#\n\nsetext\n===",
    "**bold**text *(a)*b ***x** y*",
    "***\n- ***\n- x",
    "[foo]: http://x.y\n\n\\[foo]: not a definition [a](http://x/(y))",
]


@pytest.mark.parametrize("text", TRICKY)
def test_reads_back_as_the_same_tree_and_is_stable(text: str) -> None:
    once = write(parse(text))

    assert words(parse(once)) == words(parse(text))
    assert write(parse(once)) == once


@settings(max_examples=120, deadline=None)
@given(st.text(alphabet="ab1 *_`#>-+.)\n\\[]()!|:~<&;=\t\u00a0é", max_size=60))
def test_loses_no_word_of_any_text(text: str) -> None:
    tree = parse(text)

    assert words(parse(write(tree))) == words(tree)


def test_the_document_has_one_title_and_its_sections_below() -> None:
    document = Document("A *title*", "Org", (Section("1. Need", "# Sub\n\ntext"),))
    text, _, versions = markdown.render(document).decode().rpartition("\n\n")

    assert text == "# A \\*title\\*\n\n*Org*\n\n## 1\\. Need\n\n### Sub\n\ntext"
    assert versions == f"<!-- template {TEMPLATE_VERSION}, content {document.content_key('md')} -->\n"


def test_hostile_text_is_escaped() -> None:
    text = markdown.render(DOCUMENT).decode()

    assert "\\<script>" in text
    assert "\\[x\\](javascript:alert(1))" in text


def words(tree: Any) -> str:
    """Every word of the tree in order, without spaces and marks."""
    if isinstance(tree, list):
        return "".join(words(one) for one in tree)
    own = str(tree.get("v", "")).replace(" ", "")
    return own + "".join(words(tree[name]) for name in ("k", "items", "head", "rows") if name in tree)
