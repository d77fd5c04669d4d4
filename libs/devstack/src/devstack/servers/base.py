"""What the servers share: a child process, a port, and a readiness probe that a stranger on the port cannot pass."""

from __future__ import annotations

import abc
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from devstack import ports, processes
from devstack.errors import PartFailed, PortTaken


class Server(abc.ABC):
    """One server. ``start`` returns when it answers; ``stop`` when it is gone and reaped."""

    name: str
    start_timeout: float = 20
    stop_timeout: float = 5
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL

    def __init__(
        self, folder: Path, *, port: int, log: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        self.env = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", **(env or {})}
        self.port = port
        self.log = log or folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abc.abstractmethod
    def prepare(self) -> None:
        """Write folders and configuration; may be called on data of an earlier run."""

    @abc.abstractmethod
    def launch(self) -> subprocess.Popen[bytes]:
        """Spawn the process."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the process that we started is the one that answers on the port, and is ready."""

    def start(self) -> None:
        """Prepare, spawn, and wait until it answers; raises PartFailed with the end of its log otherwise."""
        self.spawn()
        self.wait_ready()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Prepare and spawn without waiting."""
        if not ports.is_free(self.port, self.host):
            raise PortTaken(f"{self.name}: port {self.port} is taken by another program")
        self.prepare()
        self.process = self.launch()
        return self.process

    def wait_ready(self) -> None:
        """Wait until it answers, as long as it lives."""
        deadline = time.monotonic() + self.start_timeout
        pause = 0.005
        while not self.answers():
            if self.process is None or self.process.poll() is not None:
                code = None if self.process is None else self.process.returncode
                raise PartFailed(f"{self.name} ended at once (exit {code}):\n{processes.tail(self.log)}")
            if time.monotonic() > deadline:
                self.stop()
                raise PartFailed(
                    f"{self.name} did not answer in {self.start_timeout:.0f} s:\n{processes.tail(self.log)}"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    @property
    def alive(self) -> bool:
        """Whether the child process lives."""
        return self.process is not None and self.process.poll() is None

    def drain(self, seconds: float) -> None:  # noqa: B027  # optional
        """Let what runs come to its end before a stop, for this long at most; most servers see to that themselves."""

    def stop(self) -> None:
        """End it; no effect when it is not running."""
        if self.process is not None:
            processes.stop(self.process, gentle=self.stop_signal, timeout=self.stop_timeout)
            self.process = None

    def kill(self) -> None:
        """End it as a power cut would; for tests of what survives that."""
        if self.process is not None:
            processes.stop(self.process, gentle=signal.SIGKILL, timeout=self.stop_timeout)
            self.process = None
