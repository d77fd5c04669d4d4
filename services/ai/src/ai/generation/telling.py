"""From what is stored and what is told of a generation to the events of its stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sse_starlette import ServerSentEvent

from ai.generation.live import Note
from ai.generation.pieces import Look

ENDED: Final = ("succeeded", "failed", "cancelled")


class Teller:
    """Turns what is stored and what is told into events. Ids are `<place in the text>.<serial>`: a listener that comes
    back is told all that lies beyond its place."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.must_look = False
        self._serial = 0
        self._told: tuple[str, int] | None = None

    def notes(self, notes: Iterable[Note]) -> Iterator[ServerSentEvent]:
        """Sets `must_look` where a piece is missing and when the job has ended."""
        pieces: list[tuple[int, str | None]] = []
        for note in notes:
            if note.place is None:
                yield from self.pieces(pieces)
                pieces = []
                if note.status in ENDED:
                    self.must_look = True
                    return
                yield from self.turn(note.status, note.attempt)
            elif note.place > self.place + len(pieces):
                if note.place != self.place + len(pieces) + 1 or not note.is_whole:
                    self.must_look = True
                    break
                pieces.append((note.place, note.text))
        yield from self.pieces(pieces)

    def pieces(self, pieces: Iterable[tuple[int, str | None]]) -> Iterator[ServerSentEvent]:
        """Deltas and restarts; what came together is told together."""
        joined = ""
        for place, text in pieces:
            if text is None:
                yield from self._delta(joined)
                joined = ""
            self.place, self._serial = place, 0
            if text is None:
                yield self._event("status", self._status(*(self._told or ("running", 1)), restarted=True))
            else:
                joined += text
        yield from self._delta(joined)

    def turn(self, status: str, attempt: int) -> Iterator[ServerSentEvent]:
        """The job's status, when it is not the one that was told."""
        if self._told != (status, attempt):
            self._told = (status, attempt)
            self._serial += 1
            yield self._event("status", self._status(status, attempt))

    def end(self, stored: Look, job: dict[str, Any]) -> Iterator[ServerSentEvent]:
        """The last two."""
        self._serial += 1
        yield self._event("status", self._status(stored.status, stored.attempt))
        self._serial += 1
        yield self._event("done", {"job": job})

    def _delta(self, text: str) -> Iterator[ServerSentEvent]:
        if text:
            yield self._event("delta", {"text": text})

    @staticmethod
    def _status(status: str, attempt: int, *, restarted: bool = False) -> dict[str, object]:
        return {"status": status, "attempt": attempt, "restarted": restarted}

    def _event(self, name: str, data: dict[str, Any]) -> ServerSentEvent:
        return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=name, id=f"{self.place}.{self._serial}")
