"""Says what happens, one line for each part: to a terminal, or through a pipe from a detached supervisor."""

from __future__ import annotations

import json
import sys
import time
from typing import IO, Any, Protocol


class Report(Protocol):
    """Where progress goes."""

    def line(self, text: str) -> None:
        """One line for the user."""

    def done(self, code: int, text: str = "") -> None:
        """The start is over: 0 and what to do now, or an error's line."""


class TerminalReport:
    """Prints; errors to stderr."""

    def line(self, text: str) -> None:
        print(text, flush=True)

    def done(self, code: int, text: str = "") -> None:
        if text:
            print(text, file=sys.stdout if code == 0 else sys.stderr, flush=True)


class PipeReport:
    """Sends each line to the process that waits for the detached supervisor; closes the pipe when done."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream: IO[str] | None = stream

    def _send(self, message: dict[str, Any]) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()
        except OSError:  # nobody waits any more
            self._stream = None

    def line(self, text: str) -> None:
        self._send({"line": text})

    def done(self, code: int, text: str = "") -> None:
        self._send({"done": code, "text": text})
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class Progress:
    """Lines like ``postgres         ready    0.1 s  127.0.0.1:20310``."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()

    def part(self, name: str, what: str, since: float, detail: str = "") -> None:
        """A part came to a new state, ``since`` the monotonic time its work began."""
        self._report.line(f"{name:<16} {what:<9} {time.monotonic() - since:5.1f} s  {detail}".rstrip())

    @property
    def total(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began
