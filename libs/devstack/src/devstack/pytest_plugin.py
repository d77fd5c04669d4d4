"""Real servers for tests, without the supervisor.

``servers``           session: one PostgreSQL and one Valkey (fsync off), in a temporary folder.
``service_database``  session: a factory; each call gives a fresh database, provisioned and migrated (about 50 ms).
``nats_server``       module: a NATS server of the module's own, so that no event of another module arrives.
``nats_url``          module: a factory; the address for a service's user, with its permissions.
``redis_url``         module: an emptied Valkey database.
``stack``             session: the whole product, started by ``./bidwright up``, for tests that cross services.

A module takes what it shares once:

    @pytest.fixture(scope="module")
    def database(service_database: DatabaseFactory) -> ServiceDatabase:
        return service_database("billing")
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from devstack import parts, ports
from devstack.running import RunningStack, running_stack
from devstack.servers import Nats, Postgres, Valkey


@dataclass(frozen=True)
class TestServers:
    """The session's servers and the passwords of all their logins."""

    __test__ = False
    folder: Path
    postgres: Postgres
    valkey: Valkey
    passwords: dict[str, str]


@dataclass(frozen=True)
class ServiceDatabase:
    """A database of a test module's own, with every address that a process of the service would be given."""

    service: str
    name: str
    app_url: str
    worker_url: str
    migration_url: str
    admin_url: str
    backup_url: str


DatabaseFactory = Callable[[str], ServiceDatabase]
UrlFactory = Callable[[str], str]


def run_aside(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from a synchronous fixture, out of reach of pytest-asyncio's loop."""
    box: dict[str, Any] = {}

    def target() -> None:
        try:
            box["result"] = asyncio.run(coroutine)
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            box["error"] = error

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box.get("result")


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    """PostgreSQL and Valkey for the whole session."""
    # Not pytest's own temporary folder: its mode keeps the user out that PostgreSQL runs as when we are root.
    folder = Path(tempfile.mkdtemp(prefix="bidwright-test-"))
    folder.chmod(0o711)
    passwords = parts.new_passwords()
    chosen = ports.choose(["postgres", "valkey"])
    postgres = Postgres(
        folder / "postgres",
        port=chosen["postgres"],
        password=passwords["postgres"],
        log=folder / "postgres.log",
        durable=False,
    )
    valkey = Valkey(folder / "valkey", port=chosen["valkey"], password=passwords["valkey"], log=folder / "valkey.log")
    try:
        postgres.start()
        valkey.start()
        yield TestServers(folder, postgres, valkey, passwords)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def service_database(servers: TestServers) -> DatabaseFactory:
    """Make a database for a service; each call a fresh one, copied from a template that was migrated once."""
    from common import migrations, provision

    postgres, passwords = servers.postgres, servers.passwords
    counter = itertools.count(1)
    templates: dict[str, str] = {}

    def admin(statement: sql.Composed) -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute(statement)

    def provisioned(service: str, database: str) -> None:
        provision.provision_database(postgres.url(database=database), passwords, services=[service])

    def address(service: str, kind: str, database: str) -> str:
        login = parts.role(service, kind)
        return postgres.url(login, passwords[login], database)

    def template(service: str) -> str:
        if service not in templates:
            name = f"template_{service}"
            admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            provisioned(service, name)
            # Alembic runs an event loop of its own, which must not meet the one of pytest-asyncio.
            thread = threading.Thread(target=migrations.upgrade, args=(service, address(service, "owner", name)))
            thread.start()
            thread.join()
            templates[service] = name
        return templates[service]

    def make(service: str) -> ServiceDatabase:
        name = f"test_{service}_{next(counter)}"
        admin(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template(service))))
        provisioned(service, name)  # what belongs to the database itself (CONNECT, settings) is not copied with it
        return ServiceDatabase(
            service=service,
            name=name,
            app_url=address(service, "app", name),
            worker_url=address(service, "worker", name),
            migration_url=address(service, "owner", name),
            admin_url=postgres.url(database=name),
            backup_url=postgres.url("backup", passwords["backup"], name),
        )

    return make


@pytest.fixture(scope="module")
def nats_server(servers: TestServers) -> Iterator[Nats]:
    """A NATS server with the streams and the services' users; a new one for each module, which takes 50 ms."""
    from common import provision

    folder = Path(tempfile.mkdtemp(prefix="nats-", dir=servers.folder))
    server = Nats(folder, port=ports.free_port(), authorization=provision.nats_config(servers.passwords))
    try:
        server.start()
        run_aside(provision.ensure_streams(server.url("admin", servers.passwords["admin"])))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def nats_url(nats_server: Nats, servers: TestServers) -> UrlFactory:
    """The module's NATS address for a service (or ``admin``), with that user's permissions."""

    def make(user: str) -> str:
        return nats_server.url(user, servers.passwords[user])

    return make


_valkey_databases = itertools.cycle(range(16))


@pytest.fixture(scope="module")
def redis_url(servers: TestServers) -> str:
    """An emptied Valkey database; sixteen modules pass before one is used again."""
    number = next(_valkey_databases)
    servers.valkey.flush(number)
    return servers.valkey.url(number)


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """One running product for the session, with the default settings (production rules) but two."""
    # All tests come from one address, and one person does in a minute what others do in a day, on free in the end;
    # the limits themselves have tests of their own in the gateway.
    limits = ("API_RATE_PER_MIN_ANON=2000", "API_RATE_PER_MIN_FREE=2000")
    with running_stack(pytestconfig.rootpath, *limits) as running:
        yield running
