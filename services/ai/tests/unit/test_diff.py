"""Either text can be rebuilt from the difference, whatever the texts are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai.generation.diff import compare

PROSE = st.lists(
    st.sampled_from(
        ["One. ", "Two!  ", "Three?\n", "\n\n", "- item\n", "a", " ", "Ω.", "“Q.” ", "\t", "\r\n", "e.g. x"]
    )
).map("".join)


@given(old=st.one_of(PROSE, st.text()), new=st.one_of(PROSE, st.text()))
def test_befores_are_the_old_text_and_afters_the_new(old: str, new: str) -> None:
    diff = compare(old, new)
    assert "".join(block.before or "" for block in diff.blocks) == old
    assert "".join(block.after or "" for block in diff.blocks) == new
    for block in diff.blocks:
        assert (block.before is None) == (block.type == "insert")
        assert (block.after is None) == (block.type == "delete")
        assert block.type != "equal" or block.before == block.after
    assert 0 <= diff.change_ratio <= 1


@given(text=PROSE)
def test_the_same_text_has_no_change(text: str) -> None:
    diff = compare(text, text)
    assert diff.change_ratio == 0
    assert {block.type for block in diff.blocks} <= {"equal"}


def test_a_changed_sentence_is_one_block() -> None:
    diff = compare("First. Second. Third.", "First. 2nd. Third.")
    assert [block.type for block in diff.blocks] == ["equal", "replace", "equal"]
    assert (diff.blocks[1].before, diff.blocks[1].after) == ("Second. ", "2nd. ")


def test_nothing_in_common_is_a_whole_change() -> None:
    assert compare("a", "b").change_ratio == 1
