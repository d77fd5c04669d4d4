"""A running child process as the supervisor sees it, however it was started."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
import signal
import subprocess


class Child(abc.ABC):
    """A child: its pid, how it ended, and the means to end it."""

    pid: int

    @property
    @abc.abstractmethod
    def returncode(self) -> int | None:
        """How it ended: the exit code, or minus the signal; None while it runs."""

    @abc.abstractmethod
    async def wait(self) -> int:
        """Wait for its end."""

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def stop(self, *, gentle: int = signal.SIGTERM, timeout: float = 5) -> None:
        """Ask it to end, wait, then kill it with everything in its session."""
        self.send_signal(gentle)
        try:
            await asyncio.wait_for(self.wait(), timeout)
        except TimeoutError:
            self.kill()
            await self.wait()
        # What it started itself must not stay either.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it and its session at once."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.send_signal(signal.SIGKILL)


class SpawnedChild(Child):
    """A child that we started ourselves."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.poll()

    async def wait(self) -> int:
        if self.process.poll() is None:
            await _end_of(self.pid)
        # Where the kernel cannot tell, or told a moment before the child can be collected.
        while (code := self.process.poll()) is None:
            await asyncio.sleep(0.05)
        return code


async def _end_of(pid: int) -> None:
    """Wait for a child's end without asking again and again, where the kernel offers that (Linux)."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
