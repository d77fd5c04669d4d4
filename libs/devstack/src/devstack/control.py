"""How the commands talk to a running supervisor: one JSON line each way on a socket that only its user can open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from devstack.data import DataFolder
from devstack.errors import StackError

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
_LONGEST = 100  # the kernel's limit for a socket's path is 107 bytes


def socket_path(data: DataFolder) -> Path:
    """In the data folder; where that path is too long for a socket, in a private temporary folder."""
    inside = data.run / "control.sock"
    if len(os.fsencode(inside)) <= _LONGEST:
        return inside
    return Path(tempfile.mkdtemp(prefix="bidwright-")) / "control.sock"


class ControlServer:
    """Answers requests with what ``handler`` returns."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        self.path.chmod(0o600)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            request = json.loads(await reader.readline())
            try:
                answer = await self._handler(request)
            except StackError as error:
                answer = {"error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        self.path.unlink(missing_ok=True)
        if self.path.parent.name.startswith("bidwright-"):
            with contextlib.suppress(OSError):
                self.path.parent.rmdir()


def ask(path: str, request: dict[str, Any], *, timeout: float = 60) -> dict[str, Any]:
    """Send a request to the supervisor that listens at ``path``; raises StackError when it refuses or is gone."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
    except OSError as error:
        raise StackError(f"the supervisor does not answer ({error})") from error
    if not line:
        raise StackError("the supervisor ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise StackError(str(answer["error"]))
    return answer
