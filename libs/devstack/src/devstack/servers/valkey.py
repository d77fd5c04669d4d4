"""Valkey: sessions, rate limits and short caches. Nothing is persisted: it may be lost at any moment."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devstack import binaries, processes
from devstack.servers.base import Server


class Valkey(Server):
    """A Valkey that listens on the loopback and wants a password."""

    name = "valkey"

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        password: str,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port, log=log, env=env)
        self.password = password

    def url(self, database: int = 0) -> str:
        """The address of one of its sixteen databases."""
        return f"redis://:{self.password}@{self.host}:{self.port}/{database}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "valkey.conf"
        # The password stands in a file that only we can read, not in the process list.
        config.touch(mode=0o600)
        config.write_text(
            f"bind {self.host}\nport {self.port}\nrequirepass {self.password}\ndir {self.folder}\n"
            'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy volatile-lru\nio-threads 1\n'
        )

    def launch(self) -> subprocess.Popen[bytes]:
        program = binaries.require("valkey-server")
        return processes.spawn(
            [str(program), str(self.folder / "valkey.conf")], log=self.log, env=self.env, death_signal=self.death_signal
        )

    def answers(self) -> bool:
        if self.process is None:
            return False
        reply = self.command("INFO", "server")
        return f"process_id:{self.process.pid}\r\n" in reply

    def flush(self, database: int) -> None:
        """Empty one database."""
        self._talk(["SELECT", str(database)], ["FLUSHDB"])

    def command(self, *words: str) -> str:
        """Run one command and give its raw reply; empty when nobody answers. For probes and tests, not for data."""
        return self._talk(list(words))

    def _talk(self, *commands: list[str]) -> str:
        request = "".join(
            f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
            for words in (["AUTH", self.password], *commands, ["QUIT"])
        )
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                connection.sendall(request.encode())
                reply = b""
                while chunk := connection.recv(65536):
                    reply += chunk
        except OSError:
            return ""
        return reply.decode(errors="replace")
