"""The rules of the matrix and of the check before submission."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID, uuid4

import pytest

from ai.compliance.checking import Finding, RequirementFacts, check, placeholders
from ai.compliance.domain import Limit, SectionFacts, answering, state_of
from ai.compliance.schemas import ComplianceOut
from ai.compliance.sheet import MARK, as_csv, harmless
from ai.planning.requirements import Requirement
from ai.sections.domain import Status


def section(status: Status = "draft", text: str = "Some words.", title: str = "Need", **more: Any) -> SectionFacts:
    return SectionFacts(id=uuid4(), title=title, status=status, text="" if status == "empty" else text, **more)


class TestState:
    @pytest.mark.parametrize(
        ("statuses", "state"),
        [
            ([], "uncovered"),
            (["empty"], "open"),
            (["draft"], "drafted"),
            (["approved"], "approved"),
            (["approved", "draft"], "drafted"),
            (["approved", "empty"], "open"),
            (["draft", "empty"], "open"),
            (["approved", "approved"], "approved"),
        ],
    )
    def test_the_least_advanced_section_decides(self, statuses: list[Status], state: str) -> None:
        assert state_of(None, [section(status) for status in statuses]) == state

    @pytest.mark.parametrize(
        ("words", "state"), [(9, "approved"), (10, "approved"), (11, "over_limit")], ids=["below", "at", "above"]
    )
    def test_a_word_limit_is_passed_by_the_first_word_too_many(self, words: int, state: str) -> None:
        text = "**" + " ".join(["word"] * words) + "** — !"
        assert state_of(Limit(10, "words"), [section("approved", text)]) == state

    def test_sections_share_a_limit(self) -> None:
        two = [section(text="six words are in this one"), section(text="five more are in here")]
        assert state_of(Limit(10, "words"), two) == "over_limit"
        assert state_of(Limit(10, "words"), two[:1]) == "drafted"

    def test_characters_are_counted_without_marks(self) -> None:
        assert state_of(Limit(4, "characters"), [section(text="**four**")]) == "drafted"
        assert state_of(Limit(4, "characters"), [section(text="fiver")]) == "over_limit"

    def test_pages_are_not_judged(self) -> None:
        assert state_of(Limit(1, "pages"), [section(text="word " * 5_000)]) == "drafted"


class TestAnswering:
    def test_the_section_that_quotes_it(self) -> None:
        wanted = section(guidance="- “Name the critical loads.” [call, p. 5]")
        demand = Requirement("content", "Name the critical loads.", 5, headings=("Elsewhere",))
        assert answering(demand, [section(title="Elsewhere"), wanted]) == [wanted.id]

    def test_the_section_of_its_heading(self) -> None:
        wanted = section(title="Technical approach")
        demand = Requirement("content", "Say how it works.", 5, headings=("5.3 Technical approach",))
        assert answering(demand, [section(), wanted]) == [wanted.id]

    def test_the_section_that_it_scores(self) -> None:
        wanted = section(title="Delivery", criteria=("Plan, people, risks",))
        demand = Requirement("content", "Plan, people, risks", 6, weight=15)
        assert answering(demand, [section(), wanted]) == [wanted.id]

    def test_attachments_go_to_the_annexes(self) -> None:
        wanted = section(title="Annexes")
        assert answering(Requirement("attachment", "Proof of site", 9), [section(), wanted]) == [wanted.id]

    @pytest.mark.parametrize("kind", ["deadline", "format"])
    def test_what_binds_the_whole_has_no_section(self, kind: Any) -> None:
        assert answering(Requirement(kind, "Need it by 1 May 2027, in 12-point type", 1), [section()]) == []

    def test_nothing_alike_is_nobodys(self) -> None:
        assert answering(Requirement("content", "Zebras shall be counted", 1), [section()]) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It costs [TBD] in all.", ["[TBD]"]),
        ("It costs TBD.", ["TBD"]),
        ("Call XXX about it.", ["XXX"]),
        ("Lorem ipsum dolor", ["Lorem ipsum"]),
        ("Please insert the figure here.", ["insert the figure here"]),
        ("[insert name]", ["[insert name]"]),
        ("Who knows ???", ["???"]),
        ("\\[To complete: the aim\\]", ["[To complete: the aim]"]),
        ("[To complete: the aim]", ["[To complete: the aim]"]),
        ("TBD and TBD", ["TBD"]),
        ("As shown [report.pdf, p. 3].", []),
        ("See [date](https://example.com).", []),
        ("Why? And how??", []),
        ("El método es todo.", []),
        ("We insert probes into the soil.", []),
        ("Todo el equipo", []),
    ],
)
def test_placeholders(text: str, left: list[str]) -> None:
    assert placeholders(text) == left


def demand(
    kind: str = "content", *sections: SectionFacts, limit: Limit | None = None, words: str = "Describe it."
) -> RequirementFacts:
    return RequirementFacts(uuid4(), kind, words, limit, sections)


def kinds(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.kind, one.severity) for one in found]


class TestCheck:
    def test_nothing_is_left_of_what_is_approved_and_answered(self) -> None:
        done = section("approved")
        assert check([done], [demand("content", done), demand("deadline")], []) == []

    def test_without_a_section_there_is_nothing_to_hand_in(self) -> None:
        assert kinds(check([], [], [])) == [("no_sections", "error")]

    def test_sections_are_named_by_what_they_lack(self) -> None:
        empty, draft = section("empty"), section("draft", "It costs [TBD].")
        found = check([empty, draft], [], [])
        assert [(one.kind, one.severity, one.section_id) for one in found] == [
            ("empty_section", "error", empty.id),
            ("unapproved_section", "error", draft.id),
            ("placeholder", "error", draft.id),
        ]

    def test_an_approved_text_is_looked_at_too(self) -> None:
        assert kinds(check([section("approved", "Lorem ipsum")], [], [])) == [("placeholder", "error")]

    def test_uncovered_demands_weigh_by_kind(self) -> None:
        rows = [demand("format"), demand("eligibility"), demand("content")]
        found = check([section("approved")], rows, [])
        assert kinds(found) == [("uncovered", "error"), ("uncovered", "error"), ("uncovered", "warning")]
        assert [one.requirement_id for one in found] == [rows[1].id, rows[2].id, rows[0].id]

    def test_too_long_says_by_how_much(self) -> None:
        long = section("approved", "one two three four five six")
        (found,) = check([long], [demand("content", long, limit=Limit(4, "words"))], [])
        assert (found.kind, found.severity, found.section_id) == ("over_limit", "error", long.id)
        assert "there are 6" in found.words
        assert found.what_to_do == "Shorten it by 2."

    def test_pages_are_an_estimate_and_so_a_warning(self) -> None:
        found = check([section("approved", "word " * 901, page_limit=2)], [], [])
        assert kinds(found) == [("over_limit", "warning")]
        assert check([section("approved", "word " * 900, page_limit=2)], [], []) == []

    def test_an_upload_of_that_name_may_be_the_attachment(self) -> None:
        row = demand("attachment", words="Letters of commitment from partners")
        done = [section("approved")]
        assert kinds(check(done, [row], [])) == [("attachment", "warning")]
        assert kinds(check(done, [row], ["budget.xlsx"])) == [("attachment", "warning")]
        (found,) = check(done, [row], ["commitment-council.pdf"])
        assert (found.severity, "commitment-council.pdf" in found.what_to_do) == ("info", True)


class TestSheet:
    @pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "'x", "\uff1d1"])
    def test_what_a_spreadsheet_would_run_gets_an_apostrophe(self, cell: str) -> None:
        assert harmless(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["plain", "a=b", "", 5, None])
    def test_anything_else_stays(self, cell: object) -> None:
        assert harmless(cell) is cell

    def test_a_row_for_each_requirement(self) -> None:
        matrix = ComplianceOut.model_validate(
            {
                "proposal_id": uuid4(),
                "planned": True,
                "counts": {},
                "requirements": [
                    {
                        "id": UUID(int=1),
                        "kind": "content",
                        "words": '=HYPERLINK("https://example.com")\nand "more"',
                        "place": {"page": 3, "start": 10, "end": 20},
                        "weight": 5,
                        "limit": {"value": 250, "unit": "words"},
                        "sections": [{"id": UUID(int=2), "title": "-Need", "status": "draft"}],
                        "state": "drafted",
                        "mapped_by_hand": False,
                    }
                ],
            }
        )
        text = as_csv(matrix)
        assert text.startswith(MARK)
        (row,) = csv.DictReader(io.StringIO(text.removeprefix(MARK), newline=""))
        assert row["requirement"] == '\'=HYPERLINK("https://example.com")\nand "more"'
        assert (row["page"], row["start"], row["weight"], row["limit"], row["limit_unit"]) == (
            "3",
            "10",
            "5",
            "250",
            "words",
        )
        assert (row["state"], row["sections"], row["section_statuses"]) == ("drafted", "'-Need", "draft")
