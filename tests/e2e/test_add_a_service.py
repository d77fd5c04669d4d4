"""`docs/howto/add-a-service.md`, followed to the letter on a copy of the repository: the sixth service runs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "add-a-service.md"
COPIED = ("libs", "services", "tests/fakes", "docs", "pyproject.toml", "conftest.py", "requirements.lock")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_SECONDS = 240


def blocks(language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(PAGE.read_text()) if found == language]


def write_files(root: Path) -> None:
    """A code block whose first line is a comment with a path is that file."""
    for body in blocks("python") + blocks("toml"):
        first, _, text = body.partition("\n")
        path = root / first.removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def apply_changes(root: Path) -> None:
    """Each hunk's old lines must stand in the file exactly once."""
    for body in blocks("diff"):
        for file in re.split(r"^--- a/", body, flags=re.MULTILINE)[1:]:
            header, *hunks = re.split(r"^@@\n", file, flags=re.MULTILINE)
            path = root / header.split("\n")[0]
            text = path.read_text()
            for hunk in hunks:
                lines = hunk.splitlines()
                old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
                new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
                assert text.count(old) == 1, f"{path}: {old}"
                text = text.replace(old, new)
            path.write_text(text)


@pytest.fixture
def copy() -> Iterator[Path]:
    # Not pytest's own temporary folder: its mode keeps the user out that PostgreSQL runs as when we are root.
    root = Path("/tmp") / f"bidwright-howto-{os.getpid()}"
    shutil.rmtree(root, ignore_errors=True)
    for name in COPIED:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, target)
    yield root
    shutil.rmtree(root, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(root: Path) -> dict[str, str]:
    """An environment of the copy's own: its code, and the packages of the one that this test runs in."""
    homes = ("libs/*/src", "services/*/src", "tests/fakes/*/src")
    sources = [str(path) for home in homes for path in root.glob(home)]
    venv.create(root / ".venv", symlinks=True)
    binaries = root / ".venv" / "bin"
    packages = Path(sysconfig.get_path("purelib"))
    own_packages = root / ".venv" / packages.relative_to(sys.prefix)
    # A path that a .pth file names is searched, but its own .pth files, which point at the checkout, are not read.
    (own_packages / "copy.pth").write_text("\n".join([*sources, str(packages)]) + "\n")
    for tool in ("lint-imports", "pytest"):
        _, _, body = (Path(sys.executable).parent / tool).read_text().partition("\n")
        (binaries / tool).write_text(f"#!{binaries}/python\n{body}")
        (binaries / tool).chmod(0o755)
    (binaries / "ruff").symlink_to(Path(sys.executable).parent / "ruff")
    # What `./bidwright` does once its environment stands.
    (root / "bidwright").write_text(f'#!/bin/sh\nexec python -m devstack.cli --root "{root}" "$@"\n')
    (root / "bidwright").chmod(0o755)
    return {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "MYPYPATH": ":".join(sources)}


@pytest.mark.timeout(600)
def test_the_sixth_service_runs(copy: Path) -> None:
    write_files(copy)
    apply_changes(copy)
    env = environment(copy)
    port = str(free_port())
    (commands,) = blocks("sh")
    try:
        for command in commands.replace("8090", port).splitlines():
            done = subprocess.run(
                ["sh", "-c", command], cwd=copy, env=env, capture_output=True, text=True, timeout=COMMAND_SECONDS
            )
            assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
            if command.startswith("curl"):
                assert done.stdout.strip() == "401"
    finally:
        subprocess.run(["sh", "-c", "./bidwright down --data .bidwright-notes"], cwd=copy, env=env, capture_output=True)
