"""Names forked processes in ``ps`` and ``top``: without it they would all show the parent's command line."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_PR_SET_NAME = 15


def set_title(name: str) -> None:
    """Show ``bidwright: NAME`` as this process's command line, as far as the original one leaves room. Linux only."""
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        # Fields 48 and 49 of stat: where the kernel reads this process's command line from, in our own memory. The
        # command stands in parentheses and may hold blanks, so the fields are counted from the last one.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        title = f"bidwright: {name}".encode()[: end - start - 1]
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, title, len(title))
    except (OSError, ValueError, IndexError):
        return
