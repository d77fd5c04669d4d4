"""How alike two questions are, in which order answers are suggested, and what a draft makes of the library."""

from __future__ import annotations

from datetime import date

import pytest

from ai.answers.domain import (
    MAX_BONUS,
    SUGGESTED_FROM,
    WRITTEN_FROM,
    Known,
    Likeness,
    is_due,
    rank,
    tidy_tags,
    use_bonus,
)
from ai.providers import local
from ai.providers.port import ApprovedAnswer, ProviderRequest, Question
from ai.providers.prompting import MAX_LIBRARY_TEXT, prompt_for

ID = "01920000-0000-7000-8000-000000000008"


def likeness(one: str, other: str) -> float:
    return Likeness.of(one).to(Likeness.of(other))


class TestLikeness:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (
                "How will the work be sustained after the grant ends?",
                "How will you sustain the work when funding ends?",
            ),
            ("Who will benefit from the project?", "Which people benefit from your project?"),
            ("What is your safeguarding policy?", "Describe your safeguarding policies."),
            ("Welche Erfahrung hat Ihr Team?", "Welche Erfahrungen bringt Ihr Team mit?"),
            ("您的团队有哪些经验?", "您的团队有什么经验?"),
            ("How do you measure succes?", "How do you measure success?"),
        ],
    )
    def test_the_same_matter_in_other_words_is_found(self, one: str, other: str) -> None:
        assert likeness(one, other) >= SUGGESTED_FROM
        assert likeness(one, other) == likeness(other, one)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("How do you measure success?", "What is the total budget?"),
            ("Who are your partners?", "What risks do you see?"),
            ("What is your safeguarding policy?", "What is your legal form?"),
            ("您的团队有哪些经验?", "预算是多少?"),
            ("", "What is the total budget?"),
            ("?!", "?!"),
        ],
    )
    def test_another_matter_is_not(self, one: str, other: str) -> None:
        assert likeness(one, other) < SUGGESTED_FROM

    def test_the_same_question_is_one_whatever_its_capitals(self) -> None:
        assert likeness("What is the NEED?", "what is the need") == 1.0

    def test_what_is_written_unasked_must_be_nearly_the_same(self) -> None:
        assert likeness("What is your safeguarding policy?", "Describe your safeguarding policy.") >= WRITTEN_FROM
        assert likeness("Who will benefit from the project?", "Which people benefit from your project?") < WRITTEN_FROM


class TestRank:
    @staticmethod
    def order(question: str, *known: tuple[str, int]) -> list[str]:
        return [one.item for one in rank(question, [Known(text, Likeness.of(text), uses) for text, uses in known])]

    def test_the_closest_comes_first(self) -> None:
        found = self.order(
            "What is your safeguarding policy?",
            ("Which policies do you have?", 0),
            ("What is your safeguarding policy?", 0),
            ("What is the total budget?", 0),
        )
        assert found == ["What is your safeguarding policy?", "Which policies do you have?"]

    def test_use_decides_between_those_that_fit_alike(self) -> None:
        one, other = "Describe your safeguarding policy.", "Describe your safeguarding policy!"
        assert self.order("What is your safeguarding policy?", (one, 1), (other, 5)) == [other, one]
        assert self.order("What is your safeguarding policy?", (one, 5), (other, 1)) == [one, other]

    def test_no_number_of_uses_lifts_what_does_not_fit(self) -> None:
        assert self.order("What is your safeguarding policy?", ("What is the total budget?", 10**9)) == []
        assert use_bonus(10**9) == MAX_BONUS
        assert use_bonus(0) == 0


def test_an_answer_is_due_from_its_day_on() -> None:
    today = date(2027, 3, 19)
    assert is_due(today, today)
    assert not is_due(date(2027, 3, 20), today)
    assert not is_due(None, today)


def test_a_tag_stands_once_as_it_was_first_written() -> None:
    assert tidy_tags(["Team", "budget", "team", "TEAM", "Straße", "STRASSE"]) == ["Team", "budget", "Straße"]


class TestADraft:
    QUESTIONS = (Question("q1", "Who keeps children safe?"), Question("q2", "Who pays?"))
    APPROVED = ApprovedAnswer(ID, "q1", "What is your safeguarding policy?", "Two trained officers are on site")

    def request(self, **given: str) -> ProviderRequest:
        return ProviderRequest(
            kind="write", section_title="Safety", questions=self.QUESTIONS, answers=given, library=[self.APPROVED]
        )

    def test_by_rules_says_the_answer_and_cites_it(self) -> None:
        text = local.draft(self.request())
        assert f"Two trained officers are on site. [answer {ID}]" in text
        assert "[To complete: Who pays?]" in text
        assert "Who keeps children safe" not in text

    def test_for_a_model_has_the_answer_as_marked_data(self) -> None:
        prompt = prompt_for(self.request())
        assert f'"answer {ID}">>>\nWho keeps children safe?\n\nTwo trained officers are on site\n' in prompt.material
        assert prompt.material.count('"question without an answer">>>') == 1
        assert prompt.ref.name == "write.v2"

    def test_what_a_person_took_from_the_library_is_there_once(self) -> None:
        material = prompt_for(self.request(q1=self.APPROVED.text)).material
        assert material.count(self.APPROVED.text) == 1
        assert local.draft(self.request(q1=self.APPROVED.text)).count(f"[answer {ID}]") == 1

    def test_a_long_answer_is_cut_to_what_was_set_aside(self) -> None:
        long = ApprovedAnswer(ID, "q1", "?", "word " * 2_000)
        request = ProviderRequest(kind="write", section_title="S", questions=self.QUESTIONS, library=[long])
        assert len(prompt_for(request).material) < MAX_LIBRARY_TEXT + 500
