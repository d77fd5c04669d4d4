"""Every page that doctor names is there, is in the index, has its parts, and says which test goes with it."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest

from devstack import cli
from devstack.doctor.findings import Page
from devstack.doctor.registry import CHECKS

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "docs" / "runbook"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")
HEADINGS = ["What people feel", "Healthy", "Confirm", "Fix", "Verify", "Causes", "Tested"]


def text(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text()


class TestTheIndex:
    def test_has_every_page_and_no_other(self) -> None:
        assert sorted(set(re.findall(r"\]\(([a-z-]+)\.md\)", text("README")))) == PAGES

    def test_covers_what_doctor_names(self) -> None:
        assert set(typing.get_args(Page)) <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
class TestAPage:
    def test_has_its_parts_in_order(self, page: str) -> None:
        assert re.findall(r"^## (.*)$", text(page), re.MULTILINE) == HEADINGS
        assert "Red herring" in text(page)

    def test_leads_to_pages_that_are_there(self, page: str) -> None:
        for link in re.findall(r"\]\(([^)#]+)\)", text(page)):
            assert (FOLDER / link).is_file(), link

    def test_names_a_test_that_is_there_or_says_that_there_is_none(self, page: str) -> None:
        tested = text(page).partition("## Tested\n")[2]
        assert tested.strip()
        named = re.findall(r"([\w/]+\.py)(?:::(\w+)::(\w+))?", tested)
        assert named or tested.startswith("No test injects this fault")
        for file, group, function in named:
            source = (ROOT / file).read_text()
            if function:
                assert f"class {group}" in source
                assert f"def {function}(" in source

    def test_calls_commands_and_scripts_that_are_there(self, page: str) -> None:
        commands = next(action.choices for action in cli.parser()._actions if action.dest == "command") or {}
        for command in re.findall(r"\./bidwright ([a-z]+)", text(page)):
            assert command in commands
        for script in re.findall(r"scripts/[\w.]+", text(page)):
            assert (ROOT / script).is_file()

    def test_counts_the_checks_right(self, page: str) -> None:
        alone = sum(not check.needs_stack for check in CHECKS)
        for count in re.findall(r"^(\d+) checks:", text(page), re.MULTILINE):
            assert int(count) == (alone if page == "settings" else len(CHECKS))
