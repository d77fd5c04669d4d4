"""The database's way back: restored beside the present one, checked, then the names are exchanged.

Until that moment nothing that exists is touched, so a restore that fails half way changes nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from common import provision
from devstack import binaries, parts
from devstack.backups import running
from devstack.backups.artifacts import DamagedArtifact
from devstack.errors import StackError
from devstack.stack import Stack

_RESTORE_SECONDS = 6 * 3600  # far above any database that this launcher runs; it only ends what hangs
_KEEPS_ROWS = "alembic_version"


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, in autocommit."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        yield connection


def holds_data(stack: Stack) -> bool:
    """Whether anybody's data is here: a row in a table that knows an org or a user."""
    with connected(running.superuser_url(stack)) as connection:
        tables = connection.execute(
            "SELECT DISTINCT table_schema, table_name FROM information_schema.columns"
            " WHERE table_schema = ANY(%s) AND column_name IN ('org_id', 'user_id')",
            (list(parts.SERVICES),),
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(schema, table))
            found = connection.execute(query).fetchone()
            if found and found[0]:
                return True
    return False


def load(stack: Stack, dump: Path, database: str) -> None:
    """Restore the dump into a new database, with its rights; the database is gone again when that fails."""
    with connected(running.superuser_url(stack, "postgres")) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))
    try:
        _pg_restore(stack, dump, database)
        # Rights on the database itself and the roles' search paths belong to it and are in no dump.
        provision.provision_database(
            running.superuser_url(stack, database), stack.secrets.passwords, services=parts.SERVICES
        )
        _check_version(stack, database)
    except BaseException:  # Ctrl-C too: a half-filled database would be left behind
        drop(stack, database)
        raise


def _pg_restore(stack: Stack, dump: Path, database: str) -> None:
    url = running.superuser_url(stack, database)
    password = stack.secrets.passwords["postgres"]
    argv = [str(binaries.require("pg_restore")), "--exit-on-error", f"--dbname={url.replace(f':{password}@', '@')}"]
    done = subprocess.run(
        [*argv, str(dump)],
        env={**stack.base_env(), "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"},
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
        timeout=_RESTORE_SECONDS,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["pg_restore failed"]
        raise DamagedArtifact(f"{dump.name} cannot be restored: {lines[0]}")


def _check_version(stack: Stack, database: str) -> None:
    """Older schemas are migrated at the next start; a newer one is no use to this version."""
    with connected(running.superuser_url(stack, database)) as connection:
        for service in parts.SERVICES:
            query = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(service, _KEEPS_ROWS))
            try:
                row = connection.execute(query).fetchone()
            except psycopg.errors.UndefinedTable:
                row = None
            if row is None:
                raise DamagedArtifact(f"the dump holds no schema of {service}: it is not one of this product")
            folder = stack.root / "services" / service / "src" / service / "migrations" / "versions"
            if not any(folder.glob(f"{row[0]}_*.py")):
                raise StackError(f"the backup was made by a newer Bidwright ({service} {row[0]}): use that one")


@contextmanager
def services_shut_out(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """Nobody but the superuser can be in the database meanwhile; the next start lets the services in again."""
    with connected(running.superuser_url(stack, "postgres")) as admin:
        _set_login(admin, "NOLOGIN")
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                (parts.DATABASE,),
            )
            yield admin
            # What was restored goes to the disk now: a stop that has to do it takes longer than a stop may.
            admin.execute("CHECKPOINT")
        except BaseException:  # Ctrl-C too: nobody could log in any more
            _set_login(admin, "LOGIN")
            raise


def _set_login(admin: psycopg.Connection[Any], word: str) -> None:
    for role in provision.roles(parts.SERVICES):
        admin.execute(sql.SQL("ALTER ROLE {} " + word).format(sql.Identifier(role)))


def exchange(admin: psycopg.Connection[Any], fresh: str, aside: str) -> None:
    """Give the product's name to the fresh database, and another to the present one, both or neither."""
    rename = "ALTER DATABASE {} RENAME TO {}"
    with admin.transaction():
        admin.execute(sql.SQL(rename).format(sql.Identifier(parts.DATABASE), sql.Identifier(aside)))
        admin.execute(sql.SQL(rename).format(sql.Identifier(fresh), sql.Identifier(parts.DATABASE)))


def drop(stack: Stack, database: str) -> None:
    """Remove a database, whoever is in it."""
    with connected(running.superuser_url(stack, "postgres")) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
