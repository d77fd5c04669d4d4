"""An org's Stripe subscriptions: where each stands, what was reported of it, and the payments of its invoices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from billing.domain import ENDED_STATUSES, SubscriptionState
from billing.history import Report
from billing.models import InvoicePayment, StripeSubscription, Subscription, SubscriptionHistory
from common.db import UnitOfWork

_REPORTS: Final = TypeAdapter(tuple[Report, ...])
_REPORT: Final = TypeAdapter(Report)


@dataclass(slots=True)
class _Known:
    row: Subscription
    history: SubscriptionHistory | None = None
    reports: tuple[Report, ...] | None = None
    """The history, once it was parsed."""


class SubscriptionRepository:
    """Through a unit of work that has the org as its tenant; it never commits.

    It reads everything at once and only once: to change something, take the account's lock before the first look.
    """

    def __init__(self, uow: UnitOfWork, org_id: UUID) -> None:
        self._session = uow.session
        self._org_id = org_id
        self._loaded: dict[str, _Known] | None = None
        self._has_histories = False

    async def all(self) -> Sequence[Subscription]:
        """Every subscription that the org ever had, the latest report first."""
        rows = sorted((await self._known()).values(), key=lambda it: it.row.subscription_id)
        return sorted((it.row for it in rows), key=lambda row: row.as_of, reverse=True)

    async def find(self, subscription_id: str) -> Subscription | None:
        """One of the org's subscriptions."""
        known = (await self._known()).get(subscription_id)
        return known.row if known is not None else None

    async def reports(self, subscription_id: str) -> tuple[Report, ...]:
        """What was reported of the subscription, oldest first; empty when nothing was, or before that was kept."""
        known = (await self._with_histories()).get(subscription_id)
        if known is None or known.history is None:
            return ()
        if known.reports is None:
            known.reports = _REPORTS.validate_python(known.history.reports)
        return known.reports

    async def save(self, state: SubscriptionState, as_of: datetime, reports: tuple[Report, ...]) -> Subscription:
        """Keeps where the subscription stands, and the reports that say so, over what was known."""
        subscription_id, loaded = state.subscription_id, await self._with_histories()
        before = await self.reports(subscription_id)
        known = loaded.get(subscription_id)
        if known is None:
            known = _Known(Subscription(subscription_id=subscription_id, org_id=self._org_id))
            self._session.add(known.row)
            loaded[subscription_id] = known
        if known.history is None:
            known.history = SubscriptionHistory(subscription_id=subscription_id, org_id=self._org_id, reports=[])
            self._session.add(known.history)
        if reports != before:
            known.history.reports = _dump(reports, before, known.history.reports)
            known.reports = reports
        row = known.row
        row.status = state.status
        row.price = state.price
        row.seats = state.seats
        row.cancel_at_period_end = state.cancel_at_period_end
        row.period_start = state.period_start
        row.period_end = state.period_end
        row.discount = state.discount
        row.as_of = as_of
        return row

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
        row = await self._invoice(invoice_id)
        first = row.failed_at is None and row.settled_at is None
        row.subscription_id = row.subscription_id or subscription_id
        row.failed_at = at if row.failed_at is None else min(at, row.failed_at)
        return first

    async def note_settled(self, invoice_id: str, subscription_id: str | None, at: datetime) -> None:
        """Notes that nothing is owed of the invoice any more."""
        row = await self._invoice(invoice_id)
        row.subscription_id = row.subscription_id or subscription_id
        row.settled_at = at if row.settled_at is None else min(at, row.settled_at)

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

    async def _known(self) -> dict[str, _Known]:
        if self._loaded is None:
            rows = await self._session.scalars(select(Subscription).where(Subscription.org_id == self._org_id))
            self._loaded = {row.subscription_id: _Known(row) for row in rows}
        return self._loaded

    async def _with_histories(self) -> dict[str, _Known]:
        """They are long, and most who look at a subscription need none."""
        if self._loaded is None:
            both = await self._session.execute(
                select(Subscription, SubscriptionHistory)
                .outerjoin(SubscriptionHistory, SubscriptionHistory.subscription_id == Subscription.subscription_id)
                .where(Subscription.org_id == self._org_id)
            )
            self._loaded = {row.subscription_id: _Known(row, history) for row, history in both}
        elif not self._has_histories:
            histories = await self._session.scalars(
                select(SubscriptionHistory).where(SubscriptionHistory.org_id == self._org_id)
            )
            for history in histories:
                self._loaded[history.subscription_id].history = history
        self._has_histories = True
        return self._loaded

    async def _invoice(self, invoice_id: str) -> InvoicePayment:
        row = await self._session.get(InvoicePayment, invoice_id)
        if row is None:
            row = InvoicePayment(invoice_id=invoice_id, org_id=self._org_id)
            self._session.add(row)
            await self._session.flush()  # so that the next look finds it
        return row


def _dump(
    reports: Sequence[Report], before: Sequence[Report], dumped: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The reports as they are stored. Those of before need not be written out again: there may be a hundred."""
    done = {report.report_id: (report, text) for report, text in zip(before, dumped, strict=True)}
    texts = []
    for report in reports:
        same, text = done.get(report.report_id, (None, None))
        texts.append(text if text is not None and same == report else _REPORT.dump_python(report, mode="json"))
    return texts


def digest_of(state: SubscriptionState) -> str:
    """Equal for equal states."""
    return hashlib.sha256(json.dumps(asdict(state), default=str, sort_keys=True).encode()).hexdigest()
