"""``./bidwright jobs``, ``events`` and ``clock``: which arguments they take, and which stack they mean."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.clock import read_offset
from devstack import clock_command
from devstack.cli import parser
from devstack.data import DataFolder
from devstack.errors import StackError, UsageError

DEBUG: dict[str, object] = {"settings": {"DEBUG": "1"}}


class TestArguments:
    @pytest.mark.parametrize("command", ["jobs", "events"])
    def test_everything_after_the_command_is_handed_on(self, command: str) -> None:
        words = ["dead", "replay", "--all", "--dry-run"]
        assert parser().parse_args(["--root", ".", command, *words]).words == words

    @pytest.mark.parametrize(
        "words", [["--data", "x", "advance", "3d"], ["advance", "--data", "x", "3d"], ["advance", "3d", "--data", "x"]]
    )
    def test_the_clocks_stack_may_be_named_anywhere(self, words: list[str]) -> None:
        parsed = parser().parse_args(["--root", ".", "clock", *words])
        assert (parsed.data, parsed.by) == (Path("x"), timedelta(days=3))

    @pytest.mark.parametrize("words", [["advance"], ["advance", "3"], ["back"], []])
    def test_anything_else_is_refused_in_one_line(self, words: list[str]) -> None:
        with pytest.raises(UsageError):
            parser().parse_args(["--root", ".", "clock", *words])


class TestClock:
    def run(self, folder: Path, *words: str, state: dict[str, object] = DEBUG) -> timedelta:
        data = DataFolder(folder)
        assert clock_command.run(data, state, parser().parse_args(["--root", ".", "clock", *words])) == 0
        return read_offset(data.clock)

    def test_is_moved_further_each_time_and_reset(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(tmp_path, "show") == timedelta(0)
        assert self.run(tmp_path, "advance", "3d") == timedelta(days=3)
        assert self.run(tmp_path, "advance", "1h") == timedelta(days=3, hours=1)
        assert "moved by 3 days, 1:00:00" in capsys.readouterr().out
        assert self.run(tmp_path, "reset") == timedelta(0)
        assert "the machine's time" in capsys.readouterr().out

    @pytest.mark.parametrize("settings", [{}, {"DEBUG": "0"}, {"BILLING_DEBUG": "1"}])
    def test_is_left_alone_without_debug(self, tmp_path: Path, settings: dict[str, str]) -> None:
        with pytest.raises(StackError, match="DEBUG=1"):
            self.run(tmp_path, "advance", "3d", state={"settings": settings})
        assert list(tmp_path.iterdir()) == []
