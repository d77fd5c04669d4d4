"""The one-off steps that need the services' libraries, run as a child of the preloading parent.

``database OUTPUT``: the database, its roles and schemas; writes the users' part of NATS' configuration to OUTPUT.
``streams``: NATS' streams.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from devstack import parts


def _database(output: Path) -> None:
    import psycopg
    from psycopg import sql

    from common import provision

    url = os.environ["PROVISION_POSTGRES_URL"]
    passwords = json.loads(os.environ["PROVISION_PASSWORDS"])
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (parts.DATABASE,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(parts.DATABASE)))
    provision.provision_database(url.rpartition("/")[0] + f"/{parts.DATABASE}", passwords, services=parts.SERVICES)
    output.touch(mode=0o600)
    output.write_text(provision.nats_config(passwords))


def main(argv: list[str]) -> int:
    """Run one step."""
    step, *rest = argv
    if step == "database":
        _database(Path(rest[0]))
    else:
        from common import provision

        asyncio.run(provision.ensure_streams(os.environ["PROVISION_NATS_URL"]))
    return 0
