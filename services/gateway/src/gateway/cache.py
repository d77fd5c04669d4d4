"""Dropping cached facts when they change, so that the next request sees the change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final

from gateway import telemetry
from gateway.decision.valkey import FactStore, ValkeyAway

RETRY_SECONDS: Final = 0.5


class FactCache:
    """Forgets; and when Valkey is away, keeps at it until it is back, before a stale fact could be read again.

    Decisions read PostgreSQL while Valkey is away, so only its return matters. Should this process end meanwhile, what
    is stale there is gone after `FACT_LIFE_MS`.
    """

    def __init__(self, store: FactStore) -> None:
        self._store = store
        self._pending: set[str] = set()
        self._retrying: asyncio.Task[None] | None = None

    async def forget(self, keys: Iterable[str]) -> None:
        """Drops the facts under these keys; never raises. Call it after the commit, before answering."""
        wanted = list(keys)
        if not wanted:
            return
        try:
            await self._store.forget(wanted)
        except ValkeyAway:
            self._pending.update(wanted)
            telemetry.FORGET_PENDING.set(len(self._pending))
            if self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._retry())

    async def _retry(self) -> None:
        while self._pending:
            await asyncio.sleep(RETRY_SECONDS)
            batch = list(self._pending)
            try:
                await self._store.forget(batch)
            except ValkeyAway:
                continue
            self._pending.difference_update(batch)
            telemetry.FORGET_PENDING.set(len(self._pending))

    async def close(self) -> None:
        """Stops trying."""
        if self._retrying is not None:
            self._retrying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._retrying
