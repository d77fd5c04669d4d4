"""Envoy: the one listener in front of everything. Its configuration is written by the gateway's ``edge`` module."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from devstack import binaries, processes
from devstack.servers.base import Server

RUNNING = r"^http\.edge\.downstream_rq_active$"
DRAIN_SECONDS = 2
"""In which connections are ended one by one."""


class Envoy(Server):
    """An Envoy on a configuration file that the caller has written."""

    name = "envoy"

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        admin_port: int,
        config: Path,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port, log=log, env=env)
        self.admin_port = admin_port
        self.config = config

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def launch(self) -> subprocess.Popen[bytes]:
        program = binaries.require("envoy")
        argv = [str(program), "-c", str(self.config), "--disable-hot-restart", "--log-level", "warn"]
        # One worker thread a core would be many on a big machine, and each has its own pools.
        argv += ["--concurrency", "2", "--file-flush-interval-msec", "1000", "--drain-time-s", str(DRAIN_SECONDS)]
        argv += ["--service-node", self._node, "--service-cluster", "bidwright"]
        return processes.spawn(argv, log=self.log, env=self.env, cwd=self.folder, death_signal=self.death_signal)

    def drain(self, seconds: float) -> None:
        """Says on /readyz that it goes, ends each connection with its next answer, and waits for what runs."""
        deadline = time.monotonic() + seconds
        try:
            self._admin("/healthcheck/fail", b"")
            self._admin("/drain_listeners?graceful&skip_exit", b"")
            while time.monotonic() < deadline and b": 0" not in self._admin(f"/stats?filter={RUNNING}"):
                time.sleep(0.05)
        except OSError:
            return  # it has ended, or does not answer: nothing to wait for

    def _admin(self, path: str, body: bytes | None = None) -> bytes:
        with urllib.request.urlopen(f"http://{self.host}:{self.admin_port}{path}", body, timeout=1) as reply:
            answer: bytes = reply.read()
            return answer

    @property
    def _node(self) -> str:
        return f"bidwright-{self.port}-{self.admin_port}"

    def answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        try:
            self._admin("/ready")
            return self._node.encode() in self._admin("/server_info")
        except OSError:
            return False
