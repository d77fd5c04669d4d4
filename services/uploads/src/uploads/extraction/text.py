"""Text files: decoded; a form feed starts a new page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uploads.extraction.pages import ExtractedPage, Options, numbered
from uploads.inspection.text import encoding_of


def read(path: Path, options: Options) -> Iterator[ExtractedPage]:
    """The pages of a text file."""
    data = path.read_bytes()
    yield from numbered(iter(data.decode(encoding_of(data)).split("\f")))
