"""What Stripe reported, kept: the reports of a subscription and the payments of its invoices, of one org."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from billing.domain import ENDED_STATUSES, SubscriptionState
from billing.history import Report
from billing.models import InvoicePayment, StripeSubscription, SubscriptionHistory
from common.db import UnitOfWork

_REPORTS: Final = TypeAdapter(tuple[Report, ...])


class HistoryRepository:
    """Through a unit of work that has the org as its tenant, under its account's lock; it never commits."""

    def __init__(self, uow: UnitOfWork, org_id: UUID) -> None:
        self._session = uow.session
        self._org_id = org_id

    async def reports(self, subscription_id: str) -> tuple[Report, ...]:
        """What was reported of the subscription; empty when nothing was."""
        row = await self._session.get(SubscriptionHistory, subscription_id)
        return _REPORTS.validate_python(row.reports) if row is not None else ()

    async def save(self, subscription_id: str, reports: Sequence[Report]) -> None:
        """Keeps the reports over those that were known."""
        row = await self._session.get(SubscriptionHistory, subscription_id)
        if row is None:
            row = SubscriptionHistory(subscription_id=subscription_id, org_id=self._org_id)
            self._session.add(row)
        row.reports = _REPORTS.dump_python(tuple(reports), mode="json")

    async def index(self, state: SubscriptionState) -> None:
        """Lets the comparison with Stripe find the subscription, and see whether it differs."""
        values = {"digest": digest_of(state), "ended": state.status in ENDED_STATUSES, "checked_at": func.now()}
        await self._session.execute(
            insert(StripeSubscription)
            .values(subscription_id=state.subscription_id, org_id=self._org_id, **values)
            .on_conflict_do_update(index_elements=[StripeSubscription.subscription_id], set_=values)
        )

    async def note_failure(self, invoice_id: str, subscription_id: str | None, at: datetime) -> bool:
        """Notes that a payment failed; whether that is the invoice's first known failure, and it is still owed."""
        known = await self._invoice(invoice_id)
        row = known or InvoicePayment(invoice_id=invoice_id, org_id=self._org_id)
        first = row.failed_at is None and row.settled_at is None
        row.subscription_id = row.subscription_id or subscription_id
        row.failed_at = at if row.failed_at is None else min(at, row.failed_at)
        self._session.add(row)
        return first

    async def note_settled(self, invoice_id: str, subscription_id: str | None, at: datetime) -> None:
        """Notes that nothing is owed of the invoice any more."""
        row = await self._invoice(invoice_id) or InvoicePayment(invoice_id=invoice_id, org_id=self._org_id)
        row.subscription_id = row.subscription_id or subscription_id
        row.settled_at = at if row.settled_at is None else min(at, row.settled_at)
        self._session.add(row)

    async def _invoice(self, invoice_id: str) -> InvoicePayment | None:
        return await self._session.get(InvoicePayment, invoice_id)

    async def payments(self, subscription_id: str) -> tuple[list[datetime], datetime | None]:
        """When each of the subscription's invoices first failed that is still owed, and when one was last settled.

        An invoice that names no subscription may be any's.
        """
        await self._session.flush()
        rows = await self._session.execute(
            select(InvoicePayment.subscription_id, InvoicePayment.failed_at, InvoicePayment.settled_at).where(
                InvoicePayment.org_id == self._org_id,
                or_(InvoicePayment.subscription_id == subscription_id, InvoicePayment.subscription_id.is_(None)),
            )
        )
        owed: list[datetime] = []
        settled: list[datetime] = []
        for names, failed_at, settled_at in rows:
            if settled_at is None and failed_at is not None:
                owed.append(failed_at)
            elif settled_at is not None and names is not None:
                settled.append(settled_at)
        return owed, max(settled, default=None)


def digest_of(state: SubscriptionState) -> str:
    """Equal for equal states."""
    return hashlib.sha256(json.dumps(asdict(state), default=str, sort_keys=True).encode()).hexdigest()
