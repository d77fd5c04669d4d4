"""The one place where billing's parts are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from billing.deps import STRIPE_WAKE, Deps
from billing.settings import Settings
from billing.stripe import StripeApi, WebhookSignatures
from common.clock import Clock
from common.parts import open_parts


@asynccontextmanager
async def open_deps(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse."""
    payments = StripeApi(settings) if settings.stripe_secret_key.get_secret_value() else None
    async with open_parts(settings, clock=clock) as parts:
        try:
            yield Deps(
                clock=parts.clock,
                db=parts.db,
                bus=parts.bus,
                settings=settings,
                rules=settings.rules,
                prices=settings.prices,
                payments_or_none=payments,
                signatures=WebhookSignatures(settings.webhook_secrets),
                wake_worker=partial(parts.bus.notify, STRIPE_WAKE),
            )
        finally:
            if payments is not None:
                await payments.close()
