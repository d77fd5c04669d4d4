"""What a call demands one by one: its words, its place in the source, its kind, weight and limit."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.planning.outline import make_plan
from ai.planning.places import Places
from ai.planning.reading import PageText
from ai.planning.requirements import MAX_REQUIREMENTS, Requirement, limit_of

SAMPLES = Path(__file__).parents[4] / "samples"

CALL = """Call for proposals

1. Who may apply
The lead applicant must be registered in the country before 2026.

2. Need (30 points, at most 2 pages)
Describe the community and its energy in no more than 1,200 words.
Name the critical loads.

3. Form
Proposals must be written in English and sent as one PDF.
Attach letters of support from two partners.
Proposals must be submitted by 19 March 2027.
The fund was made in 2011.
"""


def pages_of(*texts: str) -> list[PageText]:
    return [PageText(number, text) for number, text in enumerate(texts, start=1)]


def demands(*texts: str) -> dict[str, Requirement]:
    return {one.words: one for one in make_plan(pages_of(*texts)).requirements}


class TestAPlan:
    @pytest.mark.parametrize(
        ("begins", "kind"),
        [
            ("The lead applicant must", "eligibility"),
            ("Describe the community", "content"),
            ("Name the critical loads", "content"),
            ("Proposals must be written", "format"),
            ("Attach letters", "attachment"),
            ("Proposals must be submitted", "deadline"),
        ],
    )
    def test_tells_what_kind_each_demand_is(self, begins: str, kind: str) -> None:
        found = [one.kind for words, one in demands(CALL).items() if words.startswith(begins)]
        assert found == [kind]

    def test_takes_each_item_of_a_list_of_demands(self) -> None:
        listed = (
            "1. Site\nThe applicant must have:\n• a lease for the site;\n• the consent of its owner.\nIt is fine.\n"
        )
        assert list(demands(listed)) == ["a lease for the site;", "the consent of its owner."]

    def test_takes_a_list_of_choices_for_one_demand(self) -> None:
        listed = "1. Who\nThe lead applicant must be one of these:\n• a charity;\n• a parish or town council.\n"
        assert list(demands(listed)) == ["The lead applicant must be one of these:"]

    def test_keeps_an_opening_that_no_list_follows(self) -> None:
        assert list(demands("1. Site\nThe applicant must have this:\n• It is fine.\n")) == [
            "The applicant must have this:"
        ]

    def test_takes_no_statement_for_a_demand(self) -> None:
        assert not any("2011" in words for words in demands(CALL))

    def test_keeps_limit_and_weight(self) -> None:
        found = demands(CALL)
        described = next(one for words, one in found.items() if words.startswith("Describe"))
        assert (described.limit, described.limit_unit) == (1200, "words")
        need = next(one for words, one in found.items() if "30 points" in words)
        assert (need.weight, need.limit, need.limit_unit) == (30, 2, "pages")

    def test_of_the_sample_call_points_at_its_words(self) -> None:
        pdfium = pytest.importorskip("pypdfium2")
        document = pdfium.PdfDocument(SAMPLES / "community-energy-call.pdf")
        pages = pages_of(*(page.get_textpage().get_text_range() for page in document))
        found = make_plan(pages).requirements
        assert len(found) > 40
        for one in found:
            assert one.start is not None
            stands = pages[one.page - 1].text[one.start : one.end].split()
            assert stands
            assert stands[0].strip("“(") in one.words

    def test_of_the_same_call_is_the_same(self) -> None:
        assert make_plan(pages_of(CALL)).requirements == make_plan(pages_of(CALL)).requirements

    def test_of_a_call_without_end_comes_soon(self) -> None:
        text = "".join(f"Part {number} of it all: at most {number % 90 + 1} pages\n" for number in range(20_000))
        began = time.process_time()
        assert len(make_plan(pages_of(text)).requirements) == MAX_REQUIREMENTS
        assert time.process_time() - began < 30  # some 4 s, and minutes where each is compared with all before it

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.text(max_size=400), max_size=4))
    def test_of_any_text_has_spans_within_its_pages(self, texts: list[str]) -> None:
        pages = pages_of(*texts)
        for one in make_plan(pages).requirements:
            if one.start is not None and one.end is not None:
                assert 0 <= one.start < one.end <= len(pages[one.page - 1].text)


class TestPlaces:
    def test_blanks_and_line_ends_do_not_matter(self) -> None:
        text = "x  Every\n  proposal   must\nserve. y"
        place = Places(pages_of(text)).find(1, "Every proposal must serve.")
        assert place is not None
        assert text[place.start : place.end] == "Every\n  proposal   must\nserve"

    def test_what_stands_twice_is_found_in_turn(self) -> None:
        places = Places(pages_of("Name it. Name it."))
        first, second = places.find(1, "Name it."), places.find(1, "Name it.")
        assert first is not None
        assert second is not None
        assert (first.start, second.start) == (0, 9)

    def test_a_sentence_over_the_page_ends_with_its_page(self) -> None:
        text = "Intro. Each applicant must show that the site is"
        place = Places(pages_of(text, "theirs.")).find(1, "Each applicant must show that the site is theirs.")
        assert place is not None
        assert (place.start, place.end) == (7, len(text))

    def test_what_does_not_stand_there_has_no_place(self) -> None:
        assert Places(pages_of("Nothing of it.")).find(1, "Something else") is None
        assert Places([]).find(1, "Something") is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("at most 250 words", (250, "words")),
        ("no more than 1,500 characters", (1500, "characters")),
        ("The abstract must not exceed 2 pages", (2, "pages")),
        ("300 words maximum", (300, "words")),
        ("Word limit: 400", (400, "words")),
        ("in 72 hours and 12 pages of forms", None),
        ("at most 0 pages", None),
    ],
)
def test_limit_of(text: str, limit: tuple[int, str] | None) -> None:
    assert limit_of(text) == limit
