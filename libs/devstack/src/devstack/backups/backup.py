"""``./bidwright backup DIR``: the two production scripts on a running stack."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from devstack import binaries
from devstack.backups import running
from devstack.data import DataFolder
from devstack.errors import StackError
from devstack.stack import Stack

# The scripts end themselves before that (BACKUP_TIMEOUT_SECONDS, four hours).
_LONGEST_SECONDS = 5 * 3600
_PASSED_ON = ("BACKUP_PUBLIC_KEY_FILE", "RETAIN_DAYS", "BACKUP_TIMEOUT_SECONDS")


def run(root: Path, data: DataFolder, target: Path) -> int:
    """Take the database, then the objects: every object that the dump speaks of is there when it is copied."""
    stack, _ = running.require(root, data)
    env = _environment(stack, target)
    began = time.monotonic()
    _script(root, "pg_dump_daily.sh", env)
    if running.objects_folder(stack) is None:
        print(f"objects     not taken: {stack.settings['STORAGE_URL']} keeps its own versions and copies")
    else:
        _script(root, "media_backup.sh", env)
    print(f"backed up in {time.monotonic() - began:.1f} s; to put it back: ./bidwright restore {target}")
    return 0


def _environment(stack: Stack, target: Path) -> dict[str, str]:
    given = {**{key: os.environ[key] for key in _PASSED_ON if key in os.environ}}
    given |= {key: stack.settings[key] for key in _PASSED_ON if key in stack.settings}
    folder = running.objects_folder(stack)
    return {
        **stack.base_env(),
        **given,
        # The server's own pg_dump: an older one on PATH refuses it.
        "PATH": f"{binaries.require('pg_dump').parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "BACKUP_DATABASE_URL": stack.database_url("backup"),
        "BACKUP_DIR": str(target.absolute()),
        "MEDIA_ROOT": str(folder or ""),
    }


def _script(root: Path, name: str, env: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", str(root / "scripts" / name)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )
    if done.returncode != 0:
        raise StackError(f"backup failed: {done.stderr.strip() or f'{name} ended with {done.returncode}'}")
    path = Path(done.stdout.strip())
    print(f"{'database' if name.startswith('pg_dump') else 'objects':<11} {path} ({path.stat().st_size} bytes)")
