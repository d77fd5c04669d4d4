"""Ends what an earlier run of a stack left behind: found by the mark in its environment, and by the pids it noted.

Every process of a stack carries the stack's random id in its environment, its grandchildren too, so a process that
escaped its parent is still found, and nobody else's is ever taken for ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from devstack import processes
from devstack.stack import MARK


def marked(stack_id: str) -> list[int]:
    """The pids of all living processes of a stack, except this one and its parents. Linux only; elsewhere none."""
    if sys.platform != "linux":
        return []
    needle = f"{MARK}={stack_id}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), os.getppid()):
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        # A zombie has an empty environment, so it is not counted: it is dead already.
        if environment.startswith(needle) or b"\0" + needle in environment:
            found.append(int(entry.name))
    return found


def noted(state: dict[str, Any]) -> list[tuple[int, float]]:
    """The processes that the last supervisor wrote down, with the times they started."""
    rows = [*state.get("parts", []), *state.get("helpers", [])]
    return [(row["pid"], row["started"]) for row in rows if row.get("pid") and row.get("started")]


def sweep(stack_id: str, state: dict[str, Any], *, gentle_seconds: float = 3) -> int:
    """End every process of the stack and wait until it is gone; how many there were."""
    for pid, started in noted(state):
        processes.kill_stale(pid, started, gentle=signal.SIGINT, timeout=gentle_seconds)
    victims = set(marked(stack_id))
    deadline = time.monotonic() + gentle_seconds
    sent = False
    count = len(victims)
    while victims:
        hard = time.monotonic() > deadline
        if hard or not sent:
            for pid in victims:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    # SIGINT is PostgreSQL's fast shutdown, and stops the others too.
                    os.kill(pid, signal.SIGKILL if hard else signal.SIGINT)
            sent = True
        time.sleep(0.02)
        victims = set(marked(stack_id))
    return count
