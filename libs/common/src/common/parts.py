"""What every process of a service has: a clock, the database, the bus; opened together, closed in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.bus import Bus
from common.clock import Clock, SteeredClock, SystemClock
from common.db import Database
from common.direct import DIRECT_CONNECTIONS
from common.health import Dependency
from common.settings import ServiceSettings
from common.telemetry import get_logger

LEAST_POOL: Final = 3
"""Of a process that was given hardly any: a use case may need a second connection while it holds one."""


@dataclass(frozen=True)
class ServiceDeps:
    """The base of a service's own `Deps`."""

    clock: Clock
    db: Database
    bus: Bus

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """What readiness asks. Without NATS writes still commit and messages wait, so an API without it is ready."""
        return (Dependency("postgres", self.db.ping), Dependency("nats", self.bus.ping, required=False))


@asynccontextmanager
async def open_parts(settings: ServiceSettings, *, clock: Clock | None = None) -> AsyncIterator[ServiceDeps]:
    """Opens them from the settings. NATS is joined in the background: nothing needs to be reachable for it."""
    clock = clock or _clock(settings)
    bus = Bus(settings.nats_url.get_secret_value(), service=settings.SERVICE)
    db = Database(
        settings.database_url.get_secret_value(),
        service=settings.SERVICE,
        clock=clock,
        poke=bus.poke,
        pool_size=max(LEAST_POOL, settings.database_pool_size - DIRECT_CONNECTIONS),
    )
    bus.connect_in_background()
    try:
        yield ServiceDeps(clock=clock, db=db, bus=bus)
    finally:
        await db.close()
        await bus.close()


def _clock(settings: ServiceSettings) -> Clock:
    if settings.debug and settings.clock_file:
        get_logger().warning("debug.clock_can_be_moved", file=settings.clock_file)
        return SteeredClock(Path(settings.clock_file))
    return SystemClock()
