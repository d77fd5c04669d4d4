"""The child: `python -m exports.rendering FORMAT OUTPUT MEMORY_BYTES CPU_SECONDS`, the document as JSON on stdin.

Writes the file and prints its sha256 and size as one line of JSON. Exit 3: the content is refused; prints the reason.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import resource
import signal
import sys
from collections.abc import Callable, Sequence
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


def renderer(file_format: Format) -> Callable[[Document], bytes]:
    """The function that renders a format; only its engine is imported."""
    if file_format == "md":
        from exports.rendering.markdown import render as render_markdown

        return render_markdown
    if file_format == "pdf":
        from exports.rendering.pdf import render as render_pdf

        return render_pdf
    from exports.rendering.docx import render as render_docx

    return render_docx


def main(argv: Sequence[str]) -> int:
    """Renders one file and returns the exit code."""
    file_format, output, memory_bytes, cpu_seconds = argv
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _die_with_parent()
    sys.setrecursionlimit(_STACK_DEPTH)
    document = Document.parse(sys.stdin.buffer.read().decode())
    try:
        data = renderer(_format(file_format))(document)
    except RenderRefused as refusal:
        json.dump({"refused": str(refusal)}, sys.stdout)
        return REFUSED
    Path(output).write_bytes(data)
    json.dump({"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}, sys.stdout)
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
