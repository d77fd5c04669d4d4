"""Questions to the servers and services, each with a limit far below the doctor's own; no answer is ``CannotCheck``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from devstack.doctor.findings import CannotCheck
from devstack.doctor.subject import Subject

T = TypeVar("T")

HTTP_SECONDS = 6.0  # more than the 3 s after which the edge gives a gateway up that hangs
POSTGRES_CONNECT_SECONDS = 3
POSTGRES_STATEMENT_MS = 4000
VALKEY_SECONDS = 2.0
NATS_SECONDS = 3.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; status 0 when nobody answered, and then ``text`` says why."""

    status: int
    text: str
    headers: dict[str, str]


def http(method: str, url: str, **options: Any) -> Answer:
    """Ask by HTTP; never raises."""
    import httpx

    try:
        # The certificate of a local edge is nobody's business here; its end of life has a check of its own.
        with httpx.Client(timeout=HTTP_SECONDS, verify=False, trust_env=False) as client:  # noqa: S501  # see above
            reply = client.request(method, url, **options)
    except (httpx.HTTPError, OSError) as error:
        return Answer(0, str(error) or type(error).__name__, {})
    return Answer(reply.status_code, reply.text, dict(reply.headers))


def rows(subject: Subject, query: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Ask PostgreSQL; raises CannotCheck when it does not answer."""
    import psycopg

    try:
        with psycopg.connect(
            subject.database_url,
            connect_timeout=POSTGRES_CONNECT_SECONDS,
            options=f"-c statement_timeout={POSTGRES_STATEMENT_MS} -c default_transaction_read_only=on",
            application_name="bidwright-doctor",
        ) as connection:
            return connection.execute(query, parameters or None).fetchall()
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise CannotCheck(f"PostgreSQL does not answer: {reason[:160]}") from error


def valkey(subject: Subject, ask: Callable[[Any], T]) -> T:
    """Ask Valkey; raises CannotCheck when it does not answer."""
    import redis

    url = subject.setting("REDIS_URL")
    try:
        with redis.Redis.from_url(
            url, socket_timeout=VALKEY_SECONDS, socket_connect_timeout=VALKEY_SECONDS, retry=None, decode_responses=True
        ) as client:
            return ask(client)
    except (redis.RedisError, OSError, ValueError) as error:
        raise CannotCheck(f"Valkey does not answer: {error}") from error


def nats(subject: Subject, ask: Callable[[Any], Awaitable[T]]) -> T:
    """Ask NATS as its administrator; raises CannotCheck when it does not answer."""
    from nats.errors import Error as NatsError

    assert subject.plan is not None
    url = subject.plan.nats_url("admin")
    try:
        return asyncio.run(asyncio.wait_for(_with_nats(url, ask), 2 * NATS_SECONDS))
    except (NatsError, OSError, TimeoutError) as error:
        raise CannotCheck(f"NATS does not answer: {error or type(error).__name__}") from error


async def _with_nats(url: str, ask: Callable[[Any], Awaitable[T]]) -> T:
    import nats

    async def quiet(_error: Exception) -> None:
        return

    client = await nats.connect(
        url, connect_timeout=int(NATS_SECONDS), allow_reconnect=False, max_reconnect_attempts=0, error_cb=quiet
    )
    try:
        return await ask(client.jetstream(timeout=NATS_SECONDS))
    finally:
        with contextlib.suppress(OSError):
            await client.close()
