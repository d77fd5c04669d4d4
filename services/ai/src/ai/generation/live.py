"""What a running generation tells those who follow it: each piece once it is stored, and each turn of its job.

Over core NATS, a subject for each generation (docs/decisions/0012). A note may be lost with NATS; whoever follows sees
the gap in the places and reads what is stored.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from common.bus import Bus
from common.plumbing import Job

SUBJECT: Final = "live.ai.streams.{}"
MAX_NOTE_BYTES: Final = 500_000
"""NATS takes messages up to 1 MiB; of a longer piece only the place is told."""
MAX_WAITING: Final = 256
"""Of one listener, who is then slower than any writer: it reads what is stored instead."""


@dataclass(frozen=True, slots=True)
class Note:
    """A piece, when it has a place, else a turn of the job."""

    place: int | None = None
    text: str | None = None
    """None: the text begins anew."""
    is_whole: bool = True
    """False: the piece was too long to be told."""
    status: str = ""
    attempt: int = 0


@dataclass
class Inbox:
    """What a listener has been told and has not read."""

    is_live: bool = False
    """Whether anything can be heard; else what is stored must be looked at often."""
    _notes: deque[Note] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))
    _come: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, payload: bytes) -> None:
        """Takes a note."""
        self._notes.append(Note(**json.loads(payload)))
        self._come.set()

    async def read(self, seconds: float) -> list[Note]:
        """All that has come, oldest first; waits so long for the first, and returns nothing when none came."""
        if not self._notes:
            try:
                async with asyncio.timeout(seconds):
                    await self._come.wait()
            except TimeoutError:
                return []
        self._come.clear()
        notes = list(self._notes)
        self._notes.clear()
        return notes


class Live:
    """Tells and hears."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def tell_piece(self, generation_id: UUID, place: int, text: str | None) -> None:
        """A stored piece. Never raises."""
        payload = json.dumps({"place": place, "text": text}).encode()
        if len(payload) > MAX_NOTE_BYTES:
            payload = json.dumps({"place": place, "is_whole": False}).encode()
        await self._bus.hint(SUBJECT.format(generation_id), payload)

    async def tell_job(self, job: Job) -> None:
        """The job began, went back to the queue, or ended. Never raises."""
        payload = json.dumps({"status": job.status, "attempt": job.attempt}).encode()
        await self._bus.hint(SUBJECT.format(job.id), payload)

    @asynccontextmanager
    async def follow(self, generation_id: UUID) -> AsyncIterator[Inbox]:
        """An inbox that hears all that is told from now on."""
        inbox = Inbox()
        async with self._bus.hints(SUBJECT.format(generation_id), inbox.hear) as inbox.is_live:
            yield inbox
