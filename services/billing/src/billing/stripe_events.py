"""The webhooks that were delivered, across all orgs: stored by the API, claimed by the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from billing.models import Review, StripeCustomer, StripeEvent
from common.db import UnitOfWork

CLAIM: Final = timedelta(seconds=60)
"""How long a worker may take to apply one event before another tries it."""
MAX_ATTEMPTS: Final = 10


class StripeEventRepository:
    """Reads and writes as the worker role, or as the API, which may only deliver."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._session = uow.session

    async def deliver(self, *, event_id: str, event_type: str, created: datetime, body: bytes) -> bool:
        """Stores an event as it came; False when it is there already."""
        result = await self._session.execute(
            insert(StripeEvent)
            .values(event_id=event_id, type=event_type, created=created, body=body, attempts=0)
            .on_conflict_do_nothing()
        )
        return bool(result.rowcount)  # type: ignore[attr-defined]  # an INSERT's result is a CursorResult

    async def claim(self) -> StripeEvent | None:
        """The oldest event that waits, claimed for a while; None when none does."""
        waiting = (
            select(StripeEvent.event_id)
            .where(
                StripeEvent.handled_at.is_(None),
                or_(StripeEvent.claimed_until.is_(None), StripeEvent.claimed_until < func.now()),
            )
            .order_by(StripeEvent.created, StripeEvent.event_id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        event: StripeEvent | None = await self._session.scalar(
            update(StripeEvent)
            .where(StripeEvent.event_id == waiting)
            .values(claimed_until=func.now() + CLAIM, attempts=StripeEvent.attempts + 1)
            .returning(StripeEvent)
        )
        return event

    async def finish(self, event_id: str, *, outcome: str, org_id: UUID | None, error: str | None = None) -> None:
        """Marks an event as handled."""
        await self._session.execute(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id)
            .values(handled_at=func.now(), outcome=outcome, org_id=org_id, error=error, claimed_until=None)
        )

    async def postpone(self, event_id: str, *, seconds: float, error: str) -> None:
        """Gives a claimed event back for later."""
        await self._session.execute(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id)
            .values(claimed_until=func.now() + timedelta(seconds=seconds), error=error)
        )

    async def org_of_customer(self, stripe_customer_id: str | None) -> UUID | None:
        """The org that this Stripe customer is, if it is known."""
        if not stripe_customer_id:
            return None
        return await self._session.scalar(
            select(StripeCustomer.org_id).where(StripeCustomer.stripe_customer_id == stripe_customer_id)
        )

    async def due_reviews(self, now: datetime, limit: int = 100) -> list[UUID]:
        """Orgs whose entitlement time alone has changed."""
        rows = await self._session.scalars(
            select(Review.org_id).where(Review.due_at <= now).order_by(Review.due_at).limit(limit)
        )
        return list(rows)
