"""Rights that end while they are in use: a stream ends with the session, membership or tier that it was opened with.

A request is short, so it is enough that the next one is refused. A stream is not: the gateway tells over core NATS
which facts have changed, and every process ends the streams that rest on one of them; the listener comes back and is
decided upon anew. The hint may be lost with NATS, so a stream must also end by itself after a while.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from nats.errors import Error as NatsError

from common.bus import Bus
from common.identity import Identity
from common.telemetry import get_logger

REVOKED: Final = "live.gateway.revoked"
SUBSCRIBE_RETRY_SECONDS: Final = 0.5
REMEMBERED_SECONDS: Final = 70.0
"""Longer than an identity lives: with one from before the change, a stream can still be opened after it."""
CREDENTIAL_LENGTH: Final = 18

log = get_logger()


def session_reference(token_hash: str) -> str:
    """A session, by the beginning of its secret's hash."""
    return f"s:{token_hash}"[:CREDENTIAL_LENGTH]


def key_reference(key_hash: str) -> str:
    """An API key."""
    return f"k:{key_hash}"[:CREDENTIAL_LENGTH]


def member_reference(user_id: object, org_id: object) -> str:
    """A person's place in an org."""
    return f"m:{user_id}:{org_id}"


def org_reference(org_id: object) -> str:
    """An org, its name and its tier."""
    return f"o:{org_id}"


def references(identity: Identity) -> tuple[str, ...]:
    """All that an identity rests on."""
    place = (member_reference(identity.user_id, identity.org_id), org_reference(identity.org_id))
    return (identity.credential, *place) if identity.credential else place


async def announce(bus: Bus, changed: Iterable[str]) -> None:
    """Tells every process which facts have changed. Never raises."""
    await bus.notify(REVOKED, json.dumps(sorted(changed)).encode())


class Revocations:
    """The open streams of this process, and what they rest on."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._open: dict[str, set[asyncio.Event]] = {}
        self._changed_at: dict[str, float] = {}

    @asynccontextmanager
    async def listening(self, bus: Bus) -> AsyncIterator[None]:
        """Hears the hints as long as this lasts, from when there is a connection."""
        task = asyncio.create_task(self._subscribe(bus))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def watch(self, identity: Identity) -> Iterator[asyncio.Event]:
        """An event that is set when something that the identity rests on has changed, or had before this began."""
        ended, named = asyncio.Event(), references(identity)
        # The token's time has whole seconds: one of the same second may be from after the change.
        if any(self._changed_at.get(name, 0.0) >= identity.issued_at + 1 for name in named):
            ended.set()
        for name in named:
            self._open.setdefault(name, set()).add(ended)
        try:
            yield ended
        finally:
            for name in named:
                self._open[name].discard(ended)
                if not self._open[name]:
                    del self._open[name]

    def hear(self, payload: bytes) -> None:
        """Ends the streams that a hint names; one that cannot be read is logged and has no effect."""
        try:
            changed = json.loads(payload)
        except ValueError:
            changed = None
        if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
            log.warning("revocations.unreadable")
            return
        now = self._clock()
        self._changed_at = {name: at for name, at in self._changed_at.items() if now - at < REMEMBERED_SECONDS}
        for name in changed:
            self._changed_at[name] = now
            for ended in self._open.get(name, ()):
                ended.set()

    async def _subscribe(self, bus: Bus) -> None:
        while True:
            try:
                if await bus.on_hint(REVOKED, self.hear):
                    return
            except (NatsError, OSError) as error:
                log.warning("revocations.not_heard", error=repr(error))
            await asyncio.sleep(SUBSCRIBE_RETRY_SECONDS)
