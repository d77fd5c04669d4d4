"""The data folder of a stack: who may use it, its secrets, its state, and everything its servers keep."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from devstack import parts, processes
from devstack.errors import DataFolderError
from devstack.servers.postgres import OUTSIDE, reachable

VERSION = 1
_NEEDED_BYTES = 300 * 1024 * 1024


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _signing_key() -> str:
    """An Ed25519 private key as PEM: PKCS #8 is a fixed prefix before the 32 random bytes."""
    import base64

    der = bytes.fromhex("302e020100300506032b657004220420") + secrets.token_bytes(32)
    return f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


class DataFolder:
    """One stack's folder. ``open`` makes or checks it; ``lock`` claims it for a running supervisor."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.objects = self.path / "objects"
        self.mailbox = self.path / "mailbox"
        self.clock = self.path / "clock"
        self._lock: int | None = None

    @property
    def exists(self) -> bool:
        """Whether a stack was ever started here."""
        return (self.path / "version").is_file()

    def open(self) -> None:
        """Make the folder, or check that it is one of ours, that we may write and that there is room."""
        try:
            fresh = not self.path.exists()
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            version = self.path / "version"
            if version.exists():
                self._check_version(version.read_text().strip())
            elif not fresh and any(self.path.iterdir()):
                raise DataFolderError(
                    f"{self.path} is not empty and not a data folder of Bidwright: choose another with --data"
                )
            free = shutil.disk_usage(self.path).free
            if free < _NEEDED_BYTES:
                raise DataFolderError(
                    f"no disk space: {free // 2**20} MiB free for {self.path}, {_NEEDED_BYTES // 2**20} MiB needed: "
                    "free some, or choose another folder with --data"
                )
            for folder in (self.logs, self.run, self.objects, self.mailbox):
                folder.mkdir(mode=0o700, exist_ok=True)
            if not version.exists():
                version.write_text(f"{VERSION}\n")
        except OSError as error:
            raise DataFolderError(self._explain(error)) from error

    def _check_version(self, found: str) -> None:
        if not found.isdigit():
            raise DataFolderError(f"{self.path}/version is damaged ({found[:20]!r}): choose another folder with --data")
        if int(found) > VERSION:
            raise DataFolderError(
                f"{self.path} was made by a newer Bidwright (data version {found}, this one knows {VERSION}): "
                "use that one, or choose another folder with --data"
            )

    def _explain(self, error: OSError) -> str:
        if error.errno == errno.ENOSPC:
            return f"no disk space left for {self.path}: free some, or choose another folder with --data"
        reason = os.strerror(error.errno or 0).lower()
        return f"cannot use the data folder {self.path} ({reason}): choose another with --data"

    def lock(self) -> bool:
        """Claim the folder until this process ends; False when a supervisor holds it."""
        handle = os.open(self.path / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def secrets(self) -> Secrets:
        """The stack's secrets: made once, then read; names that a later version adds are made on the way."""
        path = self.path / "secrets.json"
        found: dict[str, Any] = {}
        if path.exists():
            try:
                found = json.loads(path.read_text())
            except ValueError as error:
                raise DataFolderError(f"{path} is damaged: restore it, or choose another folder with --data") from error
        made = Secrets.complete(found)
        if made.values != found:
            write_private(path, json.dumps(made.values, indent=1))
        return made

    def read_state(self) -> dict[str, Any]:
        """What the last supervisor wrote; empty when there is nothing or it is damaged."""
        try:
            state = json.loads((self.run / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state at once, so that a reader never sees half of it."""
        write_private(self.run / "state.json", json.dumps(state))

    def log(self, part: str) -> Path:
        """The log file of a part."""
        return self.logs / f"{part}.log"

    def rotate_logs(self, limit: int = 20 * 1024 * 1024) -> None:
        """Move logs that grew large aside; the previous generation is dropped."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > limit:
                log.replace(log.with_suffix(".log.1"))

    def postgres_folder(self, stack_id: str) -> Path:
        """Where the cluster lives: inside, unless the user that PostgreSQL must run as cannot get there."""
        inside, outside = self.path / "postgres", OUTSIDE / "data" / stack_id
        user = processes.server_user(inside)
        # Where it was made it stays, also when permissions on the way change later.
        if not (outside / "postgres").exists() and (inside.exists() or user is None or reachable(self.path, user)):
            return inside
        outside.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Says whose it is: the sweep removes clusters whose data folder is gone.
        (outside / "data-folder").write_text(str(self.path))
        return outside / "postgres"


def sweep_outside() -> None:
    """Remove clusters kept outside whose data folder was deleted or made anew."""
    for kept in (OUTSIDE / "data").glob("*"):
        try:
            owner = Path((kept / "data-folder").read_text())
            known = json.loads((owner / "secrets.json").read_text())["stack_id"]
        except FileNotFoundError:
            known = ""
        except (OSError, ValueError, KeyError):
            continue  # cannot tell: keep
        if known != kept.name:
            shutil.rmtree(kept, ignore_errors=True)


class Secrets:
    """Everything random about a stack."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.passwords: dict[str, str] = values["passwords"]

    def __getitem__(self, name: str) -> str:
        return str(self.values[name])

    @classmethod
    def complete(cls, found: dict[str, Any]) -> Secrets:
        """Add what is missing."""
        defaults: dict[str, Any] = {
            "stack_id": secrets.token_hex(8),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_SIGNING_KEY": _signing_key(),
            "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(16)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
        }
        values = {**defaults, **found}
        values["passwords"] = {**parts.new_passwords(), **found.get("passwords", {})}
        return cls(values)
