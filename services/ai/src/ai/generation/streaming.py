"""The stream of a generation: kept piece by piece while it is written, and read back by whoever listens.

A worker that takes over a killed one writes the text again, and so does the next provider when one broke off. What
listeners already have is not repeated: while the new text begins as the old one did, only what is beyond it is kept.
When it differs, a restart mark says: begin anew.
"""

from __future__ import annotations

import time
from typing import Final

from ai.generation.ports import JobDeps
from ai.generation.repository import GenerationRepository
from common.jobs import JobContext, LeaseLost

FLUSH_SECONDS: Final = 0.05
"""Between two pieces at least; faster than anyone reads."""
FLUSH_REST: Final = 4.0
"""And as many times as long as the last piece took to store: when many streams run at once, each stores larger pieces
instead of all of them standing in line."""


class DeltaLog:
    """Keeps the deltas of one running generation. Made by `open_log`."""

    def __init__(self, context: JobContext[JobDeps], *, position: int, known: str) -> None:
        self._context = context
        self._position = position
        self._known = known
        """What listeners have, or will have read, since the last restart."""
        self.text = ""
        """What this attempt has written."""
        self._due_at = float("-inf")

    async def add(self, delta: str) -> None:
        """Takes the next piece of text; stores what has come when enough time has passed, the first at once."""
        self.text += delta
        is_new = len(self.text) > len(self._known) or not self._known.startswith(self.text)
        if is_new and time.monotonic() >= self._due_at:
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
        now = time.monotonic()
        self._due_at = now + max(FLUSH_SECONDS, FLUSH_REST * (now - began))


async def open_log(context: JobContext[JobDeps]) -> DeltaLog:
    """The log of this generation, knowing what earlier attempts have written."""
    async with context.unit_of_work() as uow:
        assert context.job.org_id is not None
        kept = await GenerationRepository(uow.session, context.job.org_id).chunks(context.job.id, after=0)
    known = ""
    for _, text in kept:
        known = "" if text is None else known + text
    return DeltaLog(context, position=kept[-1][0] if kept else 0, known=known)
