"""Where the services' rows and messages are: from the environment, as `./bidwright env` or a container has it.

    <SERVICE>_WORKER_DATABASE_URL   each service's rows, as its worker, who sees every org's
    DATABASE_URL                    the same in a worker's own container; the role's name says whose
    PROVISION_NATS_URL              NATS as its administrator: no service may read another's messages, or hand them on

Each may be given as KEY_FILE, or as a file in SECRETS_DIR.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import nats
from nats.aio.client import Client
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from common.clock import SystemClock
from common.db import Database
from common.settings import SettingsError, lookup
from contracts import SERVICES

NATS_URL: Final = "PROVISION_NATS_URL"
CONNECT_SECONDS: Final = 5
ROLE: Final = "_worker"


def database_urls() -> dict[str, str]:
    """By service, those that the environment names; perhaps none."""
    found = {service: url for service in SERVICES if (url := lookup(f"{service.upper()}_WORKER_DATABASE_URL"))}
    if url := lookup("DATABASE_URL"):
        try:
            service = (make_url(url).username or "").removesuffix(ROLE)
        except ArgumentError as error:
            raise SettingsError("DATABASE_URL: is no address of a database") from error
        if service in SERVICES:
            found.setdefault(service, url)
    return found


@asynccontextmanager
async def databases(only: str | None = None) -> AsyncIterator[Mapping[str, Database]]:
    """The services' databases, or one service's alone. Raises SettingsError when there is none."""
    urls = {service: url for service, url in database_urls().items() if only in (None, service)}
    if not urls:
        name = (only or "<SERVICE>").upper()
        raise SettingsError(f"{name}_WORKER_DATABASE_URL: is not set (in a worker's container DATABASE_URL is enough)")
    opened = {
        service: Database(url, service=service, clock=SystemClock(), pool_size=2) for service, url in urls.items()
    }
    try:
        yield opened
    finally:
        for database in opened.values():
            await database.close()


@asynccontextmanager
async def administrator() -> AsyncIterator[Client]:
    """NATS as its administrator. Raises SettingsError, NatsError, OSError."""
    url = lookup(NATS_URL)
    if url is None:
        raise SettingsError(f"{NATS_URL}: is not set; events are looked at as the administrator of NATS")

    async def quiet(_error: Exception) -> None:
        return  # it is raised where it is waited for

    client = await nats.connect(
        [part.strip() for part in url.split(",")],
        name="bidwright-operate",
        connect_timeout=CONNECT_SECONDS,
        max_reconnect_attempts=2,
        error_cb=quiet,
    )
    try:
        yield client
    finally:
        await client.close()
