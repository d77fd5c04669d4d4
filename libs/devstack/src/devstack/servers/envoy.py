"""Envoy: the one listener in front of everything. Its configuration is written by the gateway's ``edge`` module."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from devstack import binaries, processes
from devstack.servers.base import Server


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
        argv += ["--concurrency", "2", "--service-node", self._node, "--service-cluster", "bidwright"]
        return processes.spawn(argv, log=self.log, env=self.env, cwd=self.folder, death_signal=self.death_signal)

    @property
    def _node(self) -> str:
        return f"bidwright-{self.port}-{self.admin_port}"

    def answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.admin_port}/ready", timeout=1) as reply:
                if reply.status != 200:
                    return False
            with urllib.request.urlopen(f"http://{self.host}:{self.admin_port}/server_info", timeout=1) as reply:
                return self._node.encode() in reply.read()
        except (OSError, urllib.error.URLError):
            return False
