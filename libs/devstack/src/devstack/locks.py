"""Writes the lock files from what the members ask for.

With hashes and without host names or comments, so that the files are the same wherever they are made; universal, so
that one file serves every platform. What is locked already stays unless a member asks for something newer.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

from devstack import bootstrap
from devstack.errors import StackError

_FLAGS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")


def _names(root: Path) -> list[str]:
    projects = [tomllib.loads((member / "pyproject.toml").read_text()) for member in bootstrap.members(root)]
    return sorted(project["project"]["name"] for project in projects)


def write(root: Path) -> int:
    """``requirements.lock`` for ``up``, ``requirements-test.lock`` for what ``test`` needs beyond it."""
    members = [str(member.relative_to(root) / "pyproject.toml") for member in bootstrap.members(root)]
    ours = [word for name in _names(root) for word in ("--no-emit-package", name)]
    _compile(root, [*ours, *members, "-o", "requirements.lock"])
    _compile(root, ["-c", "requirements.lock", "--group", "pyproject.toml:test", "-o", "requirements-test.lock"])
    print("wrote requirements.lock and requirements-test.lock; the next ./bidwright installs them")
    return 0


def _compile(root: Path, words: list[str]) -> None:
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
    argv = [str(bootstrap.Environment(root).uv), "pip", "compile", *_FLAGS, *words]
    done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"cannot lock:\n{done.stderr.strip()}")
