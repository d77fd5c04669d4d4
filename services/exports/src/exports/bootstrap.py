"""The one place where the parts of exports are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.clock import Clock
from common.parts import open_parts
from common.storage import ObjectStore
from exports.deps import Deps
from exports.rendering.process import Limits, Renderer
from exports.settings import Settings


@asynccontextmanager
async def open_deps(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse."""
    async with open_parts(settings, clock=clock) as parts:
        yield Deps(
            clock=parts.clock,
            db=parts.db,
            bus=parts.bus,
            settings=settings,
            store=ObjectStore(settings.objects_url),
            renderer=Renderer(
                Limits(settings.export_render_timeout_seconds, settings.export_render_memory_bytes),
                concurrency=settings.export_render_concurrency,
            ),
        )
