"""What an operator reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def say(line: str = "") -> None:
    """A line on standard output."""
    print(line)  # noqa: T201  # a command's result


def say_json(value: Any) -> None:
    """A document on standard output."""
    say(json.dumps(value, indent=1, default=str))


def changes(before_after: Mapping[str, tuple[Any, Any]]) -> str:
    """What changed, in one line."""
    return ", ".join(f"{name}: {_short(before)} -> {_short(after)}" for name, (before, after) in before_after.items())


def _short(value: Any) -> str:
    return json.dumps(value, default=str) if isinstance(value, dict) else str(value)
