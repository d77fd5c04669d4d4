"""``./bidwright billing``: what is its own argument, and what is billing's."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack import billing_command
from devstack.cli import parser
from devstack.errors import UsageError


class TestArguments:
    def test_everything_after_billing_is_handed_on(self) -> None:
        words = ["events", "replay", "--parked", "--dry-run"]
        assert parser().parse_args(["--root", ".", "billing", *words]).words == words

    @pytest.mark.parametrize(
        "words",
        [
            ["--data", "x", "events", "list"],
            ["events", "--data", "x", "list"],
            ["events", "list", "--data=x"],
        ],
    )
    def test_the_stack_may_be_named_anywhere(self, words: list[str]) -> None:
        assert billing_command.split_data(words) == (["events", "list"], Path("x"))

    def test_the_stack_may_be_named_before_the_command(self) -> None:
        parsed = parser().parse_args(["--root", ".", "billing", "--data", "x", "events", "list"])
        assert (parsed.data, parsed.words) == (Path("x"), ["events", "list"])

    def test_a_stack_that_is_not_named_is_refused(self) -> None:
        with pytest.raises(UsageError):
            billing_command.split_data(["events", "list", "--data"])
