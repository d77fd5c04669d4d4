"""The child: `python -m exports.rendering FORMAT OUTPUT MEMORY_BYTES CPU_SECONDS [TEMPLATE]`, the document on stdin.

The document is JSON. Writes the file and prints its sha256, size, pages and missing characters as one line of JSON.
Exit 3: the content is refused; prints the reason.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exports.rendering.document import Document
from exports.rendering.errors import RenderRefused

if TYPE_CHECKING:
    from contracts.exports import Format

REFUSED: Final = 3
_PR_SET_PDEATHSIG: Final = 1
_STACK_DEPTH: Final = 20_000
"""Python frames; the parser calls itself for each level of a quote or list."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file and, of a PDF, how long it is and what it could not show."""

    data: bytes
    pages: int | None = None
    missing: Mapping[str, int] = field(default_factory=dict)


def render(document: Document, file_format: Format, template: bytes | None = None) -> Output:
    """Renders a format; only its engine is imported."""
    if file_format == "md":
        from exports.rendering.markdown import render as render_markdown

        return Output(render_markdown(document))
    if file_format == "pdf":
        from exports.rendering.pdf import render as render_pdf

        made = render_pdf(document)
        return Output(made.data, made.pages, made.missing)
    from exports.rendering.docx import render as render_docx

    return Output(render_docx(document, template))


def main(argv: Sequence[str]) -> int:
    """Renders one file and returns the exit code."""
    file_format, output, memory_bytes, cpu_seconds, *template = argv
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _die_with_parent()
    sys.setrecursionlimit(_STACK_DEPTH)
    document = Document.parse(sys.stdin.buffer.read().decode())
    try:
        made = render(document, _format(file_format), Path(template[0]).read_bytes() if template else None)
    except RenderRefused as refusal:
        json.dump({"refused": str(refusal)}, sys.stdout)
        return REFUSED
    Path(output).write_bytes(made.data)
    facts = {"pages": made.pages, "missing": dict(made.missing)}
    json.dump({"sha256": hashlib.sha256(made.data).hexdigest(), "size": len(made.data), **facts}, sys.stdout)
    return 0


def _die_with_parent() -> None:
    """So that a server that is killed leaves no child behind (Linux only; elsewhere the limits end it)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _format(name: str) -> Format:
    for known in ("md", "pdf", "docx"):
        if name == known:
            return known
    raise SystemExit(f"unknown format {name!r}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
