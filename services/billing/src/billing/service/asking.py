"""Asking Stripe how a subscription stands now, and the lock that such an answer is applied under."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.deps import Deps
from billing.domain import SubscriptionState


@dataclass(frozen=True, slots=True)
class Answer:
    """A subscription as Stripe's API has it."""

    state: SubscriptionState
    asked_at: datetime


def turn(deps: Deps, org_id: UUID) -> AbstractAsyncContextManager[None]:
    """The org's turn to ask and apply. Without a key nothing is asked, and the lock of its account's row is enough."""
    return deps.db.lock(lock_name(org_id)) if deps.payments_or_none is not None else nullcontext()


def lock_name(org_id: UUID) -> str:
    """The lock to ask and apply under: else two that ask at once could apply the older answer last."""
    return f"stripe:{org_id}"


async def ask(deps: Deps, subscription_id: str | None) -> Answer | None:
    """Stripe's answer; None without a key, or without a subscription to ask about.

    Raises UnknownToStripe, BillingUnavailable.
    """
    if deps.payments_or_none is None or subscription_id is None:
        return None
    asked_at = deps.clock.now()
    state, _ = await deps.payments_or_none.subscription(subscription_id)
    return Answer(state, asked_at)
