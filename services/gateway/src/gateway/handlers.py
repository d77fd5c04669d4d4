"""What the gateway consumes: what an org has bought decides its limits and seats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.db import UnitOfWork
from common.inbox import Handler
from contracts import Event
from contracts.billing import EntitlementsChanged
from gateway.decision.valkey import org_key
from gateway.deps import Deps
from gateway.mail.jobs import JOB_KINDS
from gateway.orgs import repository


async def on_entitlements_changed(uow: UnitOfWork, event: EntitlementsChanged, deps: Deps) -> None:
    """Keeps the new tier and seats; the next decision reads them."""
    await repository.store_entitlement(
        uow,
        event.org_id,
        tier=event.tier,
        status=event.status,
        seats=event.limits.seats,
        ai_per_minute=event.limits.ai_per_minute,
        now=deps.clock.now(),
    )
    # Before the commit, which is the consumer's: the tombstone outlives it by seconds.
    await deps.cache.forget([org_key(event.org_id)])


EVENT_HANDLERS: Final[Mapping[type[Event], Handler[Deps]]] = {EntitlementsChanged: on_entitlements_changed}

__all__ = ["EVENT_HANDLERS", "JOB_KINDS"]
