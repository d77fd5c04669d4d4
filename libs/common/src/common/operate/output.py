"""What an operator reads."""

from __future__ import annotations

import json
from typing import Any


def say(line: str = "") -> None:
    """A line on standard output, at once: who follows events waits for it."""
    print(line, flush=True)  # noqa: T201  # a command's result


def say_json(value: Any, *, indent: int | None = 1) -> None:
    """A document on standard output."""
    say(json.dumps(value, indent=indent, default=str))
