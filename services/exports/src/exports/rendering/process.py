"""The parent's side: one short-lived child for each file.

A compiler with threads must not be forked, and keeps half a gigabyte once it is warm. So every file is made by a fresh
interpreter with limits on memory, processor time and wall-clock time; a server that asks for files stays small, and
content that defeats an engine ends that child only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.exports import Format
from exports.rendering.__main__ import REFUSED
from exports.rendering.document import Document
from exports.rendering.errors import RenderInterrupted, RenderRefused


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use."""

    timeout_seconds: float = 60.0
    memory_bytes: int = 2 * 1024**3
    """Of address space. An engine maps far more than it touches: half a gigabyte of this is resident at most."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished file. A proposal's is a megabyte or two, so its bytes are simply here."""

    data: bytes
    sha256: str
    pages: int | None = None
    """Of a PDF; only a layout knows."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """The characters that a PDF shows as a white square because no bundled font has them, and how often."""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)


class Renderer:
    """Renders files in child processes, a bounded number at a time; further callers wait their turn."""

    def __init__(self, limits: Limits, *, concurrency: int) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(concurrency)

    async def render(self, document: Document, file_format: Format, template: bytes | None = None) -> Rendered:
        """The document as a file; `template` is the one that it names, prepared.

        RenderRefused: the content is the reason. RenderInterrupted: the child was killed or ran out of time or memory.
        """
        async with self._turns:
            with TemporaryDirectory(prefix="bidwright-export-") as folder:
                return await self._render(document, file_format, Path(folder), template)

    async def _render(self, document: Document, file_format: Format, folder: Path, template: bytes | None) -> Rendered:
        limits = self._limits
        output = folder / "file"
        extra = []
        if template is not None:
            extra.append(str(folder / "template.docx"))
            await asyncio.to_thread(Path(extra[0]).write_bytes, template)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",  # neither the working directory nor the environment decides what is imported
            "-m",
            "exports.rendering",
            file_format,
            str(output),
            str(limits.memory_bytes),
            str(max(1, round(limits.timeout_seconds * 2))),
            *extra,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"RAYON_NUM_THREADS": "2", "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limits.timeout_seconds):
                answer, complaint = await child.communicate(document.canonical().encode())
        except TimeoutError:
            raise RenderInterrupted(f"Rendering took longer than {limits.timeout_seconds:g} seconds.") from None
        finally:
            await _end(child)
        if child.returncode == REFUSED:
            raise RenderRefused(json.loads(answer)["refused"])
        if child.returncode != 0:
            last = complaint.decode(errors="replace").strip().rsplit("\n", 1)[-1][:300]
            raise RenderInterrupted(f"The rendering process ended with {child.returncode}: {last or 'no message'}")
        facts = json.loads(answer)
        data = await asyncio.to_thread(output.read_bytes)
        return Rendered(data, facts["sha256"], facts["pages"], facts["missing"])


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kills what is left of the child's group, also when we are cancelled, and reaps it."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await asyncio.shield(child.wait())
