"""A restore that cannot be made whole changes nothing, and says why."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import httpx
import psycopg
import pytest

from devstack.running import RunningStack

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def backups(stack: RunningStack, tmp_path: Path) -> Path:
    stack.command("backup", str(tmp_path))
    return tmp_path


def one(backups: Path, pattern: str) -> Path:
    (found,) = backups.glob(pattern)
    return found


def sign(artifact: Path) -> None:
    """Give it a checksum that fits, so that only a look inside can tell."""
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    artifact.with_name(f"{artifact.name}.sha256").write_text(f"{digest}  {artifact.name}\n")


def databases(stack: RunningStack) -> set[str]:
    with psycopg.connect(stack.env["BACKUP_DATABASE_URL"]) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def refused(stack: RunningStack, backups: Path) -> str:
    """What it says; nothing is left over, and the product works on as the same one."""
    before = databases(stack)
    folders = set(stack.data.iterdir())
    done = stack.command("restore", "--yes", str(backups), check=False)
    assert done.returncode == 1, done.stdout
    assert databases(stack) == before
    assert set(stack.data.iterdir()) == folders
    assert httpx.get(f"{stack.base_url}/readyz", timeout=10).status_code == 200
    return done.stderr


class TestARestoreIsRefused:
    def test_of_a_truncated_dump(self, stack: RunningStack, backups: Path) -> None:
        dump = one(backups, "db-*.dump")
        dump.write_bytes(dump.read_bytes()[:-100])
        assert "is damaged" in refused(stack, backups)

    def test_of_a_dump_that_ends_too_early(self, stack: RunningStack, backups: Path) -> None:
        dump = one(backups, "db-*.dump")
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
        sign(dump)
        assert "cannot be restored" in refused(stack, backups)

    def test_of_an_object_that_is_not_what_its_name_says(
        self, stack: RunningStack, backups: Path, tmp_path: Path
    ) -> None:
        media = one(backups, "media-*.tar")
        liar = tmp_path / ("0" * 64)
        liar.write_bytes(b"something else")
        with tarfile.open(media, "w") as tar:
            tar.add(liar, f"./uploads/org/00/{liar.name}")
        sign(media)
        assert "is not what its name says" in refused(stack, backups)

    def test_of_an_archive_that_climbs_out_of_its_folder(self, stack: RunningStack, backups: Path) -> None:
        media = one(backups, "media-*.tar")
        (backups / "evil").write_bytes(b"x")
        with tarfile.open(media, "w") as tar:
            tar.add(backups / "evil", "../../evil")
        sign(media)
        assert "cannot be unpacked" in refused(stack, backups)
