"""The plan of a call: what a careful reader would find in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.planning.findings import page_limits
from ai.planning.outline import Plan, PlannedSection, make_plan
from ai.planning.reading import PageText, read_blocks, read_lines

SAMPLES = Path(__file__).parents[4] / "samples"


def plan_of(*pages: str) -> Plan:
    return make_plan([PageText(number, text) for number, text in enumerate(pages, start=1)])


def plan_of_pdf(path: Path) -> Plan:
    pdfium = pytest.importorskip("pypdfium2")
    return make_plan(
        [
            PageText(number, page.get_textpage().get_text_range())
            for number, page in enumerate(pdfium.PdfDocument(path), start=1)
        ]
    )


def by_title(plan: Plan) -> dict[str, PlannedSection]:
    return {section.title: section for section in plan.sections}


class TestPageLimits:
    @pytest.mark.parametrize(
        ("text", "limits"),
        [
            ("up to 7 pages for Phase I proposals and up to 15 pages for Phase II", [7, 15]),
            ("no more than two pages", [2]),
            ("(not to exceed two pages)", [2]),
            ("Maximum length: 10 A4 pages", [10]),
            ("5 pages maximum", [5]),
            ("a 3-page limit", [3]),
            ("must not exceed a maximum of 12 pages", [12]),
            ("the report has 7 pages", []),
            ("limited to $300,000", []),
        ],
    )
    def test_every_way_of_saying_it(self, text: str, limits: list[int]) -> None:
        assert page_limits(text) == limits


class TestReading:
    def test_running_lines_page_numbers_and_contents_are_left_out(self) -> None:
        words = ("alpha", "beta", "gamma", "delta")
        pages = [
            PageText(number, f"Fund for Water\nBudget . . . . . . 4\nText of {word}.\nPage {number} of 4")
            for number, word in enumerate(words, start=1)
        ]
        assert [line.text for line in read_lines(pages)] == [f"Text of {word}." for word in words]

    def test_a_table_row_is_not_a_heading(self) -> None:
        text = "1 Criteria\nText.\n1 Need and place 25\n2 Approach 20\n2 Dates\nText."
        blocks = read_blocks(read_lines([PageText(1, text)]))
        assert [block.title for block in blocks] == ["Criteria", "Dates"]

    def test_sentences_know_their_own_page(self) -> None:
        pages = [PageText(1, "1 Rules\nThe first begins here and"), PageText(2, "ends there. The second is here.")]
        [block] = read_blocks(read_lines(pages))
        assert [(sentence.page, sentence.text) for sentence in block.sentences()] == [
            (1, "The first begins here and ends there."),
            (2, "The second is here."),
        ]


class TestOutline:
    def test_an_empty_call_has_the_usual_outline(self) -> None:
        titles = [section.title for section in plan_of("").sections]
        assert titles[:2] == ["Summary", "Need"]
        assert "Budget and justification" in titles

    def test_a_list_that_must_be_addressed(self) -> None:
        plan = plan_of(
            "HOW TO APPLY\nYour application must include the following sections:\n"
            "Statement of Need: Describe who is affected. Give figures.\n"
            "Project Design: Explain the activities in up to 4 pages.\n"
            "Evaluation Plan: Show how success is measured.\n"
            "SCORING CRITERIA\nStatement of need (30 points)\nProject design: 45 points\nEvaluation - 25 points\n"
            "Total 100 points\n"
        )
        sections = by_title(plan)
        assert [s.title for s in plan.sections if s.criteria] == [
            "Statement of Need",
            "Project Design",
            "Evaluation Plan",
        ]
        assert sections["Project Design"].page_limit == 4
        assert [(c.title, c.points) for c in sections["Statement of Need"].criteria] == [("Statement of need", 30)]
        assert "“Describe who is affected.” [call, p. 1]" in sections["Statement of Need"].guidance

    def test_deadline_and_caps_are_found_with_their_page(self) -> None:
        plan = plan_of(
            "About the fund.", "Applications are due by 5 pm on\n7 September 2027.\nGrants are up to EUR 50,000 each."
        )
        assert [(finding.kind, finding.page) for finding in plan.findings] == [("deadline", 2), ("budget", 2)]
        assert "7 September 2027" in plan.sections[0].guidance
        assert "EUR 50,000" in by_title(plan)["Budget and justification"].guidance

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.text(max_size=300), max_size=4))
    def test_any_text_has_a_plan_and_always_the_same(self, pages: list[str]) -> None:
        first, second = plan_of(*pages), plan_of(*pages)
        assert first == second
        assert first.sections
        assert all(section.questions for section in first.sections)


class TestSampleCall:
    """The call that newcomers try first."""

    @pytest.fixture(scope="class")
    def plan(self) -> Plan:
        path = SAMPLES / "community-energy-call.pdf"
        if not path.exists():
            pytest.skip("the sample call is not there")
        return plan_of_pdf(path)

    def test_the_headings_it_prescribes_with_their_limits(self, plan: Plan) -> None:
        limits = {section.title: section.page_limit for section in plan.sections}
        assert limits["Need and place"] == 2
        assert limits["Community ownership and benefit"] == 2
        assert limits["Delivery"] == 3
        assert limits["Results and evaluation"] == 1
        assert limits["Technical approach"] == 2
        assert {"Summary", "Money and value", "Data management plan", "Eligibility"} <= limits.keys()

    def test_each_criterion_stands_by_its_heading(self, plan: Plan) -> None:
        points = {section.title: [c.points for c in section.criteria] for section in plan.sections if section.criteria}
        assert points == {
            "Need and place": [25],
            "Technical approach": [20],
            "Community ownership and benefit": [25],
            "Delivery": [15],
            "Results and evaluation": [5],
            "Money and value": [10],
        }

    def test_deadline_caps_and_documents(self, plan: Plan) -> None:
        text = {
            kind: " ".join(f.text for f in plan.findings if f.kind == kind)
            for kind in ("deadline", "budget", "attachment")
        }
        assert "19 March 2027" in text["deadline"]
        assert "GBP 350,000" in text["budget"]
        assert "Letters of commitment" in text["attachment"]
        assert sum(finding.kind == "attachment" for finding in plan.findings) == 13


class TestRealCall:
    """A real solicitation, where the environment says that it may be read."""

    @pytest.fixture(scope="class")
    def plan(self) -> Plan:
        path = Path(os.environ.get("BIDWRIGHT_REAL_DOCS", "/nowhere")) / "nsf-23-556-solicitation.pdf"
        if not path.exists():
            pytest.skip("BIDWRIGHT_REAL_DOCS does not name the folder of real documents")
        return plan_of_pdf(path)

    def test_what_a_careful_reader_finds(self, plan: Plan) -> None:
        sections = by_title(plan)
        assert sections["Project Description"].page_limit == 7
        assert any("7 or 15 pages" in question.text for question in sections["Project Description"].questions)
        assert sections["Data Management Plan"].page_limit == 2
        assert sections["Letters of Collaboration"].page_limit == 2
        assert "minimum of three and up to five letters" in sections["Letters of Collaboration"].guidance
        assert {
            "Project Summary",
            "Context of OSE",
            "Broader Impacts",
            "Community Building",
            "Eligibility",
        } <= sections.keys()
        budget = " ".join(finding.text for finding in plan.findings if finding.kind == "budget")
        assert "$300,000" in budget
        assert "$1,500,000" in budget
        assert any("September 07, 2023" in finding.text for finding in plan.findings if finding.kind == "deadline")

    def test_every_quotation_stands_on_its_page(self, plan: Plan) -> None:
        pdfium = pytest.importorskip("pypdfium2")
        path = Path(os.environ["BIDWRIGHT_REAL_DOCS"]) / "nsf-23-556-solicitation.pdf"
        pages = {
            number: "".join(page.get_textpage().get_text_range().replace("\ufffe", "").split())
            for number, page in enumerate(pdfium.PdfDocument(path), start=1)
        }
        for finding in plan.findings:
            assert "".join(finding.text.split())[:60] in pages[finding.page], finding
