"""The webhooks that were delivered, across all orgs: stored by the API, claimed by the worker."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from billing.models import Review, StripeCustomer, StripeEvent, StripeSubscription
from common.db import UnitOfWork

CLAIM: Final = timedelta(seconds=60)
"""How long a worker may take to apply one event before another tries it."""
MAX_ATTEMPTS: Final = 10
REVIEW_CLAIM: Final = timedelta(seconds=60)
"""When a review comes up again whose worker died, or that failed."""
REVIEWS_AT_ONCE: Final = 100


State = Literal["waiting", "parked", "applied", "ignored"]
_OUTCOMES: Final = {
    "parked": ("parked", "failed"),  # `failed`: by a version before this one
    "applied": ("applied", "stale"),
    "ignored": ("ignored",),
}


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait for a worker, how long the oldest has, and how many wait for a person."""

    waiting: int
    oldest_seconds: float
    parked: int


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

    async def finish(
        self, event_id: str, *, outcome: str, reason: str | None, org_id: UUID | None, error: str | None = None
    ) -> bool:
        """Marks an event as handled; False when it was before."""
        finished = await self._session.scalar(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id, StripeEvent.handled_at.is_(None))
            .values(
                handled_at=func.now(), outcome=outcome, reason=reason, org_id=org_id, error=error, claimed_until=None
            )
            .returning(StripeEvent.event_id)
        )
        return finished is not None

    async def postpone(self, event_id: str, *, seconds: float, error: str) -> None:
        """Gives a claimed event back for later."""
        await self._session.execute(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id, StripeEvent.handled_at.is_(None))
            .values(claimed_until=func.now() + timedelta(seconds=seconds), error=error)
        )

    async def reopen(self, event_id: str) -> StripeEvent | None:
        """Has an event applied once more, by the caller, who has it claimed; None when there is no such event."""
        event: StripeEvent | None = await self._session.scalar(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id)
            .values(
                handled_at=None, outcome=None, reason=None, error=None, attempts=1, claimed_until=func.now() + CLAIM
            )
            .returning(StripeEvent)
        )
        return event

    async def dismiss(self, event_id: str) -> bool:
        """Has a parked event count as ignored, for its reason; False when it is not parked."""
        dismissed = await self._session.scalar(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id, StripeEvent.outcome.in_(_OUTCOMES["parked"]))
            .values(outcome="ignored")
            .returning(StripeEvent.event_id)
        )
        return dismissed is not None

    async def find(self, event_id: str) -> StripeEvent | None:
        """An event, handled or not."""
        return await self._session.get(StripeEvent, event_id)

    async def latest(self, *, state: State | None, event_type: str | None, limit: int | None) -> list[StripeEvent]:
        """Events, the latest received first."""
        query = select(StripeEvent).order_by(StripeEvent.received_at.desc(), StripeEvent.event_id).limit(limit)
        if state == "waiting":
            query = query.where(StripeEvent.handled_at.is_(None))
        elif state is not None:
            query = query.where(StripeEvent.outcome.in_(_OUTCOMES[state]))
        if event_type is not None:
            query = query.where(StripeEvent.type == event_type)
        return list(await self._session.scalars(query))

    async def missing(self, event_ids: Collection[str]) -> set[str]:
        """Those of these ids that were never delivered."""
        known = await self._session.scalars(select(StripeEvent.event_id).where(StripeEvent.event_id.in_(event_ids)))
        return set(event_ids) - set(known)

    async def backlog(self) -> Backlog:
        """What is not done."""
        waiting, oldest = (
            await self._session.execute(
                select(func.count(), func.extract("epoch", func.now() - func.min(StripeEvent.received_at))).where(
                    StripeEvent.handled_at.is_(None)
                )
            )
        ).one()
        parked = await self._session.scalar(
            select(func.count()).select_from(StripeEvent).where(StripeEvent.outcome.in_(_OUTCOMES["parked"]))
        )
        return Backlog(waiting=waiting, oldest_seconds=float(oldest or 0), parked=parked or 0)

    async def org_of_subscription(self, subscription_id: str | None) -> UUID | None:
        """The org that this Stripe subscription is known of."""
        if not subscription_id:
            return None
        return await self._session.scalar(
            select(StripeSubscription.org_id).where(StripeSubscription.subscription_id == subscription_id)
        )

    async def org_of_customer(self, stripe_customer_id: str | None) -> UUID | None:
        """The org that this Stripe customer is, if it is known."""
        if not stripe_customer_id:
            return None
        return await self._session.scalar(
            select(StripeCustomer.org_id).where(StripeCustomer.stripe_customer_id == stripe_customer_id)
        )

    async def claim_reviews(self, now: datetime, limit: int = REVIEWS_AT_ONCE) -> list[UUID]:
        """Orgs whose entitlement time alone has changed, longest due first; no other worker gets them for a while."""
        due = (
            select(Review.org_id)
            .where(Review.due_at <= now)
            .order_by(Review.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._session.scalars(
            update(Review)
            .where(Review.org_id.in_(due.scalar_subquery()))
            .values(due_at=now + REVIEW_CLAIM)
            .returning(Review.org_id)
        )
        return list(rows)
