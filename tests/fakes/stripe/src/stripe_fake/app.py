"""The application: API, pages, control, and the delivery loop that lives as long as it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from stripe_fake import endpoints, passing
from stripe_fake.account_pages import AccountPages
from stripe_fake.api import api_routes
from stripe_fake.catalog import install_presets
from stripe_fake.config import Config
from stripe_fake.control import control_routes
from stripe_fake.deliveries import Deliverer
from stripe_fake.pages import CheckoutPages
from stripe_fake.store import Store
from stripe_fake.world import World


def create_app(config: Config) -> Starlette:
    """One fake account, with its state in `config.state`."""
    world = World(config, Store(config.state))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        world.store.live_at(config.public_url)
        install_presets(world)
        endpoints.install_preset(world)
        loops = [asyncio.create_task(Deliverer(world).run()), asyncio.create_task(passing.live(world, config.tick))]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            world.store.close()

    pages = [*CheckoutPages(world).routes(), *AccountPages(world).routes()]
    return Starlette(routes=[*api_routes(world), *pages, *control_routes(world)], lifespan=lifespan)
