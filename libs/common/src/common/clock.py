"""Time as a dependency: rules receive a clock and never ask the system themselves."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol


class Clock(Protocol):
    """Tells the time to the rules."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SteeredClock:
    """The machine's clock, moved by as many seconds as a file says, from one question to the next; for DEBUG alone. A
    file that is not there moves nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return datetime.now(UTC) + read_offset(self._file)


class FrozenClock:
    """A clock that stands still until it is told to move; for tests."""

    def __init__(self, at: datetime) -> None:
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Moves the clock forward (or back, with a negative duration)."""
        self._now += by


_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """`90s`, `15m`, `1h` or `3d` as a duration. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,7})([smhd])", text)
    if found is None:
        raise ValueError(f"{text!r} is no duration: a number and s, m, h or d, as 90s or 3d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_offset(file: Path) -> timedelta:
    """By how much the file moves a steered clock."""
    try:
        return timedelta(seconds=int(file.read_text()))
    except (FileNotFoundError, ValueError):
        return timedelta(0)


def write_offset(file: Path, offset: timedelta) -> None:
    """Moves every clock that the file steers; who reads it meanwhile finds the old or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(handle, "w") as written:
        written.write(str(int(offset.total_seconds())))
    Path(name).replace(file)
