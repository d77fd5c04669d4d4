"""The two production scripts on a real PostgreSQL: whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tarfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from devstack import binaries, ports
from devstack.backups import artifacts
from devstack.backups.artifacts import DamagedArtifact
from devstack.errors import StackError
from devstack.pytest_plugin import DatabaseFactory, ServiceDatabase
from devstack.servers import Postgres

SCRIPTS = Path(__file__).parents[4] / "scripts"
DUMP, MEDIA = "pg_dump_daily.sh", "media_backup.sh"


@pytest.fixture(scope="module")
def database(service_database: DatabaseFactory) -> ServiceDatabase:
    return service_database("billing")


@dataclass
class Desk:
    """A folder for backups and one of objects, and the scripts on them."""

    home: Path
    database_url: str
    env: dict[str, str] = field(default_factory=dict)

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def media(self) -> Path:
        return self.home / "media"

    def argv(self, script: str, *, file_blocks: int | None = None) -> list[str]:
        if file_blocks is None:
            return ["/bin/sh", str(SCRIPTS / script)]
        return ["/bin/sh", "-c", f"ulimit -f {file_blocks}; trap '' XFSZ; exec /bin/sh {SCRIPTS / script}"]

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{binaries.require('pg_dump').parent}:{os.environ['PATH']}",
            "BACKUP_DATABASE_URL": self.database_url,
            "BACKUP_DIR": str(self.backups),
            "MEDIA_ROOT": str(self.media),
            **self.env,
            **more,
        }

    def run(self, script: str, *, file_blocks: int | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        argv = self.argv(script, file_blocks=file_blocks)
        return subprocess.run(
            argv, env=self.environment(**more), capture_output=True, text=True, check=False, timeout=60
        )

    def make(self, script: str, **more: str) -> Path:
        done = self.run(script, **more)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    def put(self, content: bytes) -> Path:
        name = hashlib.sha256(content).hexdigest()
        path = self.media / "uploads" / "org" / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def kept(self) -> set[str]:
        """All that is in the folder, but the locks."""
        if not self.backups.exists():
            return set()
        return {path.name for path in self.backups.iterdir() if not path.name.endswith(".lock")}


@pytest.fixture
def desk(tmp_path: Path, database: ServiceDatabase) -> Desk:
    desk = Desk(tmp_path, database.backup_url)
    desk.media.mkdir()
    return desk


@dataclass(frozen=True)
class Keys:
    """A pair of OpenPGP keys, and a private one of somebody else."""

    public: Path
    private: Path
    stranger: Path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    if shutil.which("gpg") is None:
        pytest.fail("There is no gpg on PATH. Install it: Debian's gnupg.")
    folder = tmp_path_factory.mktemp("keys")
    made = {}
    for who in ("ops", "stranger"):
        home = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())  # short: a socket lies in it
        base = ["gpg", "--batch", "--quiet", "--homedir", str(home), "--pinentry-mode", "loopback", "--passphrase", ""]
        subprocess.run([*base, "--quick-gen-key", f"{who}@example.org", "future-default"], check=True, timeout=60)
        for kind, word in (("public", "--export"), ("private", "--export-secret-keys")):
            made[who, kind] = folder / f"{who}-{kind}.asc"
            made[who, kind].write_bytes(subprocess.check_output([*base, "--armor", word], timeout=60))
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, timeout=10)
        shutil.rmtree(home)
    return Keys(made["ops", "public"], made["ops", "private"], made["stranger", "private"])


class TestADump:
    def test_is_there_with_its_checksum_and_can_be_read(self, desk: Desk) -> None:
        dump = desk.make(DUMP)
        assert desk.kept() == {dump.name, f"{dump.name}.sha256"}
        found, media = artifacts.find(desk.backups)
        found.verify()
        assert (found.path, media) == (dump, None)
        listed = subprocess.check_output([binaries.require("pg_restore"), "--list", dump], text=True)
        assert "TABLE DATA billing stripe_events" in listed
        assert dump.stat().st_mode & 0o077 == 0

    def test_has_the_rows_of_every_org(self, desk: Desk, database: ServiceDatabase) -> None:
        with psycopg.connect(database.admin_url) as connection:
            for number in (1, 2):
                connection.execute(
                    "INSERT INTO billing.storage_counts VALUES (gen_random_uuid(), 'uploads', %s)", (number,)
                )
        text = subprocess.check_output(
            [binaries.require("pg_restore"), "--data-only", "--table=storage_counts", "--file=-", desk.make(DUMP)],
            text=True,
        )
        assert text.count("\t1\n") == 1
        assert text.count("\t2\n") == 1

    def test_takes_a_password_with_every_kind_of_character(self, desk: Desk, database: ServiceDatabase) -> None:
        password = "p%4:/@ \\w"
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.execute("CREATE ROLE odd LOGIN PASSWORD 'p%4:/@ \\w' IN ROLE pg_read_all_data BYPASSRLS")
            connection.execute(f"GRANT CONNECT ON DATABASE {database.name} TO odd")
        before, _, after = database.backup_url.partition("://backup:")
        url = f"{before}://odd:{quote(password, safe='')}@{after.partition('@')[2]}"
        assert desk.make(DUMP, BACKUP_DATABASE_URL=url).exists()

    def test_shows_no_password_on_the_command_line(self, desk: Desk) -> None:
        spy = desk.home / "bin"
        spy.mkdir()
        (spy / "pg_dump").write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$SEEN"; echo dump\n')
        (spy / "pg_dump").chmod(0o755)
        seen = desk.home / "seen"
        path = f"{spy}:{os.environ['PATH']}"
        desk.make(DUMP, PATH=path, SEEN=str(seen), BACKUP_DATABASE_URL="postgresql://backup:hidden@host/db")
        assert "--dbname=postgresql://backup@host/db" in seen.read_text()
        assert "hidden" not in seen.read_text()

    @pytest.mark.parametrize(
        ("key", "value"), [("BACKUP_DATABASE_URL", ""), ("RETAIN_DAYS", "0"), ("RETAIN_DAYS", "a week")]
    )
    def test_a_bad_setting_is_named(self, desk: Desk, key: str, value: str) -> None:
        done = desk.run(DUMP, **{key: value})
        assert done.returncode == 2
        assert key in done.stderr

    def test_of_a_server_that_is_away_leaves_nothing(self, desk: Desk) -> None:
        done = desk.run(DUMP, BACKUP_DATABASE_URL=f"postgresql://backup:x@127.0.0.1:{ports.free_port()}/bidwright")
        assert done.returncode == 1
        assert desk.kept() == set()

    def test_of_a_server_that_is_killed_meanwhile_leaves_nothing(self, desk: Desk) -> None:
        # In a place that PostgreSQL's own user can reach.
        folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/bw-pg-XXXXXX"], text=True).strip())
        folder.chmod(0o711)
        server = Postgres(folder / "data", port=ports.free_port(), password="x", log=folder / "log", durable=False)
        try:
            server.start()
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(
                    "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 40) AS text FROM generate_series(1, 150000) n"
                )
            process = subprocess.Popen(
                desk.argv(DUMP), env=desk.environment(BACKUP_DATABASE_URL=server.url()), stderr=subprocess.PIPE
            )
            partial = wait_for_bytes(desk.backups)
            server.kill()
            _, errors = process.communicate(timeout=60)
        finally:
            server.stop()
            shutil.rmtree(folder)
        assert partial > 0
        assert process.returncode == 1, errors
        assert desk.kept() == set()

    def test_on_a_full_disk_leaves_nothing_and_the_last_good_one(self, desk: Desk) -> None:
        good = desk.make(DUMP)
        time.sleep(1.1)  # the names have seconds
        done = desk.run(DUMP, file_blocks=8)
        assert done.returncode == 1, done.stderr
        assert desk.kept() == {good.name, f"{good.name}.sha256"}

    def test_that_was_killed_is_swept_by_the_next(self, desk: Desk) -> None:
        (desk.backups / ".partial-db-dead").mkdir(parents=True)
        (desk.backups / ".partial-db-dead" / "dump").write_bytes(b"half")
        dump = desk.make(DUMP)
        assert desk.kept() == {dump.name, f"{dump.name}.sha256"}

    def test_told_to_stop_leaves_nothing(self, desk: Desk) -> None:
        slow = slow_pg_dump(desk)
        process = subprocess.Popen(desk.argv(DUMP), env=desk.environment(PATH=slow), start_new_session=True)
        wait_for_bytes(desk.backups)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) != 0
        assert desk.kept() == set()

    def test_two_at_once_are_one(self, desk: Desk) -> None:
        slow = slow_pg_dump(desk)
        first = subprocess.Popen(desk.argv(DUMP), env=desk.environment(PATH=slow), stdout=subprocess.PIPE)
        wait_for_bytes(desk.backups)
        second = desk.run(DUMP)
        assert second.returncode == 75
        assert "another db backup is running" in second.stderr
        first.communicate(timeout=30)
        assert first.returncode == 0
        assert len(desk.kept()) == 2


class TestRetention:
    def test_removes_what_is_too_old_but_never_the_last_good_one(self, desk: Desk) -> None:
        first = desk.make(DUMP)
        long_ago = time.time() - 40 * 86400
        os.utime(first, (long_ago, long_ago))
        time.sleep(1.1)
        failed = desk.run(DUMP, BACKUP_DATABASE_URL="postgresql://backup:x@127.0.0.1:1/none")
        assert failed.returncode == 1
        assert first.exists()
        second = desk.make(DUMP)
        assert desk.kept() == {second.name, f"{second.name}.sha256"}

    def test_keeps_what_is_young_and_what_is_not_its_own(self, desk: Desk) -> None:
        desk.put(b"one")
        media = desk.make(MEDIA)
        long_ago = time.time() - 40 * 86400
        os.utime(media, (long_ago, long_ago))
        first = desk.make(DUMP)
        time.sleep(1.1)
        second = desk.make(DUMP)
        assert {media.name, first.name, second.name} <= desk.kept()


class TestTheObjects:
    def test_are_all_in_the_archive_but_what_is_under_way(self, desk: Desk) -> None:
        one = desk.put(b"one")
        (one.parent / f"{one.name}#1").write_bytes(b"half")
        staging = desk.media / "uploads" / ".staging"
        staging.mkdir()
        (staging / "upload").write_bytes(b"not yet checked")
        with tarfile.open(desk.make(MEDIA)) as tar:
            files = [member.name for member in tar if member.isfile()]
        assert files == [f"./{one.relative_to(desk.media)}"]

    def test_of_a_volume_that_is_not_mounted_are_refused(self, desk: Desk) -> None:
        good = desk.put(b"one" * 10_000)
        desk.make(MEDIA)
        good.unlink()
        time.sleep(1.1)
        done = desk.run(MEDIA)
        assert done.returncode == 1
        assert "is the volume mounted?" in done.stderr
        assert len(desk.kept()) == 2
        assert desk.run(MEDIA, MEDIA_ROOT=str(desk.home / "gone")).returncode == 2

    def test_on_a_full_disk_leave_nothing(self, desk: Desk) -> None:
        desk.put(os.urandom(300_000))
        done = desk.run(MEDIA, file_blocks=8)
        assert done.returncode == 1, done.stderr
        assert desk.kept() == set()


class TestEncryption:
    def test_the_right_key_opens_it(self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.put(b"one")
        media = desk.make(MEDIA, BACKUP_PUBLIC_KEY_FILE=str(keys.public))
        assert media.suffix == ".gpg"
        assert b"uploads/org" not in media.read_bytes()
        desk.make(DUMP, BACKUP_PUBLIC_KEY_FILE=str(keys.public))
        _, found = artifacts.find(desk.backups)
        assert found is not None
        found.verify()
        monkeypatch.setenv(artifacts.PRIVATE_KEY, str(keys.private))
        with tarfile.open(found.opened(desk.home)) as tar:
            assert any(member.isfile() for member in tar)

    def test_another_key_is_refused(self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.make(DUMP, BACKUP_PUBLIC_KEY_FILE=str(keys.public))
        found, _ = artifacts.find(desk.backups)
        monkeypatch.setenv(artifacts.PRIVATE_KEY, str(keys.stranger))
        with pytest.raises(StackError, match="cannot be decrypted with the key"):
            found.opened(desk.home)
        assert not (desk.home / found.path.name.removesuffix(".gpg")).exists()

    def test_without_a_key_it_says_which_setting_names_it(
        self, desk: Desk, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.make(DUMP, BACKUP_PUBLIC_KEY_FILE=str(keys.public))
        monkeypatch.delenv(artifacts.PRIVATE_KEY, raising=False)
        found, _ = artifacts.find(desk.backups)
        with pytest.raises(StackError, match=artifacts.PRIVATE_KEY):
            found.opened(desk.home)

    def test_a_file_that_is_no_key_leaves_nothing(self, desk: Desk) -> None:
        nonsense = desk.home / "key"
        nonsense.write_text("nonsense")
        done = desk.run(DUMP, BACKUP_PUBLIC_KEY_FILE=str(nonsense))
        assert done.returncode == 1
        assert desk.kept() == set()


class TestADamagedArtifact:
    @pytest.mark.parametrize("damage", ["truncated", "changed", "no checksum"])
    def test_is_refused(self, desk: Desk, damage: str) -> None:
        dump = desk.make(DUMP)
        content = dump.read_bytes()
        if damage == "truncated":
            dump.write_bytes(content[:-1])
        elif damage == "changed":
            dump.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        else:
            dump.with_name(f"{dump.name}.sha256").unlink()
        found, _ = artifacts.find(desk.backups)
        with pytest.raises(DamagedArtifact):
            found.verify()


def slow_pg_dump(desk: Desk) -> str:
    """A PATH whose pg_dump writes something and then takes two seconds."""
    folder = desk.home / "slow"
    folder.mkdir()
    (folder / "pg_dump").write_text("#!/bin/sh\nhead -c 100000 /dev/zero; sleep 2; echo end\n")
    (folder / "pg_dump").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def wait_for_bytes(folder: Path) -> int:
    """Wait until a dump has begun to be written; how many bytes there are."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for path in folder.glob(".partial-*/dump"):
            if size := path.stat().st_size:
                return size
        time.sleep(0.005)
    raise AssertionError("nothing was written")
