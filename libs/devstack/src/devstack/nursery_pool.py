"""The preloading parents of a stack: one at a time gives children, older ones live on until their last child ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from devstack import processes
from devstack.errors import PartFailed
from devstack.nursery_client import NurseryClient

_WATCH_SECONDS = 0.3


class NurseryPool:
    """``make`` builds a client that is not started; ``sources`` are the folders whose code the parents hold."""

    def __init__(self, make: Callable[[], NurseryClient], sources: Iterable[Path], changed: Callable[[], None]) -> None:
        self._make = make
        self._sources = tuple(sources)
        self._changed = changed
        self._current: NurseryClient | None = None
        self._old: list[NurseryClient] = []
        self._since = 0.0

    def current(self) -> NurseryClient:
        """The one that gives children now."""
        if self._current is None:
            raise PartFailed("the preloading parent is not running")
        return self._current

    async def start(self) -> None:
        """Start a parent; it takes over from the one before."""
        self._since = time.time()
        nursery = self._make()
        await nursery.start()
        self._current = nursery
        self._changed()

    async def renew_if_stale(self) -> None:
        """When a source file is newer than the parent, let a new one take over for what starts next."""
        newest = await asyncio.to_thread(_newest, self._sources)
        if newest > self._since and self._current is not None:
            self._old.append(self._current)
            await self.start()

    async def watch(self) -> None:
        """For ever: start the parent again when it was killed. Its children died with it; their keepers see to them."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._current is not None and not self._current.alive:
                await self._current.stop()
                await self.start()
            for old in [old for old in self._old if not old.busy]:
                self._old.remove(old)
                await old.stop()

    async def stop(self) -> None:
        """End them all."""
        for nursery in (self._current, *self._old):
            if nursery is not None:
                await nursery.stop()
        self._current, self._old = None, []

    def rows(self) -> list[dict[str, Any]]:
        """Their pids, for the state file."""
        alive = [one.process for one in (self._current, *self._old) if one is not None and one.alive and one.process]
        return [
            {"name": "nursery", "pid": process.pid, "started": processes.start_time(process.pid)} for process in alive
        ]


def _newest(folders: Iterable[Path]) -> float:
    return max((file.stat().st_mtime for folder in folders for file in folder.rglob("src/**/*.py")), default=0.0)
