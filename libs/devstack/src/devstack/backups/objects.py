"""The objects' way back: unpacked aside, each compared with the hash that is its name, then swapped in by renaming."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from pathlib import Path

from devstack.backups.artifacts import DamagedArtifact

_HASH = re.compile(r"[0-9a-f]{64}")


def unpack(archive: Path, folder: Path) -> int:
    """Unpack into a new folder; how many objects. Raises DamagedArtifact when one is not what its name says."""
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(archive, "r:") as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise DamagedArtifact(f"{archive.name} cannot be unpacked: {error}") from error
    count = 0
    for path in folder.rglob("*"):
        if path.is_file() and _HASH.fullmatch(path.name):
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != path.name:
                    raise DamagedArtifact(f"{archive.name}: {path.relative_to(folder)} is not what its name says")
            count += 1
    return count


def is_empty(folder: Path) -> bool:
    """Whether the store holds no object."""
    return not any(path.is_file() and ".staging" not in path.parts for path in folder.rglob("*"))


def swap(fresh: Path, folder: Path, aside: Path) -> None:
    """Put the fresh folder in the place of the present one, which is kept aside."""
    if folder.exists():
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise


def discard(folder: Path) -> None:
    """Remove a folder that is not needed any more."""
    shutil.rmtree(folder, ignore_errors=True)
