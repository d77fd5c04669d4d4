"""The stream of a generation: kept piece by piece while it is written, and read back by whoever listens.

A worker that takes over a killed one writes the text again. What listeners already have is not repeated: while the new
text begins as the old one did, only what is beyond it is kept. When it differs, a restart mark says: begin anew.
"""

from __future__ import annotations

import time
from typing import Final

from ai.generation.ports import JobDeps
from ai.generation.repository import GenerationRepository
from common.jobs import JobContext, LeaseLost

FLUSH_CHARACTERS: Final = 200
FLUSH_SECONDS: Final = 0.05


class DeltaLog:
    """Keeps the deltas of one running generation. Made by `open_log`."""

    def __init__(self, context: JobContext[JobDeps], *, position: int, known: str) -> None:
        self._context = context
        self._position = position
        self._known = known
        """What listeners have, or will have read, since the last restart."""
        self.text = ""
        """What this attempt has written."""
        self._flushed_at = float("-inf")

    async def add(self, delta: str) -> None:
        """Takes the next piece of text; stores it when there is enough of it or enough time has passed."""
        self.text += delta
        waiting = len(self.text) - len(self._known)
        is_due = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        if waiting >= FLUSH_CHARACTERS or (is_due and waiting > 0):
            await self._flush()

    async def close(self) -> str:
        """Stores what is left; returns the whole text."""
        if self.text != self._known:
            await self._flush()
        return self.text

    async def _flush(self) -> None:
        async with self._context.unit_of_work() as uow:
            org_id = self._context.job.org_id
            assert org_id is not None
            repository = GenerationRepository(uow.session, org_id)
            pieces: list[str | None] = (
                [self.text[len(self._known) :]] if self.text.startswith(self._known) else [None, self.text]
            )
            for piece in pieces:
                self._position += 1
                if not await repository.add_chunk(self._context.job.id, self._position, piece):
                    raise LeaseLost
            await uow.commit()
        self._known = self.text
        self._flushed_at = time.monotonic()


async def open_log(context: JobContext[JobDeps]) -> DeltaLog:
    """The log of this generation, knowing what earlier attempts have written."""
    async with context.unit_of_work() as uow:
        assert context.job.org_id is not None
        kept = await GenerationRepository(uow.session, context.job.org_id).chunks(context.job.id, after=0)
    known = ""
    for _, text in kept:
        known = "" if text is None else known + text
    return DeltaLog(context, position=kept[-1][0] if kept else 0, known=known)
