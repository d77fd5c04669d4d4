"""The stream of a generation: kept piece by piece while it is written, and read back by whoever listens.

A worker that takes over a killed one writes the text again, and so does the next provider when one broke off. What
listeners already have is not repeated: while the new text begins as the old one did, only what is beyond it is kept.
When it differs, a restart mark says: begin anew.
"""

from __future__ import annotations

import time
from typing import Final

from ai.generation.pieces import Pieces
from ai.generation.ports import JobDeps
from common.jobs import JobContext, LeaseLost

FLUSH_SECONDS: Final = 0.05
"""Between two pieces at least; faster than anyone reads."""
FLUSH_REST: Final = 4.0
"""And as many times as long as the last piece took to store: when many streams run at once, each stores larger pieces
instead of all of them standing in line."""
AWAITED_FLUSH_SECONDS: Final = 0.5
"""For a text whose user waits for the whole of it."""


class DeltaLog:
    """Keeps the deltas of one running generation. Made by `open_log`."""

    def __init__(self, context: JobContext[JobDeps], pieces: Pieces, *, position: int, known: str) -> None:
        self._context = context
        self._pieces = pieces
        self._position = position
        self._known = known
        """What listeners have, or will have read, since the last restart."""
        self.text = ""
        """What this attempt has written."""
        self._pause = AWAITED_FLUSH_SECONDS if context.is_awaited else FLUSH_SECONDS
        self._due_at = time.monotonic() + self._pause if context.is_awaited else float("-inf")

    async def add(self, delta: str) -> None:
        """Takes the next piece of text; stores what has come when enough time has passed, the first at once."""
        self.text += delta
        if time.monotonic() < self._due_at:
            return
        if len(self.text) > len(self._known) or not self._known.startswith(self.text):
            await self._flush()

    def restart(self) -> None:
        """The text so far is void. Listeners are told with the first words that differ from what they have."""
        self.text = ""
        self._due_at = float("-inf")

    async def close(self) -> str:
        """Stores what is left; returns the whole text."""
        if self.text != self._known:
            await self._flush()
        return self.text

    async def _flush(self) -> None:
        began = time.monotonic()
        if self.text.startswith(self._known):
            await self._keep(self.text[len(self._known) :])
        else:
            await self._keep(None)  # alone: the text after a mark that another worker has set is not ours to write
            await self._keep(self.text)
        self._known = self.text
        now = time.monotonic()
        self._due_at = now + max(self._pause, FLUSH_REST * (now - began))

    async def _keep(self, piece: str | None) -> None:
        org_id = self._context.job.org_id
        assert org_id is not None
        self._position += 1
        if not await self._pieces.keep(org_id, self._context.job.id, self._position, piece):
            raise LeaseLost


async def open_log(context: JobContext[JobDeps]) -> DeltaLog:
    """The log of this generation, knowing what earlier attempts have written."""
    pieces = context.deps.pieces or Pieces(context.db)
    known, position = "", 0
    if not context.is_first:
        assert context.job.org_id is not None
        for place, text in (await pieces.look(context.job.org_id, context.job.id, after=0)).pieces:
            known, position = ("" if text is None else known + text), place
    return DeltaLog(context, pieces, position=position, known=known)
