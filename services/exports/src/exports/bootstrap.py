"""The one place that builds what the service works with, for the API, the worker and the tests."""

from __future__ import annotations

from dataclasses import dataclass

from common.bus import Bus
from common.clock import Clock, SystemClock
from common.db import Database
from common.health import Dependency
from common.storage import ObjectStore
from exports.rendering.process import Limits, Renderer
from exports.settings import Settings


@dataclass(frozen=True)
class Deps:
    """Everything a use case needs."""

    settings: Settings
    clock: Clock
    bus: Bus
    db: Database
    store: ObjectStore
    renderer: Renderer

    @property
    def dependencies(self) -> list[Dependency]:
        """What readiness asks. Without NATS writes still commit, so an API without it is ready."""
        return [
            Dependency("postgres", self.db.ping),
            Dependency("storage", self.store.ping),
            Dependency("nats", self.bus.ping, required=False),
        ]

    async def close(self) -> None:
        """Closes what was opened, in reverse."""
        await self.db.close()
        await self.bus.close()


def build(settings: Settings, *, clock: Clock | None = None) -> Deps:
    """Makes the dependencies; nothing connects before it is used."""
    clock = clock or SystemClock()
    bus = Bus(settings.nats_url.get_secret_value(), service=settings.SERVICE)
    return Deps(
        settings=settings,
        clock=clock,
        bus=bus,
        db=Database(
            settings.database_url.get_secret_value(),
            service=settings.SERVICE,
            clock=clock,
            poke=bus.poke,
            pool_size=settings.database_pool_size,
        ),
        store=ObjectStore(settings.objects_url),
        renderer=Renderer(
            Limits(settings.export_render_timeout_seconds, settings.export_render_memory_bytes),
            concurrency=settings.export_render_concurrency,
        ),
    )
