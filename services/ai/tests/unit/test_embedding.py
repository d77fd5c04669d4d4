"""The built-in embedding, and how two rankings become one."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.knowledge import embedding as module
from ai.knowledge.domain import asked_words, fuse
from ai.knowledge.embedding import StaticEmbedding, _pieces_of

FIRST_NUMBERS = [-0.1442, 0.1154, 0.0246, 0.0562]
FOLDER = Path(module.__file__).parent / "static_vectors"


def likeness(one: str, other: str) -> float:
    embed = StaticEmbedding().embed
    first, second = embed(one), embed(other)
    assert first is not None
    assert second is not None
    return sum(left * right for left, right in zip(first, second, strict=True))


class TestTheBuiltInEmbedding:
    def test_reads_the_files_that_its_page_names(self) -> None:
        page = (FOLDER / "README.md").read_text()
        for name in ("pieces.txt", "vectors.bin"):
            assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() in page

    @pytest.mark.parametrize(
        ("asked", "near", "far"),
        [
            ("high water", "The river flooded.", "The accounts were audited."),
            ("wages", "What people are paid", "What the building weighs"),
            ("Schule", "Die Kinder lernen", "Der Motor ist kaputt"),
        ],
    )
    def test_knows_which_words_are_alike(self, asked: str, near: str, far: str) -> None:
        assert likeness(asked, near) > likeness(asked, far) + 0.05

    def test_cuts_a_word_as_the_model_was_trained(self) -> None:
        lines = (FOLDER / "pieces.txt").read_text().splitlines()
        assert [lines[piece] for piece in _pieces_of("safeguarding")] == ["\\u2581saf", "egu", "arding"]

    def test_of_a_text_without_words_is_none(self) -> None:
        assert StaticEmbedding().embed("  — ?! ") is None

    def test_is_the_same_on_every_machine(self) -> None:
        vector = StaticEmbedding().embed("Describe the need of the community.")
        assert vector is not None
        assert [round(number, 4) for number in vector[:4]] == FIRST_NUMBERS

    @given(st.text(max_size=300))
    def test_of_any_text_has_length_one(self, text: str) -> None:
        vector = StaticEmbedding().embed(text)
        assert vector is None or math.isclose(sum(number * number for number in vector), 1, rel_tol=1e-9)


class TestFuse:
    def test_what_both_have_comes_before_what_one_has_first(self) -> None:
        assert fuse([[1, 2, 3], [4, 2, 5]])[0] == 2

    def test_keeps_the_order_of_one_alone(self) -> None:
        assert fuse([[3, 1, 2], []]) == [3, 1, 2]

    def test_of_nothing_is_nothing(self) -> None:
        assert fuse([[], []]) == []


def test_asked_words_are_each_taken_once_and_not_without_end() -> None:
    assert asked_words("Need? The need, in 2027: übergroß") == ["need", "the", "in", "2027", "übergroß"]
    assert len(asked_words(" ".join(f"w{number}" for number in range(500)))) == 24
