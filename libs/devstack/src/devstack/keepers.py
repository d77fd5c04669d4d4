"""One keeper for each part: starts it, watches it, restarts it with growing pauses when it ends by itself."""

from __future__ import annotations

import abc
import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from devstack import probes, processes
from devstack.children import Child, SpawnedChild
from devstack.errors import PartFailed, StackError
from devstack.nursery_client import NurseryClient
from devstack.servers import Server

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_AFTER = 60.0  # a part that ran this long starts again with the first pause
READY_TIMEOUT = 45.0
DRAIN_SECONDS = 2.0


class Part(abc.ABC):
    """How a part is started, asked and stopped."""

    name: str
    kind: str
    port: int
    log: Path
    stop_signal: int = signal.SIGTERM
    stop_timeout: float = 5.0

    @abc.abstractmethod
    async def launch(self) -> Child:
        """Start a process."""

    @abc.abstractmethod
    async def is_ready(self) -> bool:
        """Ask it."""

    async def drain(self, seconds: float) -> None:  # noqa: B027  # optional
        """Before a stop: no new work, and this long at most for what runs. Most parts do so when they are stopped."""


class ServerPart(Part):
    """One of the real servers."""

    kind = "server"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name, self.port, self.log = server.name, server.port, server.log
        self.stop_signal, self.stop_timeout = server.stop_signal, server.stop_timeout

    async def launch(self) -> Child:
        return SpawnedChild(self.server.spawn())

    async def is_ready(self) -> bool:
        # The probe of a server may block for a moment on a socket; a thread keeps the supervisor answering.
        return await asyncio.to_thread(self.server.answers)

    async def drain(self, seconds: float) -> None:
        await asyncio.to_thread(self.server.drain, seconds)


class ForkedPart(Part):
    """A Python process forked from the nursery."""

    def __init__(
        self,
        name: str,
        kind: str,
        port: int,
        *,
        module: str,
        argv: Sequence[str],
        env: dict[str, str],
        log: Path,
        nursery: Callable[[], NurseryClient],
        probe: str = "/readyz",
    ) -> None:
        self.name, self.kind, self.port, self.log = name, kind, port, log
        self.module, self.argv, self.env, self.probe = module, list(argv), env, probe
        self._nursery = nursery

    async def launch(self) -> Child:
        return await self._nursery().spawn(self.name, self.module, self.argv, env=self.env, log=self.log)

    async def is_ready(self) -> bool:
        reply = await probes.get(self.port, self.probe)
        return reply.status == 200


class Keeper:
    """Keeps one part running from ``start`` to ``stop``."""

    def __init__(self, part: Part, changed: Callable[[], None]) -> None:
        self.part = part
        self.child: Child | None = None
        self.restarts = 0
        self.state = "stopped"
        self.launched = 0.0
        self.process_started: float | None = None
        self._changed = changed
        self._watch: asyncio.Task[None] | None = None
        self._failures = 0

    def row(self, *, ready: bool) -> dict[str, Any]:
        """The part's row in ``status``."""
        running = self.child is not None and self.child.returncode is None
        return {
            "name": self.part.name,
            "kind": self.part.kind,
            "pid": self.child.pid if running and self.child else None,
            "port": self.part.port,
            "ready": ready and running,
            "uptime_s": round(time.monotonic() - self.launched, 1) if running else 0.0,
            "restarts": self.restarts,
            "state": self.state,
            "started": self.process_started if running else None,
        }

    def _set(self, state: str) -> None:
        self.state = state
        self._changed()

    async def start(self) -> None:
        """Start it for the first time: returns when it is ready, raises PartFailed when it does not come up."""
        await self._launch()
        await self._until_ready()
        self._watch = asyncio.create_task(self._keep())

    async def _launch(self) -> None:
        self._set("starting")
        self.child = await self.part.launch()
        self.launched = time.monotonic()
        self.process_started = processes.start_time(self.child.pid)
        self._changed()

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        pause = 0.02
        while not await self.part.is_ready():
            code = self.child.returncode if self.child else 1
            if code is not None:
                raise PartFailed(f"{self.part.name} {_how(code)}: {last_words(self.part.log)}")
            if time.monotonic() > deadline:
                raise PartFailed(f"{self.part.name} was not ready in {READY_TIMEOUT:.0f} s: {self.part.log}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, 0.25)
        # The one that answered must be ours, and must not have ended since.
        if self.child is None or self.child.returncode is not None:
            raise PartFailed(f"{self.part.name} ended after it was ready: {last_words(self.part.log)}")
        self._set("running")

    async def _keep(self) -> None:
        while True:
            if self.child is not None:
                await self._wait_for_end()
                if time.monotonic() - self.launched > STEADY_AFTER:
                    self._failures = 0
            pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
            self._failures += 1
            self._set("waiting")
            await asyncio.sleep(pause)
            self.restarts += 1
            try:
                await self._launch()
            except (StackError, OSError):
                self.child = None

    async def _wait_for_end(self) -> None:
        """Wait for the child's end; on the way note when it has become ready."""
        assert self.child is not None
        ended = asyncio.ensure_future(self.child.wait())
        try:
            while not ended.done():
                if self.state != "running" and await self.part.is_ready():
                    self._set("running")
                await asyncio.wait({ended}, timeout=None if self.state == "running" else 0.2)
        finally:
            ended.cancel()

    async def stop(self, timeout: float | None = None) -> None:
        """Stop watching, then the part."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self.child is not None:
            self._set("stopping")
            limit = timeout or self.part.stop_timeout
            await self.part.drain(min(limit, DRAIN_SECONDS))
            await self.child.stop(gentle=self.part.stop_signal, timeout=limit)
            self.child = None
        self._set("stopped")

    async def restart(self) -> None:
        """Stop and start on request; counts as a restart."""
        await self.stop()
        self.restarts += 1
        self._failures = 0
        await self._launch()
        self._watch = asyncio.create_task(self._keep())
        deadline = time.monotonic() + READY_TIMEOUT
        while self.state != "running":
            if time.monotonic() > deadline:
                raise PartFailed(f"{self.part.name} is not ready yet: {last_words(self.part.log)}")
            await asyncio.sleep(0.05)


def _how(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def last_words(log: Path) -> str:
    """The last line of a log that says something; a refusal of a setting is one such line."""
    lines = [line.strip() for line in processes.tail(log, 40).splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'without a word'} (log: {log})"
