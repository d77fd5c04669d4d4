"""`python -m common.provisioning STEP`: what must exist before a service starts, as one-shot jobs.

The launcher, compose and Kubernetes run these same steps, in this order:

    database            the database, its roles, schemas and grants   PROVISION_POSTGRES_URL, PROVISION_DATABASE
    nats-users FILE     the users' part of nats-server's configuration
    streams             streams and durable consumers                 PROVISION_NATS_URL, PROVISION_NATS_REPLICAS

Passwords come by login as JSON in PROVISION_PASSWORDS. Each key may be given as KEY_FILE, or as a file in SECRETS_DIR.
Every step may be run again at any time, and does not wait for its server: what starts it does. After `database` a
service's own `migrate` can run.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common.settings import EXIT_BAD_SETTING, SettingsError, lookup
from contracts import SERVICES

DATABASE: Final = "bidwright"
REPLICAS: Final = ("1", "3", "5")
USAGE: Final = "usage: python -m common.provisioning database | nats-users FILE | streams\n"


_PASSWORD: Final = re.compile(r"[A-Za-z0-9._~-]+")
"""What needs no quoting in an address or in the configuration of NATS."""


def need(key: str, default: str | None = None) -> str:
    """The value of a key. Raises SettingsError when it is not set and has no default."""
    value = lookup(key) or default
    if value is None:
        raise SettingsError(f"{key}: is not set, and has no default")
    return value


def passwords() -> dict[str, str]:
    """By login: database roles, NATS users (named like the service), and `admin` for NATS."""
    try:
        found = json.loads(need("PROVISION_PASSWORDS"))
    except ValueError as error:
        raise SettingsError(f"PROVISION_PASSWORDS: is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise SettingsError("PROVISION_PASSWORDS: is not an object of passwords by login")
    return {name: str(password) for name, password in found.items()}


def require(logins: Mapping[str, str], names: list[str]) -> Mapping[str, str]:
    """The same passwords. Raises SettingsError when one of the names has none."""
    if missing := [name for name in names if not logins.get(name)]:
        raise SettingsError(f"PROVISION_PASSWORDS: has none for {', '.join(missing)}")
    if bad := [name for name in names if not _PASSWORD.fullmatch(logins[name])]:
        raise SettingsError(f"PROVISION_PASSWORDS: {bad[0]}: only letters, digits and ._~- may stand in a password")
    return logins


def database() -> None:
    """Makes the database when there is none, and everything in it that belongs to no service's migrations."""
    import psycopg
    from psycopg import conninfo, sql

    from common import provision

    url = need("PROVISION_POSTGRES_URL")
    name = need("PROVISION_DATABASE", DATABASE)
    logins = require(passwords(), provision.roles())
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        # Two at once would both find none, and the second would fail.
        connection.execute("SELECT pg_advisory_lock(hashtextextended('bidwright-database', 0))")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    provision.provision_database(conninfo.make_conninfo(url, dbname=name), logins)


def nats_users(output: Path) -> None:
    """Writes who may publish and hear what, readable by this user alone."""
    from common import provision

    text = provision.nats_config(require(passwords(), [provision.ADMIN, *SERVICES]))
    output.touch(mode=0o600)
    output.write_text(text, encoding="utf-8")


def streams() -> None:
    """Makes or updates the streams and each service's durable consumers."""
    from common import provision

    url = need("PROVISION_NATS_URL")
    replicas = need("PROVISION_NATS_REPLICAS", "1")
    if replicas not in REPLICAS:
        raise SettingsError(f"PROVISION_NATS_REPLICAS: {replicas!r} is none of {', '.join(REPLICAS)}")
    asyncio.run(provision.ensure_streams(url, replicas=int(replicas)))


def main(argv: list[str]) -> int:
    """Runs one step; 2 for a bad setting or argument, 1 when the server refuses."""
    # Imported here: what only reads its arguments wrong need not wait for them.
    from nats.errors import Error as NatsError
    from psycopg import Error as PostgresError

    try:
        match argv:
            case ["database"]:
                database()
            case ["nats-users", output]:
                nats_users(Path(output))
            case ["streams"]:
                streams()
            case _:
                sys.stderr.write(USAGE)
                return EXIT_BAD_SETTING
    except SettingsError as error:
        sys.stderr.write(f"provisioning: {error}\n")
        return EXIT_BAD_SETTING
    except (PostgresError, NatsError, OSError) as error:
        sys.stderr.write(f"provisioning: {argv[0]}: {' '.join(str(error).split()) or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
