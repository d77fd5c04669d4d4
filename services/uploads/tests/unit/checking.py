"""What an upload goes through before the scanner sees it, as the service does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from uploads import sandbox
from uploads.bootstrap import INSPECTION_LIMITS
from uploads.domain import display_name
from uploads.inspection import KINDS, Caps, check_declared_type, check_signature, kind_of

Good = tuple[str, str, Callable[[], bytes]]
"""A sound file: what it shows, its name, how it is made."""


async def check(data: bytes, filename: str, declared: str | None, folder: Path) -> None:
    """Raises `Refused`."""
    kind = kind_of(display_name(filename), list(KINDS))
    check_signature(kind, data[:4096], ole_directory=data)
    check_declared_type(kind, declared)
    path = folder / "file"
    await asyncio.to_thread(path.write_bytes, data)
    await sandbox.inspect(kind.name, path, Caps(), INSPECTION_LIMITS)
