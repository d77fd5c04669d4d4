"""``./bidwright billing ...``: billing's own operator commands, run with the environment of its worker.

What they do and their arguments are billing's: ``python -m billing.operate``. This only starts it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from devstack.data import DataFolder
from devstack.errors import UsageError
from devstack.stack import Stack

COMMANDS = (
    "events list | events show ID | events replay ID or --parked [--dry-run] | events ignore ID"
    " | reconcile [--org ID] [--dry-run]"
)


def split_data(words: list[str], command: str = "billing") -> tuple[list[str], Path | None]:
    """The words without ``--data DIR``, which may stand anywhere among them, and that folder."""
    rest: list[str] = []
    folder: Path | None = None
    given = iter(words)
    for word in given:
        name, equals, value = word.partition("=")
        if name != "--data":
            rest.append(word)
            continue
        if not equals and (value := next(given, "")) == "":
            raise UsageError(f"argument --data: expected one argument; see: ./bidwright {command} --help")
        folder = Path(value)
    return rest, folder


def run(root: Path, data: DataFolder, state: dict[str, Any], words: list[str]) -> int:
    """Start it and return its exit code. ``state`` is what the running supervisor wrote."""
    stack = Stack.of_state(root, data, state)
    argv = [sys.executable, "-m", "billing.operate", *words]
    return subprocess.run(argv, env=stack.service_env("billing", "worker"), check=False).returncode
