"""What a file's bytes depend on besides its content: part of an export's identity, so that an upgrade is visible."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contracts.exports import Format  # the child does without pydantic, which takes as long to import as all else


TEMPLATE_VERSION: Final = "2"
"""Raise it with every change to the template, the tree or a writer that changes the bytes of any file."""

TEMPLATE_DATE: Final = date(2026, 11, 1)
"""Of this template version. PDF/A-2a wants a document date; the clock's would make every file a different one."""

_ENGINES: Final[dict[Format, tuple[str, ...]]] = {
    "md": ("markdown-it-py",),
    "pdf": ("typst", "fontpkg-noto-sans", "fontpkg-arimo", "manimgx-fonts", "justmytype-intl-cjk", "markdown-it-py"),
    "docx": ("python-docx", "lxml", "markdown-it-py"),
}


@cache
def engine_version(file_format: Format) -> str:
    """The libraries that write this format, as installed: `typst 0.15.2, fontpkg-noto-sans 2.15, ...`."""
    return ", ".join(f"{name} {version(name)}" for name in _ENGINES[file_format])
