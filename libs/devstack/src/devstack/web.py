"""Builds the single-page app with the wheel's Node, only when its sources changed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from devstack import binaries, processes
from devstack.errors import StackError

# The lock has every package's hash, so what the cache holds need not be asked for again.
_NPM_FLAGS = ("--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
_SKIPPED = {"node_modules", "dist", "test-results", "coverage"}


def _sources(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in _SKIPPED or entry.name.startswith(".bidwright"):
            continue
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.is_file():
            yield entry


def fingerprint(web: Path) -> str:
    """The hash of everything the build reads."""
    digest = hashlib.sha256()
    for file in _sources(web):
        digest.update(f"{file.relative_to(web)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


class WebApp:
    """The ``web`` folder of a checkout."""

    def __init__(self, root: Path, log: Path, env: dict[str, str]) -> None:
        self.folder = root / "web"
        self.dist = self.folder / "dist"
        self.log = log
        self.env = env

    @property
    def exists(self) -> bool:
        """Whether there is a project to build."""
        return (self.folder / "package.json").exists()

    async def ensure_built(self) -> bool:
        """Install and build when the sources changed since the last build; whether anything was done."""
        if not self.exists:
            return False
        # Two stacks that start at once must not build into each other's files.
        async with _alone(self.folder):
            wanted = fingerprint(self.folder)
            built = self.folder / "node_modules" / ".bidwright-built"
            if (self.dist / "index.html").exists() and _read(built) == wanted:
                with self.log.open("a") as log:  # so that `logs web` has an answer
                    log.write("nothing to build: the sources are those of the last build\n")
                return False
            await self.ensure_installed()
            await self._npm("run", "build")
            built.write_text(wanted)
            return True

    async def ensure_installed(self) -> None:
        """``npm ci`` when the lock is newer than npm's note of what it installed, which it writes last."""
        lock, note = self.folder / "package-lock.json", self.folder / "node_modules" / ".package-lock.json"
        if note.exists() and lock.exists() and note.stat().st_mtime >= lock.stat().st_mtime:
            return
        await self._npm("ci" if lock.exists() else "install", *_NPM_FLAGS)

    async def _npm(self, *words: str) -> None:
        node, npm = binaries.node_and_npm()
        # The caller's whole environment, other than for services: a mirror, a proxy, a certificate have to reach npm.
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        env = {**os.environ, **self.env, "PATH": path, "CI": "1", "NO_COLOR": "1"}
        process = processes.spawn([*npm, *words], log=self.log, env=env, cwd=self.folder)
        try:
            while process.poll() is None:
                await asyncio.sleep(0.05)
        finally:
            processes.stop(process)
        if process.returncode != 0:
            raise StackError(f"web: npm {words[0]} failed (see {self.log}):\n{processes.tail(self.log, 15)}")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@contextlib.asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.1)
        yield
    finally:
        os.close(handle)
