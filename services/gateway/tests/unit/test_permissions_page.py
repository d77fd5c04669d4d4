"""The written matrix says what the code does."""

from __future__ import annotations

from pathlib import Path

from common.identity import ROLES
from gateway.orgs.domain import PERMISSIONS, allows

PAGE = next(parent / "docs" / "permissions.md" for parent in Path(__file__).parents if (parent / "docs").is_dir())


def lines() -> list[list[str]]:
    """The table's lines without its head, as cells."""
    found = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[2:]]


class TestThePage:
    def test_it_lists_every_action_once_in_the_order_of_the_code(self) -> None:
        assert [line[0] for line in lines()] == list(PERMISSIONS)

    def test_each_role_has_what_the_code_gives_it(self) -> None:
        for action, _, *answers in lines():
            expected = ["yes" if allows(role, action) else "no" for role in ROLES]
            assert answers == expected, action
