"""``./bidwright jobs ...`` and ``./bidwright events ...``: what an operator does with any service's jobs and events.

What they do and their arguments are ``python -m common.operate``'s. This only starts it, with each service's rows as
its worker and NATS as its administrator.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from devstack import parts
from devstack.data import DataFolder
from devstack.stack import Stack

JOBS = "list [--state S] [--service S] [--json] | retry ID or --failed [--dry-run]"
EVENTS = (
    "tail [SUBJECT] [--since 1h] | dead list | dead show ID | dead replay ID or --all [--dry-run]"
    " | dead ignore ID --reason TEXT [--dry-run] | rebuild SERVICE... [--dry-run]"
)


def run(root: Path, data: DataFolder, state: dict[str, Any], words: list[str]) -> int:
    """Start it and return its exit code. ``words`` begin with the command, ``state`` is the running supervisor's."""
    stack = Stack.of_state(root, data, state)
    return subprocess.run([sys.executable, "-m", "common.operate", *words], env=env(stack), check=False).returncode


def env(stack: Stack) -> dict[str, str]:
    """What it needs to know of the stack."""
    rows = {
        f"{service.upper()}_WORKER_DATABASE_URL": stack.database_url(parts.role(service, "worker"))
        for service in parts.SERVICES
    }
    return {**stack.base_env(), **rows, "PROVISION_NATS_URL": stack.nats_url("admin")}
