"""The built-in drafter: it repeats itself exactly, cites what it takes, and invents nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.providers.local import LocalProvider, deltas, draft
from ai.providers.local_revise import revise
from ai.providers.port import Criterion, Passage, ProviderRequest, Question, text_of

REQUEST = ProviderRequest(
    kind="write",
    section_title="Need and place",
    criteria=[Criterion("Need: how well the outages are shown", 25), Criterion("Value for money", None)],
    questions=[Question("problem", "Which problem?"), Question("evidence", "Which figures show it?")],
    answers={"evidence": "outages hit 1,200 households in 2025", "extra": "The hall is warm."},
    passages=[
        Passage("call", 4, "Describe the outages of the past five years."),
        Passage("report.pdf", 2, "A third of the generators did not start. More text follows here."),
    ],
)


class TestDraft:
    def test_answers_sources_and_gaps(self) -> None:
        text = draft(REQUEST)
        assert "[To complete: Which problem?]" in text
        assert "Outages hit 1,200 households in 2025." in text
        assert "The hall is warm." in text
        assert "A third of the generators did not start. More text follows here [report.pdf, p. 2]" in text
        assert "“Describe the outages of the past five years” [call, p. 4]" in text
        assert "- **Value for money**: [To complete: how the proposal meets this criterion]" in text

    def test_a_passage_from_a_numbered_list_is_no_list_within_the_list(self) -> None:
        numbered = [Passage("letter.pdf", 1, "2. We make the roof available. 3. We allow our pumps to be switched.")]
        text = draft(ProviderRequest(kind="write", section_title="Need", passages=numbered))
        assert "- We make the roof available. 3. We allow our pumps to be switched [letter.pdf, p. 1]" in text

    def test_the_same_request_gives_the_same_text(self) -> None:
        assert draft(REQUEST) == draft(REQUEST)

    def test_without_anything_it_asks(self) -> None:
        empty = ProviderRequest(kind="write", section_title="Risks")
        assert draft(empty) == "[To complete: what a reader should know under “Risks”]"

    def test_the_page_limit_is_kept(self) -> None:
        long = "A sentence of five words. " * 300
        request = ProviderRequest(
            kind="write", section_title="x", page_limit=1, answers={"a": long[:2000], "b": long, "c": "Short."}
        )
        assert len(draft(request).split()) <= 450

    async def test_it_streams_the_draft(self) -> None:
        provider = LocalProvider()
        pieces = [delta async for delta in provider.stream(REQUEST)]
        assert text_of(pieces) == draft(REQUEST)
        assert len(pieces) > 5


@given(st.text())
def test_deltas_joined_are_the_text(text: str) -> None:
    assert "".join(deltas(text)) == text


class TestRevise:
    TEXT = "We can't do a lot of things. It is cold.\n\nThe town helps. It pays half. It lends a van."

    @pytest.mark.parametrize(
        ("instruction", "expected"),
        [
            ("please use bullet points", "- The town helps.\n- It pays half.\n- It lends a van."),
            ("more formal", "We cannot do many elements."),
            ('replace "town" with "parish"', "The parish helps."),
            ('add "The church lends a hall"', "The church lends a hall."),
            ("add: The mayor agrees", "The mayor agrees."),
            ("mention the risks", "[To complete: the risks]"),
            ("translate it to Welsh", "[To complete: translate it to Welsh]"),
        ],
    )
    def test_it_does_what_it_can_and_marks_what_it_cannot(self, instruction: str, expected: str) -> None:
        assert expected in revise(self.TEXT, instruction)

    @pytest.mark.parametrize(("instruction", "words"), [("shorten by 50%", 10), ("cut it to 12 words", 12)])
    def test_shorter_is_as_short_as_asked(self, instruction: str, words: int) -> None:
        shorter = revise(self.TEXT, instruction)
        assert 0 < len(shorter.split()) <= words
        assert all(sentence in self.TEXT for sentence in shorter.replace("\n\n", " ").split(". "))

    def test_the_number_of_a_list_item_goes_with_its_sentence(self) -> None:
        text = "We lease the roof for 20 years. 3. We allow our pumps to be switched. 4. Our operator works 24 days."
        assert revise(text, "make it shorter") in (
            "We lease the roof for 20 years.",
            "We lease the roof for 20 years. 3. We allow our pumps to be switched.",
        )

    @given(text=st.text(max_size=200), instruction=st.text(min_size=1, max_size=60))
    def test_it_never_fails(self, text: str, instruction: str) -> None:
        revise(text, instruction)
