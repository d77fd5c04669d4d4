"""Runs the untrusting child (`uploads.child`) under limits of memory and time.

A child that dies is an answer (`ChildFailed`), never an accident: it is how bombs and crashing parsers are met. The
child sees neither our environment nor our connections, and its whole process group goes when it is not needed any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from uploads.extraction import ExtractedPage, Options
from uploads.inspection import Caps, Refused
from uploads.inspection.kinds import KindName

Failure = Literal["memory", "time", "crash"]

_LINE_BYTES: Final = 4 * 1024 * 1024
"""The longest line of an answer: a full page in which every character is escaped."""


class ChildFailed(Exception):
    """The child did not get to its end."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(failure, detail)
        self.failure: Failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use. `silent_seconds`: it is stopped when it says nothing for so long."""

    memory_bytes: int = 1 << 30
    total_seconds: float = 900
    silent_seconds: float = 120


async def inspect(kind: KindName, path: Path, caps: Caps, limits: Limits) -> None:
    """Raises `Refused` when the file is not sound or not harmless, also when checking it cannot be survived."""
    request = {"task": "inspect", "kind": kind, "path": str(path), "options": asdict(caps)}
    try:
        async with aclosing(_answers(request, limits)) as answers:
            async for answer in answers:
                if "refused" in answer:
                    raise Refused(answer["refused"], answer["detail"])
    except ChildFailed as failed:
        what = {"memory": "more memory", "time": "more time"}.get(failed.failure, "more care")
        raise Refused(
            "malformed_file",
            f"Checking the file needs {what} than is allowed. Save it as a new, simpler file and upload that.",
        ) from failed


async def extract(kind: KindName, path: Path, options: Options, limits: Limits) -> AsyncGenerator[ExtractedPage, None]:
    """The pages of the file as they are read; raises `ChildFailed` when a page defeats the child.

    Go on behind such a page by asking again with a later `options.first_page`.
    """
    request = {"task": "extract", "kind": kind, "path": str(path), "options": asdict(options)}
    async with aclosing(_answers(request, limits)) as answers:
        async for answer in answers:
            if "page" in answer:
                yield ExtractedPage(**answer["page"])


async def encode(kind: KindName, path: Path, target: Path, limits: Limits, *, output_bytes: int) -> None:
    """Writes the picture anew to `target`, which exists; raises `ChildFailed` when it defeats the child."""
    request = {"task": "encode", "kind": kind, "path": str(path), "target": str(target), "output_bytes": output_bytes}
    async with aclosing(_answers(request, limits)) as answers:
        async for _ in answers:
            pass


def starting_at(options: Options, page: int) -> Options:
    """The same options from another page on."""
    return replace(options, first_page=page)


async def _answers(request: dict[str, Any], limits: Limits) -> AsyncGenerator[dict[str, Any], None]:
    limited = request | {"memory_bytes": limits.memory_bytes, "cpu_seconds": int(limits.total_seconds) + 1}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "uploads.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_BYTES,
        start_new_session=True,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(limits.total_seconds):
            await _ask(process, limited)
            async for answer in _lines(process, limits.silent_seconds):
                if "error" in answer:
                    raise ChildFailed("memory" if answer["error"] == "memory" else "crash", answer["error"])
                yield answer
                if "done" in answer or "refused" in answer:
                    return
            code = await process.wait()
            raise ChildFailed("time" if code == -signal.SIGXCPU else "crash", f"the child ended with {code}")
    except TimeoutError as error:
        raise ChildFailed("time", "the child took too long") from error
    finally:
        await _end(process)


async def _ask(process: asyncio.subprocess.Process, request: dict[str, Any]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its end says so
        process.stdin.write(json.dumps(request).encode())
        await process.stdin.drain()
    process.stdin.close()


async def _lines(process: asyncio.subprocess.Process, silent_seconds: float) -> AsyncIterator[dict[str, Any]]:
    assert process.stdout is not None
    while True:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), silent_seconds)
        except ValueError as error:  # a line longer than the limit
            raise ChildFailed("crash", "the child's answer is too long") from error
        if not line.endswith(b"\n"):
            return
        yield json.loads(line)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the whole group: an OCR program may still run for a child that is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
