"""The one place where the gateway's parts are built, for the API, the worker and the tests alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from common.clock import Clock
from common.parts import open_parts
from common.telemetry import get_logger
from gateway import telemetry
from gateway.accounts.passwords import Passwords
from gateway.accounts.throttle import LoginThrottle
from gateway.cache import FactCache
from gateway.decision.limits import LimitPolicy
from gateway.decision.lookup import Lookup
from gateway.decision.multiplexed import Client
from gateway.decision.service import Decider
from gateway.decision.signer import Signer
from gateway.decision.valkey import FactStore
from gateway.deps import Deps
from gateway.mail.sender import make_sender
from gateway.oauth.registry import make_providers
from gateway.settings import Settings

log = get_logger()


@asynccontextmanager
async def open_deps(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse. Nothing needs to be reachable for it."""
    policy = LimitPolicy.from_settings(settings)
    store = FactStore(Client(settings.redis_url.get_secret_value()), policy)
    if settings.debug:
        log.warning(
            telemetry.DEBUG_RELAXED, register_answers_with_token=settings.hands_out_tokens, ai_limits=policy.enforce_ai
        )
    async with open_parts(settings, clock=clock) as parts:
        cache = FactCache(store, parts.db, parts.bus)
        try:
            yield Deps(
                clock=parts.clock,
                db=parts.db,
                bus=parts.bus,
                settings=settings,
                store=store,
                cache=cache,
                signer=make_signer(settings),
                passwords=Passwords(),
                throttle=LoginThrottle(
                    store, per_account=settings.login_rate_per_min, per_address=settings.login_rate_per_min_address
                ),
                sender=make_sender(settings),
                providers=make_providers(settings),
            )
        finally:
            await cache.close()
            await store.close()


def make_signer(settings: Settings) -> Signer:
    """The signer of the identities."""
    key, previous = settings.jwt_signing_key, settings.jwt_signing_key_previous
    return Signer(key.get_secret_value() if key else None, previous.get_secret_value() if previous else None)


def make_decider(deps: Deps) -> Decider:
    """The decision, from the same parts."""
    settings = deps.settings
    return Decider(
        store=deps.store,
        lookup=Lookup(deps.db, idle=timedelta(minutes=settings.session_idle_minutes)),
        signer=deps.signer,
        policy=LimitPolicy.from_settings(settings),
        clock=deps.clock,
        https=settings.https,
        allowed_origins=settings.allowed_origins,
    )
