"""The supervisor's side of the preloading parent: start it, have it fork children, hear of their ends."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devstack import processes
from devstack.children import Child
from devstack.errors import PartFailed

READY_TIMEOUT = 60.0


class ForkedChild(Child):
    """A child of the nursery; its end is told by a message."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def finish(self, code: int) -> None:
        """Note how it ended."""
        if not self._ended.done():
            self._ended.set_result(code)


class NurseryClient:
    """One nursery process. Its children die with it."""

    def __init__(self, *, packages: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.packages = list(packages)
        self.log = log
        self.env = dict(env)
        self.process: subprocess.Popen[bytes] | None = None
        self.loaded = asyncio.get_running_loop().create_future()
        self._children: dict[int, ForkedChild] = {}
        self._early: dict[int, int] = {}
        self._spawned: dict[int, asyncio.Future[int]] = {}
        self._ids = itertools.count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def busy(self) -> bool:
        """Whether any child of it still runs."""
        return bool(self._children)

    async def start(self) -> None:
        """Spawn it; it goes on importing in the background, ``spawn`` waits for that."""
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        argv = [sys.executable, "-P", "-m", "devstack.nursery", str(theirs.fileno()), str(parent), *self.packages]
        with theirs, self.log.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._handle(json.loads(line))
        except (ConnectionError, ValueError):
            pass
        finally:
            if not self.loaded.done():
                self.loaded.set_exception(PartFailed(f"the preloading parent ended:\n{processes.tail(self.log)}"))
                self.loaded.exception()  # looked at, so that nobody waiting for it is not an error of its own
            # Whatever lived in it died with it.
            for child in self._children.values():
                child.finish(-signal.SIGKILL)
            self._children.clear()
            for waiting in self._spawned.values():
                if not waiting.done():
                    waiting.set_exception(PartFailed("the preloading parent ended"))

    def _handle(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "ready":
                self.loaded.set_result(message)
            case "spawned":
                waiting = self._spawned.pop(message["id"])
                # A start that was given up meanwhile: the child ends with its parent.
                if not waiting.done():
                    waiting.set_result(message["pid"])
            case "exit":
                child = self._children.pop(message["pid"], None)
                if child is None:
                    self._early[message["pid"]] = message["code"]
                else:
                    child.finish(message["code"])

    async def spawn(
        self, name: str, module: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path
    ) -> ForkedChild:
        """Fork a child that runs ``python -m module argv`` with exactly that environment, output to ``log``."""
        await asyncio.wait_for(asyncio.shield(self.loaded), READY_TIMEOUT)
        if self._writer is None or not self.alive:
            raise PartFailed(f"{name}: the preloading parent is gone")
        number = next(self._ids)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._spawned[number] = answer
        request = {"id": number, "name": name, "module": module, "argv": list(argv), "env": dict(env), "log": str(log)}
        self._writer.write(json.dumps(request).encode() + b"\n")
        child = ForkedChild(await answer)
        if child.pid in self._early:
            child.finish(self._early.pop(child.pid))
        else:
            self._children[child.pid] = child
        return child

    async def stop(self) -> None:
        """Close it; children that still run are killed."""
        if self._writer is not None:
            self._writer.close()
        if self.process is not None:
            process = self.process
            deadline = asyncio.get_running_loop().time() + 2
            while process.poll() is None and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.01)
            processes.stop(process, gentle=signal.SIGKILL)
        if self._reading is not None:
            await self._reading
