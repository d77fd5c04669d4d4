"""What the next answers of a vendor shall be, and what was asked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any

VENDORS = ("openai", "gemini", "anthropic")
DEFAULT_TEXT = "We bring clean water to three villages. The wells are built with the people who use them."


@dataclass(frozen=True)
class Answer:
    """One answer. Without a status of its own it is a stream that ends well.

    status: an error of the vendor's own shape with this HTTP status. retry_after: its header. code: the vendor's code.
    param: the parameter that a 400 complains of.
    deltas: the pieces of text; text: the same, to be cut into pieces of two words. model: the name it answers under.
    first_ms, delta_ms: pauses before the first piece, and between two. hang_after: silence after so many pieces.
    cut_after: the connection breaks after so many; ends_early: the stream ends there in an orderly way, unfinished.
    rubbish_after: a piece that is no JSON follows. error_after: the vendor's error event follows.
    finish: stop, length, refused. usage: (input, output) tokens, or none at all.
    """

    status: int = 200
    retry_after: str = ""
    code: str = ""
    param: str = ""
    text: str = DEFAULT_TEXT
    deltas: tuple[str, ...] = ()
    model: str = ""
    first_ms: float = 0
    delta_ms: float = 0
    hang_after: int | None = None
    cut_after: int | None = None
    ends_early: int | None = None
    rubbish_after: int | None = None
    error_after: int | None = None
    finish: str = "stop"
    usage: tuple[int, int] | None = (120, 40)

    def pieces(self) -> list[str]:
        """The text as it is sent."""
        if self.deltas:
            return list(self.deltas)
        words = self.text.split(" ")
        joined = [" ".join(words[at : at + 2]) for at in range(0, len(words), 2)]
        return [piece if at == 0 else f" {piece}" for at, piece in enumerate(joined)] if self.text else []


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    vendor: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Script:
    """What is to come, and what has been."""

    queues: dict[str, deque[Answer]] = field(default_factory=lambda: {name: deque() for name in VENDORS})
    always: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def next(self, vendor: str) -> Answer:
        """The answer to a request that has just come."""
        queue = self.queues[vendor]
        return queue.popleft() if queue else self.always.get(vendor, Answer())


def read_answer(given: dict[str, Any]) -> Answer:
    """From the control's JSON; raises ValueError for a word that means nothing here."""
    known = {item.name for item in fields(Answer)}
    if unknown := set(given) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    values = dict(given)
    if "deltas" in values:
        values["deltas"] = tuple(values["deltas"])
    if values.get("usage") is not None:
        values["usage"] = tuple(values["usage"])
    return Answer(**values)
