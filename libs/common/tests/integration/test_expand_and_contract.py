"""Code of the version before runs on the schema of the next: while a new version rolls out, and when it is rolled back.

A migration marked `pre:` runs before the new code and therefore under the old one. One marked `post:` takes away what
only the code before used; it ships a release later, when none of that code runs any more.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from psycopg import sql
from sqlalchemy.exc import DBAPIError

from common import migrations, provision
from contracts import SERVICES

from .expanding import broken_promises, read, without_references, write_a_row

pytestmark = pytest.mark.integration

NOT_RELEASED = "nothing had been released yet: no code of the version before ran anywhere"
EXCUSED: dict[tuple[str, str], dict[str, str]] = {
    ("gateway", "0004"): {
        "audit.seq: is new": "a trigger gives it to every row",
        "audit.previous: is new": "a trigger gives it to every row",
        "audit.hash: is new": "a trigger gives it to every row",
        "audit: newly unique: USING btree (org_id, seq)": "the trigger counts on, whoever inserts",
    },
    ("billing", "0003"): {"stripe_events: newly checked": "the check of before, with one outcome more"},
    ("billing", "0004"): {"stored_files: the table is gone": NOT_RELEASED},
    ("billing", "0005"): {
        "usage_thresholds: no longer unique": NOT_RELEASED,
        "usage_thresholds: newly unique": "the key of before and the limit: refuses nothing that was taken before",
    },
    ("exports", "0003"): {
        "exports: no longer unique": NOT_RELEASED,
        "exports: newly unique": "the index of before and the page limit: refuses nothing that was taken before",
    },
}
"""By service and version, what a `pre:` migration changes of what was there (how the finding begins), and why code of
the version before does not suffer from it."""


def scripts_of(service: str) -> list[Script]:
    """A service's migrations, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "alembic"))
    config.set_main_option("path_separator", "os")
    found = __import__(f"{service}.migrations", fromlist=["migrations"])
    config.set_main_option("version_locations", str(Path(found.__path__[0]) / "versions"))
    return list(reversed(list(ScriptDirectory.from_config(config).walk_revisions())))


STEPS = [
    pytest.param(service, older.revision, newer.revision, id=f"{service}-{newer.revision}")
    for service in SERVICES
    for older, newer in pairwise(scripts_of(service))
    if newer.doc.startswith("pre: ")
]


@pytest.mark.parametrize("service", SERVICES)
def test_each_migration_says_when_it_runs(service: str) -> None:
    unmarked = [script.path for script in scripts_of(service) if not script.doc.startswith(("pre: ", "post: "))]
    assert unmarked == []


@pytest.fixture
def new_database(servers: Any) -> Iterator[Any]:
    """Makes a database for a service, provisioned, not migrated: the addresses of its owner and an administrator."""
    made = []

    def make(service: str) -> tuple[str, str]:
        made.append(name := f"empty_{service}_{uuid.uuid4().hex[:8]}")
        with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        admin = servers.postgres.url(database=name)
        provision.provision_database(admin, servers.passwords, services=[service])
        owner = f"{service}_owner"
        return servers.postgres.url(owner, servers.passwords[owner], name), admin

    yield make
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize(("service", "older", "newer"), STEPS)
async def test_code_of_the_version_before_reads_and_writes_on(
    new_database: Any, service: str, older: str, newer: str
) -> None:
    owner, admin = new_database(service)
    await asyncio.to_thread(migrations.upgrade, service, owner, to=older)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (f"{service}, extensions",))
        before = read(connection, service)
        without_references(connection, service)
        for table in before.columns:
            write_a_row(connection, service, table, before)
        await asyncio.to_thread(migrations.upgrade, service, owner, to=newer)
        after = read(connection, service)
        without_references(connection, service)
        broken, excused = broken_promises(before, after), EXCUSED.get((service, newer), {})
        told = {one for one in broken if not one.startswith(tuple(excused))}
        assert told == set(), "a `pre:` migration only adds; what it takes away is a `post:` one's, a release later"
        assert all(any(one.startswith(known) for one in broken) for known in excused), "an excuse for nothing"
        for table in before.columns.keys() & after.columns.keys():
            write_a_row(connection, service, table, before)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE uploads.uploads DROP COLUMN filename", "uploads.filename: the column is gone"),
        ("ALTER TABLE uploads.uploads RENAME page_count TO pages", "uploads.page_count: the column is gone"),
        ("ALTER TABLE uploads.uploads ALTER page_count TYPE int", "uploads.page_count: was int8, is int4"),
        ("ALTER TABLE uploads.uploads ALTER page_count SET NOT NULL", "uploads.page_count: must be given now"),
        ("ALTER TABLE uploads.uploads ADD COLUMN colour text NOT NULL", "uploads.colour: is new and must be given"),
        ("ALTER TABLE uploads.uploads ADD CHECK (size < 9)", "uploads: newly checked: CHECK ((size < 9))"),
        ("CREATE UNIQUE INDEX ON uploads.uploads (sha256)", "uploads: newly unique: USING btree (sha256)"),
        ("ALTER TABLE uploads.inbox DROP CONSTRAINT inbox_pkey", "inbox: no longer unique: USING btree (event_id)"),
        ("REVOKE DELETE ON uploads.uploads FROM uploads_app", "uploads: uploads_app may no longer DELETE"),
        ("DROP POLICY tenant ON uploads.uploads", "uploads: the policy tenant is gone"),
        ("DROP TABLE uploads.inbox", "inbox: the table is gone"),
    ],
)
def test_what_a_version_may_not_take_away_is_told(new_database: Any, change: LiteralString, told: str) -> None:
    owner, admin = new_database("uploads")
    aside = threading.Thread(target=migrations.upgrade, args=("uploads", owner))
    aside.start()
    aside.join()
    with psycopg.connect(admin) as connection:
        before = read(connection, "uploads")
        assert broken_promises(before, read(connection, "uploads")) == set()
        connection.execute(change)
        assert broken_promises(before, read(connection, "uploads")) == {told}
        connection.rollback()


async def test_a_migration_that_waits_behind_a_long_transaction_gives_up_and_the_next_attempt_goes_through(
    new_database: Any,
) -> None:
    owner, admin = new_database("uploads")
    await asyncio.to_thread(migrations.upgrade, "uploads", owner, to="0003")
    with psycopg.connect(admin) as reader:
        reader.execute("SELECT count(*) FROM uploads.uploads")  # and goes on for long, as a report or a dump may
        since = time.monotonic()
        with pytest.raises(DBAPIError, match="lock timeout") as told:
            await asyncio.to_thread(migrations.upgrade, "uploads", owner)
        assert time.monotonic() - since < 10
        assert "ALTER TABLE uploads" in str(told.value)
    with psycopg.connect(admin) as connection:
        assert connection.execute("SELECT version_num FROM uploads.alembic_version").fetchall() == [("0003",)]
    assert await asyncio.to_thread(migrations.upgrade, "uploads", owner)
