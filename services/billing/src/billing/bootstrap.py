"""The one place where billing's parts are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from billing.deps import STRIPE_WAKE, Deps
from billing.settings import Settings
from billing.stripe import StripeApi, WebhookSignatures
from common.bus import Bus
from common.clock import Clock, SystemClock
from common.db import Database


@asynccontextmanager
async def open_deps(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse.

    NATS is joined in the background: an API process must work while it is away, and the worker waits for it itself.
    """
    clock = clock or SystemClock()
    bus = Bus(settings.nats_url.get_secret_value(), service="billing")
    db = Database(
        settings.database_url.get_secret_value(),
        service="billing",
        clock=clock,
        poke=bus.poke,
        pool_size=settings.database_pool_size,
    )
    payments = StripeApi(settings) if settings.stripe_secret_key.get_secret_value() else None
    bus.connect_in_background()

    async def wake_worker() -> None:
        await bus.notify(STRIPE_WAKE)

    try:
        yield Deps(
            settings=settings,
            clock=clock,
            db=db,
            bus=bus,
            rules=settings.rules,
            prices=settings.prices,
            payments_or_none=payments,
            signatures=WebhookSignatures(settings.webhook_secrets),
            wake_worker=wake_worker,
        )
    finally:
        if payments is not None:
            await payments.close()
        await db.close()
        await bus.close()
