"""What the scripts wrote: found in a folder, checked against its checksum, and decrypted when it needs to be."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import StackError, UsageError

PRIVATE_KEY = "BACKUP_PRIVATE_KEY_FILE"
PASSPHRASE = "BACKUP_PASSPHRASE_FILE"  # noqa: S105  # the name of a setting
DECRYPT_SECONDS = 3600  # a gigabyte takes some ten seconds; this only ends what hangs
_NAME = re.compile(r"(db|media)-(\d{8}T\d{6}Z)\.(?:dump|tar)(\.gpg)?")


class DamagedArtifact(StackError):
    """An artifact is not what was written."""


@dataclass(frozen=True)
class Artifact:
    """A file that a backup script made."""

    path: Path
    kind: str
    stamp: str
    encrypted: bool

    def verify(self) -> None:
        """Compare it with the checksum beside it; raises DamagedArtifact."""
        beside = self.path.with_name(f"{self.path.name}.sha256")
        try:
            wanted = beside.read_text().split()[0]
        except (OSError, IndexError):
            raise DamagedArtifact(f"{self.path} has no checksum beside it ({beside.name}): not restored") from None
        with self.path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != wanted:
            raise DamagedArtifact(f"{self.path} is damaged (its SHA-256 is not the one beside it): not restored")

    def opened(self, folder: Path) -> Path:
        """The plain file: itself, or decrypted into the folder. Raises StackError when the key does not fit."""
        if not self.encrypted:
            return self.path
        return _decrypt(self.path, folder / self.path.name.removesuffix(".gpg"))


def find(source: Path) -> tuple[Artifact, Artifact | None]:
    """The newest dump in a folder (or the dump that is named), and the objects that belong to it.

    They are the first that were taken after the dump, else the last before it.
    """
    folder = source if source.is_dir() else source.parent
    if not source.exists():
        raise UsageError(f"there is no {source}")
    found = [_artifact(path) for path in folder.iterdir()]
    dumps = sorted((one for one in found if one and one.kind == "db"), key=lambda one: one.stamp)
    if not source.is_dir():
        dumps = [one for one in dumps if one.path.name == source.name]
    if not dumps:
        raise UsageError(f"{source} holds no dump of a database (db-<time>.dump)")
    dump = dumps[-1]
    media = sorted((one for one in found if one and one.kind == "media"), key=lambda one: one.stamp)
    after = [one for one in media if one.stamp >= dump.stamp]
    before = [one for one in media if one.stamp < dump.stamp]
    return dump, after[0] if after else before[-1] if before else None


def _artifact(path: Path) -> Artifact | None:
    match = _NAME.fullmatch(path.name)
    if match is None or not path.is_file():
        return None
    return Artifact(path, match[1], match[2], match[3] is not None)


def _decrypt(source: Path, target: Path) -> Path:
    key = os.environ.get(PRIVATE_KEY, "")
    if not key:
        raise UsageError(f"{source.name} is encrypted: give the private key's file in {PRIVATE_KEY}")
    if not Path(key).is_file():
        raise UsageError(f"{PRIVATE_KEY}: there is no file {key}")
    if shutil.which("gpg") is None:
        raise UsageError("gpg is not installed: it is needed to decrypt a backup")
    # A keyring of its own, and in a short path: the agent's socket lies in it.
    home = tempfile.mkdtemp(prefix="bw-gpg-")
    base = ["gpg", "--batch", "--no-tty", "--quiet", "--homedir", home, "--pinentry-mode", "loopback"]
    if passphrase := os.environ.get(PASSPHRASE):
        base += ["--passphrase-file", passphrase]
    else:
        base += ["--passphrase", ""]
    try:
        _gpg([*base, "--import", key], f"{PRIVATE_KEY}: {key} holds no key that gpg can read")
        _gpg(
            [*base, "--output", str(target), "--decrypt", str(source)],
            f"{source.name} cannot be decrypted with the key in {key}",
        )
    except StackError:
        target.unlink(missing_ok=True)
        raise
    finally:
        subprocess.run(
            ["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True, timeout=10
        )
        shutil.rmtree(home, ignore_errors=True)
    return target


def _gpg(argv: list[str], refusal: str) -> None:
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=DECRYPT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{refusal}: gpg did not end in {DECRYPT_SECONDS} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise StackError(f"{refusal}: {lines[-1] if lines else 'gpg failed'}")
