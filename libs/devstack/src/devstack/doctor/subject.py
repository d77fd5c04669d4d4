"""What is examined: a set of settings, and the stack that runs on it where one does and may be looked at."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from devstack import parts, processes
from devstack.backups.running import superuser_url
from devstack.data import DataFolder
from devstack.stack import Stack


@dataclass(frozen=True)
class Subject:
    """The settings under examination and what is known of the running stack.

    ``given`` holds a set of settings that was named on the command line; then they are taken as the whole environment
    of a deployment, and no stack is looked at. Otherwise ``plan`` is the stack, or None, and ``no_plan`` says why.
    """

    root: Path
    data: DataFolder
    given: dict[str, str] | None = None
    shell: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    plan: Stack | None = None
    no_plan: str = ""

    @cached_property
    def supervisor_lives(self) -> bool:
        """Whether the process that keeps the stack is there."""
        supervisor = self.state.get("supervisor") or {}
        return bool(supervisor.get("pid")) and processes.is_same(supervisor["pid"], supervisor.get("started") or 0.0)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that somebody chose."""
        return self.given if self.given is not None else dict(self.plan.settings if self.plan else {})

    def environment(self, service: str) -> dict[str, str]:
        """What the API of a service, or ``edge``, is given."""
        if self.given is not None or self.plan is None:
            return dict(self.given or {})
        if service == "edge":
            return self.plan.edge_env()
        return self.plan.service_env(service, "app")

    def setting(self, key: str, service: str = "gateway") -> str:
        """The value of a key for a service, as it would read it; empty when unset."""
        env = self.environment(service)
        for candidate in (f"{service.upper()}_{key}", key):
            if value := env.get(candidate, "").strip():
                return value
            if path := env.get(f"{candidate}_FILE", "").strip():
                try:
                    return Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError):
                    return ""
        return ""

    def on(self, key: str, service: str = "gateway") -> bool:
        """Whether a 0/1 setting is 1."""
        return self.setting(key, service).lower() in ("1", "true", "yes", "on")

    def port(self, name: str) -> int:
        """Where a part listens."""
        return int(self.state["ports"][name])

    @property
    def database_url(self) -> str:
        """PostgreSQL for an administrator: the superuser also gets in when all other places are taken."""
        assert self.plan is not None
        return superuser_url(self.plan, parts.DATABASE)


def of_stack(root: Path, data: DataFolder) -> Subject:
    """The stack of a data folder, as much of it as may be read."""
    shell = dict(os.environ)
    file = data.run / "state.json"
    if not data.exists:
        return Subject(root, data, shell=shell, no_plan=f"{data.path} is no data folder of a stack")
    if not os.access(file, os.R_OK) and (not os.access(data.run, os.X_OK) or file.exists()):
        return Subject(root, data, shell=shell, no_plan=f"no permission to read {file}: run this as its owner")
    state = data.read_state()
    if not state:
        return Subject(root, data, shell=shell, no_plan=f"{file} is missing or damaged: start the stack again")
    try:
        plan = Stack.of_state(root, data, state)
    except (OSError, KeyError) as error:
        return Subject(root, data, shell=shell, state=state, no_plan=f"cannot read the stack's secrets: {error}")
    return Subject(root, data, shell=shell, state=state, plan=plan)
