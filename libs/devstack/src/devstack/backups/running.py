"""A running stack as an administrator of this machine sees it: its plan, and the servers' superusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack import commands, parts
from devstack.data import DataFolder
from devstack.errors import StackError
from devstack.servers import Postgres
from devstack.stack import HOST, Stack


def require(root: Path, data: DataFolder) -> tuple[Stack, dict[str, Any]]:
    """The plan and the state of a stack that runs; raises StackError when none does."""
    commands.running_env(data)
    state = data.read_state()
    if state.get("phase") != "running":
        raise StackError(f"the stack on {data.path} is {state.get('phase')}: wait until it runs")
    return Stack.of_state(root, data, state), state


def superuser_url(stack: Stack, database: str = parts.DATABASE) -> str:
    """PostgreSQL's superuser; the launcher's own, so it is never a setting."""
    password = stack.secrets.passwords["postgres"]
    return f"postgresql://{Postgres.superuser}:{password}@{HOST}:{stack.ports['postgres']}/{database}"


def objects_folder(stack: Stack) -> Path | None:
    """Where the object store is a folder; None behind the S3 API."""
    url = urlsplit(stack.settings.get("STORAGE_URL", stack.storage_url))
    return Path(url.netloc + url.path).resolve() if url.scheme == "file" else None
