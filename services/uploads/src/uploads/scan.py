"""The virus scanner, an outside party: a command, or a clamd daemon. Whatever is not a clear 'clean' is a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import struct
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from common.telemetry import get_logger
from uploads import telemetry
from uploads.inspection.refusal import Refused

_CLEAN: Final = 0
_INFECTED: Final = 1
_CHUNK: Final = 64 * 1024
_CLAMD_PORT: Final = 3310
_CLAMD_REPLY_BYTES: Final = 4096
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""What a scanner sees of ours: none of the keys and passwords that the service is configured with."""

log = get_logger()


class Scanner(Protocol):
    """Looks for malware in a file."""

    async def scan(self, path: Path) -> None:
        """Returns when the file is clean; raises `Refused` (infected, scan_error)."""


class NoScanner:
    """Where no scanner is configured: every file passes."""

    async def scan(self, path: Path) -> None:
        return


class CommandScanner:
    """Runs a program: exit code 0 is clean, 1 infected, anything else an error.

    Args:
        template: its argv with `{path}`, split like a shell would, but never given to one.
        timeout_seconds: then its whole process group is killed.
    """

    def __init__(self, template: str, timeout_seconds: float) -> None:
        self._words = shlex.split(template)
        self._timeout = timeout_seconds

    async def scan(self, path: Path) -> None:
        command = [word.replace("{path}", str(path)) for word in self._words]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        except OSError as error:
            raise _scan_error(str(error)) from error
        try:
            async with asyncio.timeout(self._timeout):
                code = await process.wait()
        except TimeoutError as error:
            raise _scan_error(f"no verdict within {self._timeout} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if code == _INFECTED:
            raise _infected()
        if code != _CLEAN:
            raise _scan_error(f"exit code {code}")


class ClamdScanner:
    """Streams the file to clamd (INSTREAM). Past its own length limit clamd hangs up: an error, not clean."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or _CLAMD_PORT
        self._timeout = timeout_seconds

    async def scan(self, path: Path) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._ask(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise _scan_error(str(error) or type(error).__name__) from error
        if reply.endswith(b"FOUND"):
            raise _infected()
        if reply != b"stream: OK":
            raise _scan_error(reply.decode("utf-8", "replace")[:200] or "no reply")

    async def _ask(self, path: Path) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=_CLAMD_REPLY_BYTES)
        try:
            writer.write(b"zINSTREAM\0")
            with path.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK):
                    writer.write(struct.pack(">I", len(chunk)) + chunk)
                    await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return (await reader.readuntil(b"\0")).rstrip(b"\0").strip()
        finally:
            writer.close()


class CountedScanner:
    """Another scanner, with its verdicts counted."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    async def scan(self, path: Path) -> None:
        try:
            await self._scanner.scan(path)
        except Refused as refused:
            telemetry.SCANS.labels("infected" if refused.code == "infected" else "error").inc()
            raise
        telemetry.SCANS.labels("skipped" if isinstance(self._scanner, NoScanner) else "clean").inc()


def scanner_for(command: str, timeout_seconds: float) -> Scanner:
    """The scanner that VIRUSSCAN_CMD names."""
    if not command:
        return NoScanner()
    if command.startswith("clamd://"):
        return ClamdScanner(command, timeout_seconds)
    return CommandScanner(command, timeout_seconds)


def _infected() -> Refused:
    return Refused("infected", "The virus scanner found malware in the file. Check the computer that it comes from.")


def _scan_error(what: str) -> Refused:
    log.error("upload.scan_error", error=what)
    return Refused(
        "scan_error", "The file could not be checked for viruses, so it is not accepted. Try again in a while."
    )
