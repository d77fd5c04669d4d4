"""NATS with JetStream: facts between the services, and work queues for their workers."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devstack import binaries, processes
from devstack.servers.base import Server


class Nats(Server):
    """A NATS server. ``authorization`` is the part of its configuration that names the users (common.provision)."""

    name = "nats"

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        authorization: str = "",
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port, log=log, env=env)
        self.authorization = authorization
        # A name that no other server on this machine has: the probe looks for it in the greeting.
        self._nonce = f"bidwright-{secrets.token_hex(6)}"

    def url(self, user: str, password: str) -> str:
        """The address for one of its users."""
        return f"nats://{user}:{password}@{self.host}:{self.port}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"server_name: {self._nonce}\nlisten: {self.host}:{self.port}\n"
            f"jetstream {{ store_dir: {json.dumps(str(self.folder / 'jetstream'))}, max_file_store: 10G }}\n"
            f"max_payload: 1MB\n{self.authorization}\n"
        )

    def launch(self) -> subprocess.Popen[bytes]:
        program = binaries.require("nats-server")
        return processes.spawn(
            [str(program), "-c", str(self.folder / "nats.conf")],
            log=self.log,
            env=self.env,
            death_signal=self.death_signal,
        )

    def answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                greeting = connection.makefile("rb").readline()
        except OSError:
            return False
        return greeting.startswith(b"INFO ") and json.loads(greeting[5:]).get("server_name") == self._nonce
