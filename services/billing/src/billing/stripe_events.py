"""The webhooks that were delivered, across all orgs: stored by the API, claimed by the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from billing.models import Review, StripeEvent
from common.db import UnitOfWork

CLAIM: Final = timedelta(seconds=60)
"""How long a worker may take to apply what it has claimed before another tries it."""
CLAIMED_AT_ONCE: Final = 50
"""So many are claimed in one statement, and those of one org applied in one transaction. What a worker has claimed that
is killed waits for CLAIM."""
MAX_ATTEMPTS: Final = 10
REVIEW_CLAIM: Final = timedelta(seconds=60)
"""When a review comes up again whose worker died, or that failed."""
REVIEWS_AT_ONCE: Final = 100
PURGED_AT_ONCE: Final = 1000


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


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an event."""

    event_id: str
    outcome: str
    reason: str | None = None
    org_id: UUID | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """The orgs of Stripe's objects, by the objects' ids."""

    of_subscription: Mapping[str, UUID]
    of_customer: Mapping[str, UUID]


_FINISHED: Final = tuple(it.name for it in fields(Finished))
# One statement for many rows, written out: through the ORM each row would be one of its own.
_FINISH: Final = text(
    """
    UPDATE stripe_events SET
        handled_at = now(), outcome = done.outcome, reason = done.reason, org_id = done.org_id, error = done.error,
        claimed_until = NULL
    FROM unnest(
        CAST(:event_id AS text[]), CAST(:outcome AS text[]), CAST(:reason AS text[]), CAST(:org_id AS uuid[]),
        CAST(:error AS text[])
    ) AS done (event_id, outcome, reason, org_id, error)
    WHERE stripe_events.event_id = done.event_id AND stripe_events.handled_at IS NULL
    RETURNING stripe_events.event_id
    """
)
_OWNERS: Final = text(
    """
    SELECT
        (SELECT jsonb_object_agg(subscription_id, org_id) FROM stripe_subscriptions
         WHERE subscription_id = ANY(CAST(:subscription_ids AS text[]))),
        (SELECT jsonb_object_agg(stripe_customer_id, org_id) FROM stripe_customers
         WHERE stripe_customer_id = ANY(CAST(:customer_ids AS text[])))
    """
)


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

    async def claim(self, limit: int = 1) -> list[StripeEvent]:
        """The oldest events that wait, oldest first, claimed for a while."""
        waiting = (
            select(StripeEvent.event_id)
            .where(
                StripeEvent.handled_at.is_(None),
                or_(StripeEvent.claimed_until.is_(None), StripeEvent.claimed_until < func.now()),
            )
            .order_by(StripeEvent.created, StripeEvent.event_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("waiting")
        )
        claimed = await self._session.scalars(
            update(StripeEvent)
            .where(StripeEvent.event_id == waiting.c.event_id)
            .values(claimed_until=func.now() + CLAIM, attempts=StripeEvent.attempts + 1)
            .returning(StripeEvent)
            .execution_options(synchronize_session=False)
        )
        return sorted(claimed, key=lambda event: (event.created, event.event_id))

    async def give_back(self, event_ids: Collection[str]) -> None:
        """Undoes the claim of events that were not tried."""
        await self._session.execute(
            update(StripeEvent)
            .where(StripeEvent.event_id.in_(event_ids), StripeEvent.handled_at.is_(None))
            .values(claimed_until=None, attempts=StripeEvent.attempts - 1)
            .execution_options(synchronize_session=False)
        )

    async def finish(self, finished: Sequence[Finished]) -> int:
        """Marks events as handled. Returns how many were not before: what was done for the others must not be kept."""
        columns = {name: [getattr(it, name) for it in finished] for name in _FINISHED}
        done = await self._session.execute(_FINISH, columns)
        return len(done.all())

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

    async def purge(self, *, days: int, limit: int = PURGED_AT_ONCE) -> int:
        """Deletes events that were handled and came so many days ago. Returns how many; at most `limit`."""
        old = (
            select(StripeEvent.event_id)
            .where(
                StripeEvent.received_at < func.now() - timedelta(days=days),
                StripeEvent.outcome.in_((*_OUTCOMES["applied"], *_OUTCOMES["ignored"])),
            )
            .order_by(StripeEvent.received_at)
            .limit(limit)
        )
        deleted = await self._session.execute(
            delete(StripeEvent)
            .where(StripeEvent.event_id.in_(old))
            .returning(StripeEvent.event_id)
            .execution_options(synchronize_session=False)
        )
        return len(deleted.all())

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

    async def owners(self, *, subscription_ids: Collection[str], customer_ids: Collection[str]) -> Owners:
        """Whose these Stripe subscriptions and customers are, as far as that is known."""
        subscriptions, customers = (
            await self._session.execute(
                _OWNERS, {"subscription_ids": list(subscription_ids), "customer_ids": list(customer_ids)}
            )
        ).one()
        return Owners(
            {key: UUID(org) for key, org in (subscriptions or {}).items()},
            {key: UUID(org) for key, org in (customers or {}).items()},
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
