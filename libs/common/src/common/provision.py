"""What must exist before a service starts: roles, schemas, grants; NATS users, streams and durable consumers.

Run as an administrator by the launcher, by a compose or Kubernetes job, and by the tests. Everything here may be run
again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import nats
import psycopg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError
from psycopg import sql

from common.bus import DEAD_LETTERS_STREAM, EVENTS_STREAM, IGNORED, JOBS_STREAM, REPLAY
from common.revocations import REVOKED
from contracts import SERVICES
from contracts.subscriptions import SUBSCRIPTIONS, filter_subjects

ADMIN: Final = "admin"
EVENTS_MAX_AGE_SECONDS: Final = 30 * 86400
DEAD_LETTERS_MAX_AGE_SECONDS: Final = 90 * 86400
DUPLICATE_WINDOW_SECONDS: Final = 300
"""The relay may send a batch again for as long as it was away; two minutes at least by the events page."""
ACK_WAIT_SECONDS: Final = 30
MAX_ACK_PENDING: Final = 1000
EXTENSIONS: Final = "extensions"
VECTOR_USER: Final = "ai"
"""The service that keeps vectors."""


def roles(services: Sequence[str] = SERVICES) -> list[str]:
    """Every login role of the product; each needs a password in `provision_database`."""
    return [f"{service}_{kind}" for service in services for kind in ("owner", "app", "worker")] + ["backup"]


def provision_database(admin_url: str, passwords: Mapping[str, str], services: Sequence[str] = SERVICES) -> None:
    """Creates roles, schemas and grants in the database that `admin_url` names.

    Args:
        admin_url: a superuser's `postgresql://` URL of the product's database.
        passwords: by role, see `roles`.
    """
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=5) as connection:
        # Roles belong to the whole server: two provisioners at once would collide.
        connection.execute("SELECT pg_advisory_lock(hashtextextended('bidwright-provision', 0))")
        database = connection.info.dbname
        for role in roles(services):
            _create_role(connection, role, passwords[role])
        _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
        _run(connection, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        _run(connection, "GRANT CONNECT ON DATABASE {} TO backup", database)
        _run(connection, "GRANT pg_read_all_data TO backup")
        _run(connection, "ALTER ROLE backup BYPASSRLS")
        for service in services:
            _provision_schema(connection, database, service)
        if VECTOR_USER in services:
            _provision_vectors(connection)


def _create_role(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = "ALTER" if exists else "CREATE"
    connection.execute(
        sql.SQL(
            verb + " ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        ).format(sql.Identifier(role), sql.Literal(password))
    )


def _provision_schema(connection: psycopg.Connection[Any], database: str, service: str) -> None:
    owner, app, worker = (f"{service}_{kind}" for kind in ("owner", "app", "worker"))
    path = (service, EXTENSIONS) if service == VECTOR_USER else (service,)
    _run(connection, "CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}", service, owner)
    for role in (owner, app, worker):
        _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", database, role)
        wanted = ", ".join("{}" for _ in path)
        _run(connection, f"ALTER ROLE {{}} IN DATABASE {{}} SET search_path = {wanted}", role, database, *path)
    for role in (app, worker):
        _run(connection, "GRANT USAGE ON SCHEMA {} TO {}", service, role)
        _run(
            connection,
            "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            owner,
            service,
            role,
        )
        _run(
            connection,
            "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT USAGE ON SEQUENCES TO {}",
            owner,
            service,
            role,
        )


def _provision_vectors(connection: psycopg.Connection[Any]) -> None:
    """pgvector, which only a superuser may add, in a schema that its user's roles can use and not change."""
    _run(connection, "CREATE SCHEMA IF NOT EXISTS {}", EXTENSIONS)
    _run(connection, "CREATE EXTENSION IF NOT EXISTS vector SCHEMA {}", EXTENSIONS)
    for role in ("backup", *(f"{VECTOR_USER}_{kind}" for kind in ("owner", "app", "worker"))):
        _run(connection, "GRANT USAGE ON SCHEMA {} TO {}", EXTENSIONS, role)


def _run(connection: psycopg.Connection[Any], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def nats_config(passwords: Mapping[str, str], services: Sequence[str] = SERVICES) -> str:
    """The `authorization` block of nats-server's configuration: each service may publish only what is its own.

    Args:
        passwords: by service, and one for `admin`, who makes the streams.
    """
    users = [f'    {{ user: "{ADMIN}", password: "{passwords[ADMIN]}" }}']
    for service in services:
        publish = [
            f"events.{service}.>",
            f"jobs.{service}.>",
            f"dead.{service}.>",
            f"live.{service}.>",
            f"poke.{service}",
            f"$JS.API.STREAM.INFO.{DEAD_LETTERS_STREAM}",
            f"$JS.API.CONSUMER.MSG.NEXT.{EVENTS_STREAM}.{service}",
            f"$JS.API.CONSUMER.MSG.NEXT.{JOBS_STREAM}.{service}-jobs",
            f"$JS.ACK.{EVENTS_STREAM}.{service}.>",
            f"$JS.ACK.{JOBS_STREAM}.{service}-jobs.>",
        ]
        subscribe = [f"_INBOX_{service}.>", f"poke.{service}", f"live.{service}.>", REVOKED]
        users.append(
            f'    {{ user: "{service}", password: "{passwords[service]}", permissions: {{\n'
            f"        publish: {{ allow: {_strings(publish)} }}\n"
            f"        subscribe: {{ allow: {_strings(subscribe)} }}\n"
            "    } }"
        )
    return "authorization {\n  users: [\n" + ",\n".join(users) + "\n  ]\n}\n"


def _strings(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


async def ensure_streams(admin_url: str, *, replicas: int = 1, services: Sequence[str] = SERVICES) -> None:
    """Creates or updates the streams and each service's durable consumers.

    Args:
        admin_url: `nats://admin:password@host:port`.
        replicas: 1 on one machine, 3 on a cluster.
    """
    client = await nats.connect(admin_url, connect_timeout=5, max_reconnect_attempts=2)
    try:
        js = client.jetstream(timeout=10)
        for config in _streams(replicas):
            await _ensure_stream(js, config)
        for service in services:
            if SUBSCRIPTIONS.get(service):
                await _ensure_subscriptions(js, service)
            await js.add_consumer(JOBS_STREAM, _consumer(f"{service}-jobs", [f"jobs.{service}.>"]))
    finally:
        await client.close()


def _streams(replicas: int) -> list[StreamConfig]:
    return [
        StreamConfig(
            name=EVENTS_STREAM,
            # Nobody but an administrator may publish a replay: it is in no service's grants.
            subjects=["events.>", f"{REPLAY}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=EVENTS_MAX_AGE_SECONDS,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=JOBS_STREAM,
            subjects=["jobs.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=DEAD_LETTERS_STREAM,
            subjects=["dead.>", f"{IGNORED}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=DEAD_LETTERS_MAX_AGE_SECONDS,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            num_replicas=replicas,
        ),
    ]


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.stream_info(config.name or "")
    except NotFoundError:
        await js.add_stream(config)
    else:
        await js.update_stream(config)


async def _ensure_subscriptions(js: JetStreamContext, service: str) -> None:
    """The service's durable consumer of events. One that is to hear of more entities starts anew with what the stream
    still holds: else an aggregate that exists would begin in the middle, and wait for its first version for ever. What
    comes again has its effect once, by the inbox."""
    subjects = filter_subjects(service)
    try:
        present = (await js.consumer_info(EVENTS_STREAM, service)).config.filter_subjects or []
    except NotFoundError:
        present = subjects
    if set(subjects) - set(present):
        await js.delete_consumer(EVENTS_STREAM, service)
    await js.add_consumer(EVENTS_STREAM, _consumer(service, [*subjects, f"{REPLAY}.{service}.>"]))


def _consumer(name: str, subjects: list[str]) -> ConsumerConfig:
    # max_deliver stays unlimited: how often to try is decided, and ended in a dead letter, by our own code.
    return ConsumerConfig(
        name=name,
        durable_name=name,
        filter_subjects=subjects,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
    )
