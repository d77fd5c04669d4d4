"""The rules of provenance: what a change makes of who wrote a paragraph."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ai.provenance.domain import Change, Origin, all_by, origin_of, paragraphs_of, shares, trace

ONE, TWO = UUID(int=1), UUID(int=2)
TEXT = "The first paragraph speaks of wells.\n\nThe second one names the people who dig.\n\nThe third counts the cost."
paragraphs = st.text(alphabet="abc de.\n", min_size=1, max_size=12)
texts = st.lists(paragraphs, max_size=6).map("\n\n".join)


def by(origins: list[Origin]) -> list[str]:
    return [origin.by for origin in origins]


class TestParagraphs:
    @given(texts)
    def test_together_they_are_the_text_without_what_parts_them(self, text: str) -> None:
        found = paragraphs_of(text)
        assert all(text[one.start : one.end] == one.text and one.text.strip() for one in found)
        assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())

    def test_marks_and_blanks_do_not_make_another_one(self) -> None:
        (plain,), (marked,) = paragraphs_of("Wells for all."), paragraphs_of("**Wells**  for\nall.")
        assert plain.key == marked.key


class TestTrace:
    DRAFTED = [Origin(one.key, "model", 2, ONE) for one in paragraphs_of(TEXT)]

    def test_what_stays_keeps_its_origin_also_where_it_moves(self) -> None:
        first, second, third = TEXT.split("\n\n")
        moved = "\n\n".join([third, "Something new that nobody proposed.", first, f"**{second}**"])
        origins = trace(TEXT, self.DRAFTED, moved, Change(3))
        assert by(origins) == ["model", "person", "model", "model"]
        assert [one.revision for one in origins] == [2, 3, 2, 2]

    def test_a_person_who_changes_a_models_words_shares_them(self) -> None:
        changed = TEXT.replace("names the people", "thanks the people")
        origins = trace(TEXT, self.DRAFTED, changed, Change(3))
        assert by(origins) == ["model", "both", "model"]
        assert (origins[1].generation_id, origins[1].revision) == (ONE, 3)

    def test_a_model_that_changes_a_persons_words_shares_them(self) -> None:
        changed = TEXT.replace("names the people", "thanks the people")
        origins = trace(TEXT, all_by(TEXT, "person", 1), changed, Change(2, ONE))
        assert by(origins) == ["person", "both", "person"]

    def test_words_that_have_nothing_in_common_are_the_changers_own(self) -> None:
        origins = trace(TEXT, self.DRAFTED, "Entirely other sentences about elephants stand here instead.", Change(3))
        assert (by(origins), origins[0].generation_id) == (["person"], None)

    def test_what_a_model_proposed_and_a_person_took_is_the_models(self) -> None:
        proposal = f"{TEXT}\n\nA fourth that the model proposes in its own words."
        origins = trace(TEXT, all_by(TEXT, "person", 1), proposal, Change(2, proposed=[(TWO, proposal)]))
        assert (by(origins), origins[3].generation_id) == (["person", "person", "person", "model"], TWO)

    def test_what_a_person_made_of_a_proposal_before_saving_is_by_both(self) -> None:
        proposal = f"{TEXT}\n\nA fourth that the model proposes in its own words."
        saved = proposal.replace("its own words", "its own fine words")
        origins = trace(TEXT, all_by(TEXT, "person", 1), saved, Change(2, proposed=[(TWO, proposal)]))
        assert (by(origins), origins[3].generation_id) == (["person", "person", "person", "both"], TWO)

    @given(texts, texts, st.booleans())
    def test_each_paragraph_has_one_and_it_can_be_stored(self, before: str, after: str, by_model: bool) -> None:
        origins = trace(before, all_by(before, "person", 1), after, Change(2, ONE if by_model else None))
        assert [one.key for one in origins] == [one.key for one in paragraphs_of(after)]
        assert [origin_of(one.stored()) for one in origins] == origins
        assert sum(shares(paragraphs_of(after), origins).values()) == sum(one.words for one in paragraphs_of(after))

    @given(texts)
    def test_no_change_changes_nothing(self, text: str) -> None:
        known = all_by(text, "person", 1)
        assert trace(text, known, text, Change(2, ONE)) == known

    def test_a_long_text_that_is_written_anew_does_not_hold_up_its_saving(self) -> None:
        import time

        old = "\n\n".join(f"Paragraph {n} of the old text with {n * 7} words of its own kind." for n in range(400))
        new = "\n\n".join(f"Item {n} in a new text that holds {n * 3} other things instead." for n in range(400))
        began = time.process_time()
        trace(old, all_by(old, "person", 1), new, Change(2))
        assert time.process_time() - began < 1
