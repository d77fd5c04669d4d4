"""docs/backups.md, "To a moment": its settings and its command, on a real server that is lost between two writes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack import ports
from devstack.pytest_plugin import TestServers
from devstack.servers import Postgres

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PAGE = Path(__file__).parents[4] / "docs" / "backups.md"
SECTION = PAGE.read_text().partition("\n## To a moment\n")[2]
ARCHIVING, GOING_BACK = re.findall(r"^```ini\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
(BASE,) = re.findall(r"^pg_basebackup .*$", SECTION, re.MULTILINE)


@pytest.fixture
def archive(servers: TestServers) -> Iterator[Path]:
    folder = servers.folder / "archive"
    folder.mkdir()
    give(servers.postgres, folder)
    yield folder
    shutil.rmtree(folder)


def give(server: Postgres, folder: Path) -> None:
    """To the user that the server runs as."""
    if server.user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, server.user.uid, server.user.gid)


def made(servers: TestServers, name: str) -> Postgres:
    # Durable, as the real one: what is archived is what was flushed.
    return Postgres(servers.folder / name, port=ports.free_port(), password="pw", log=servers.folder / f"{name}.log")


def configure(server: Postgres, lines: str) -> None:
    with (server.folder / "postgresql.auto.conf").open("a") as settings:
        settings.write(lines)


def words(connection: psycopg.Connection[tuple[str]]) -> list[str]:
    return [row[0] for row in connection.execute("SELECT word FROM said ORDER BY at")]


def test_the_database_comes_back_as_it_was_between_two_writes(servers: TestServers, archive: Path) -> None:
    lost = made(servers, "lost")
    lost.prepare()
    configure(lost, ARCHIVING.replace("/archive", str(archive)))
    lost.start()
    try:
        with psycopg.connect(lost.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE said (word text, at timestamptz DEFAULT clock_timestamp())")
            connection.execute("INSERT INTO said VALUES ('in the base')")
            command = BASE.replace("/archive", str(archive)).replace('"$SUPERUSER_URL"', lost.url())
            program, *rest = shlex.split(command)
            subprocess.run([str(lost.programs / program), *rest], check=True, timeout=60)
            connection.execute("INSERT INTO said VALUES ('kept')")
            time.sleep(0.2)
            moment = connection.execute("SELECT clock_timestamp()::text").fetchone()
            time.sleep(0.2)
            connection.execute("INSERT INTO said VALUES ('a mistake')")
            segment = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert moment is not None
        assert segment is not None
        deadline = time.monotonic() + 20
        while not (archive / segment[0]).exists():
            assert time.monotonic() < deadline, lost.log.read_text()[-2000:]
            time.sleep(0.1)
    finally:
        lost.kill()
    shutil.rmtree(lost.folder)

    again = made(servers, "again")
    (base,) = archive.glob("base-*")
    shutil.copytree(base, again.folder)
    (again.folder / "recovery.signal").touch()
    lines = re.sub(r"recovery_target_time = .*", f"recovery_target_time = '{moment[0]}'", GOING_BACK)
    configure(again, lines.replace("/archive", str(archive)))
    again.folder.chmod(0o700)
    give(again, again.folder)
    again.start()
    try:
        with psycopg.connect(again.url(), autocommit=True) as connection:
            while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                time.sleep(0.1)
            assert words(connection) == ["in the base", "kept"]
            connection.execute("INSERT INTO said VALUES ('and on')")  # it is no standby any more
            assert words(connection)[-1] == "and on"
    finally:
        again.stop()
        shutil.rmtree(again.folder)
