"""How far the comparisons with Stripe have come, and what is known of subscriptions across all orgs; as the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select, update

from billing.models import Reconciliation, StripeSubscription
from common.db import UnitOfWork

LEASE: Final = timedelta(minutes=2)
"""When another worker goes on with a comparison whose worker died; it is extended with every page."""

Name = Literal["events", "subscriptions"]


class ReconciliationRepository:
    """Reads and writes as the worker role; it never commits."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._session = uow.session

    async def now(self) -> datetime:
        """The server's time."""
        return (await self._session.execute(select(func.now()))).scalar_one()

    async def claim(self, name: Name) -> Reconciliation | None:
        """The comparison, if it is due: it is this worker's alone for a while."""
        claimed: Reconciliation | None = await self._session.scalar(
            update(Reconciliation)
            .where(Reconciliation.name == name, Reconciliation.due_at <= func.now())
            .values(due_at=func.now() + LEASE)
            .returning(Reconciliation)
        )
        return claimed

    async def find(self, name: Name) -> Reconciliation:
        """The comparison, whether due or not."""
        return await self._session.get_one(Reconciliation, name)

    async def note(
        self, name: Name, *, due_in: timedelta, since: datetime | None, newest: datetime | None, cursor: str | None
    ) -> None:
        """Notes how far it has come and when it goes on."""
        await self._session.execute(
            update(Reconciliation)
            .where(Reconciliation.name == name)
            .values(due_at=func.now() + due_in, since=since, newest=newest, cursor=cursor)
        )

    async def digests(self, subscription_ids: Collection[str]) -> Mapping[str, str]:
        """What is known of these subscriptions."""
        rows = await self._session.execute(
            select(StripeSubscription.subscription_id, StripeSubscription.digest).where(
                StripeSubscription.subscription_id.in_(subscription_ids)
            )
        )
        return {row[0]: row[1] for row in rows}

    async def note_checked(self, subscription_ids: Collection[str]) -> None:
        """These were compared with Stripe just now."""
        await self._session.execute(
            update(StripeSubscription)
            .where(StripeSubscription.subscription_id.in_(subscription_ids))
            .values(checked_at=func.now())
        )

    async def unchecked(self, before: datetime, limit: int) -> list[tuple[str, UUID]]:
        """Subscriptions that run as far as is known here, and were not compared since then; the longest ago first."""
        rows = await self._session.execute(
            select(StripeSubscription.subscription_id, StripeSubscription.org_id)
            .where(~StripeSubscription.ended, StripeSubscription.checked_at < before)
            .order_by(StripeSubscription.checked_at)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def of_org(self, org_id: UUID) -> list[str]:
        """The org's subscriptions that run as far as is known here."""
        rows = await self._session.scalars(
            select(StripeSubscription.subscription_id).where(
                StripeSubscription.org_id == org_id, ~StripeSubscription.ended
            )
        )
        return list(rows)
