"""The rules of citations: claims, their sources, and whether a page contains them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.citations.domain import citations_of, facts_in, figures_in, judge, sentences_of, uncited

PAGE = (
    "Kisumu county has 38 villages. In 2024 only 12,400 of 31,000 households had safe water within\n500 metres of "
    "their home. The county plans to drill twenty wells. A pump costs EUR 1 250."
)


class TestCitations:
    def test_a_claim_goes_from_the_source_before_it_to_its_own(self) -> None:
        text = "We know Kisumu. Only 12,400 have water [report.pdf, p. 2]; a pump costs 1,250 euros. [call, p. 1] More."
        found = [(str(one.source), one.claim) for one in citations_of(text)]
        assert found == [
            ("[report.pdf, p. 2]", "Only 12,400 have water"),
            ("[call, p. 1]", "a pump costs 1,250 euros"),
        ]

    def test_the_rich_editors_backslashes_and_answers_of_the_library(self) -> None:
        number = "01920000-0000-7000-8000-000000000005"
        text = f"Wells \\[my report.pdf, p. 3\\] and pumps [answer {number}]."
        first, second = citations_of(text)
        assert (first.source.label, first.source.page, second.source.answer_id) == ("my report.pdf", 3, number)
        assert text[first.start : first.end] == "\\[my report.pdf, p. 3\\]"

    @given(st.text(alphabet="ab1. \n[],p-#*", max_size=80))
    def test_sentences_stand_where_they_say(self, text: str) -> None:
        found = sentences_of(text)
        assert all(one.start < one.end <= len(text) for one in found)
        assert all(one.end <= other.start for one, other in pairwise(found))

    @pytest.mark.parametrize("text", ["e.g. Dr. Okafor and approx. 40 people came.", "1. We allow no. 5 to pass."])
    def test_a_short_form_ends_no_sentence(self, text: str) -> None:
        assert len(sentences_of(text)) == 1


class TestJudge:
    @pytest.mark.parametrize(
        "claim",
        [
            "Only 12 400 households had safe water within 500 metres",
            "Of 31.000 households, 12.400 had safe water near their home",
            "The county plans to drill wells",
            "The report says “safe water within 500 metres of their home”",
            "A pump costs EUR 1,250",
        ],
    )
    def test_it_contains_what_it_says_in_any_spelling(self, claim: str) -> None:
        judged = judge(claim, PAGE)
        assert judged.standing == "supported"
        assert judged.start is not None
        assert judged.end is not None

    @pytest.mark.parametrize(
        ("claim", "missing"),
        [
            ("Only 14,200 households had safe water", ("14200",)),
            ("The minister opened a hospital and promised electric buses", ()),
            ("In 2023 the county had 38 villages", ("2023",)),
        ],
    )
    def test_it_does_not_contain_another_figure_or_another_matter(self, claim: str, missing: tuple[str, ...]) -> None:
        judged = judge(claim, PAGE)
        assert (judged.standing, judged.missing) == ("unsupported", missing)

    def test_the_place_is_where_the_words_stand(self) -> None:
        judged = judge("A pump costs EUR 1,250", PAGE)
        assert "A pump costs EUR 1 250." in PAGE[judged.start : judged.end]


class TestUncited:
    def test_figures_dates_and_names_of_sources_need_one(self) -> None:
        text = (
            "## In 2024\n\nWe are glad. We reach 4,000 people. It ends on 3 May 2027. We work in Kisumu county.\n\n"
            "Only 38 villages exist [report.pdf, p. 2]. These 38 villages are ours. [To complete: the 9 names]"
        )
        assert [one.words for one in uncited(sentences_of(text), [], [PAGE])] == [
            "We reach 4,000 people.",
            "It ends on 3 May 2027.",
        ]

    def test_what_people_answered_is_vouched_for(self) -> None:
        text = "We reach 4,000 people. We reach 5,000 people."
        assert [one.words for one in uncited(sentences_of(text), ["4000 people in all"])] == ["We reach 5,000 people."]

    def test_points_of_criteria_and_numbers_of_items_are_no_facts(self) -> None:
        assert facts_in("1. **Value** for money") == ()
        assert [one.facts for one in sentences_of("- **Value** (20 points): we save much.")] == [()]

    def test_figures_have_one_spelling(self) -> None:
        assert figures_in("12,400; 12.400; 12 400; 0.5 and 0,5; 38 % and 38%") == {"12400", "0.5", "38"} | figures_in(
            "12 400"
        )
