"""A whole product for a test, started and stopped by the command as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class RunningStack:
    """A whole product, started by ``./bidwright up``; ``env`` is what ``./bidwright env`` prints."""

    root: Path
    data: Path
    env: dict[str, str]

    @property
    def base_url(self) -> str:
        """Where the edge answers."""
        return self.env["BASE_URL"]

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``./bidwright WORDS --data ...`` on this stack."""
        return run_command(self.root, words[0], "--data", str(self.data), *words[1:], check=check)

    def mails(self, to: str) -> list[dict[str, Any]]:
        """The local mailbox's mails to an address, the newest first."""
        items: list[dict[str, Any]] = json.loads(self.command("mail", "--json").stdout)["items"]
        return [mail for mail in items if mail["to"] == to]


def run_command(root: Path, *words: str, check: bool = True, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    """Run ``./bidwright WORDS``; with ``check``, a failure shows what it printed."""
    argv = [sys.executable, str(root / "bidwright"), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout)
    if check and done.returncode != 0:
        pytest.fail(f"./bidwright {' '.join(words)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def parse_env(text: str) -> dict[str, str]:
    """KEY=VALUE lines as a dict."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@contextlib.contextmanager
def running_stack(root: Path, *settings: str) -> Iterator[RunningStack]:
    """Start a stack of its own with these KEY=VALUE settings; stopped and removed at the end.

    ``BIDWRIGHT_KEEP_STACK=1`` leaves its folder, with the logs, for a look.
    """
    data = Path(tempfile.mkdtemp(prefix="bidwright-stack-"))
    data.chmod(0o711)
    keep = os.environ.get("BIDWRIGHT_KEEP_STACK") == "1"
    try:
        run_command(root, "up", "--detach", "--port", "0", "--data", str(data), *settings)
        env = parse_env(run_command(root, "env", "--data", str(data)).stdout)
        yield RunningStack(root, data, env)
    finally:
        run_command(root, "down", "--data", str(data), check=False)
        if not keep:
            shutil.rmtree(data, ignore_errors=True)
