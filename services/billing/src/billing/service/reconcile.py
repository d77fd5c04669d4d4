"""Compares what is known here with Stripe, for webhooks that never came: its events first, then every subscription.

Whatever differs is set right under the lock that a webhook is applied under, from an answer asked for under it.
Each worker tries; a row says whose turn it is and how far it has come. Without a key there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from billing.deps import Deps
from billing.errors import BillingUnavailable, OrgGone, UnknownToStripe
from billing.models import Reconciliation
from billing.ports import Listed, Payments, StoredEvent
from billing.reconciliations import LEASE, Name, ReconciliationRepository
from billing.repository import BillingRepository
from billing.service import accounts, asking, webhook
from billing.service.effects import HANDLED_TYPES
from billing.service.verdicts import Parked, check_plan
from billing.stripe_events import StripeEventRepository
from billing.stripe_objects import Event
from billing.subscriptions import digest_of
from billing.telemetry import RECONCILE_CHANGES, RECONCILE_RUNS
from common.db import Tenant
from common.ids import parse_id
from common.telemetry import get_logger

FIRST_LOOK: Final = timedelta(days=3)
"""How far back the first comparison looks: so long does Stripe itself retry a webhook."""
IN_FLIGHT: Final = timedelta(minutes=2)
"""An event that is younger may be on its way as a webhook; it is taken all the same, but not counted as lost."""
OVERLAP: Final = timedelta(minutes=15)
"""How far each comparison looks back behind the newest event of the last; an event may be listed late."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription that stood otherwise here than at Stripe."""

    org_id: UUID
    subscription_id: str
    before: dict[str, Any] | None
    after: dict[str, Any]


@dataclass
class Findings:
    """What a comparison found, and unless it was a dry run has set right."""

    missed_events: list[tuple[str, str]] = field(default_factory=list)
    """Id and type."""
    changes: list[Change] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)
    """Subscriptions that a person must look at, and why."""
    calls: int = 0
    complete: bool = True


async def run_due(deps: Deps) -> None:
    """Compares, when it is time and no other worker does; see `reconcile_minutes`."""
    if deps.payments_or_none is None or not deps.settings.reconcile_minutes:
        return
    for name in ("events", "subscriptions"):
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            claimed = await ReconciliationRepository(uow).claim(name)
            await uow.commit()
        if claimed is not None:
            await _compare(deps, claimed)


async def run_now(deps: Deps, *, dry_run: bool) -> Findings:
    """Compares everything from the beginning, whether or not it is time. Raises BillingUnavailable."""
    findings = Findings()
    for name in ("events", "subscriptions"):
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            whole = await ReconciliationRepository(uow).find(name)
        whole.cursor = whole.newest = None
        await _Comparison(deps, deps.payments, findings, dry_run=dry_run, max_calls=None).run(whole)
    return findings


async def run_org(deps: Deps, org_id: UUID, *, dry_run: bool) -> Findings:
    """Compares the subscriptions of one org. Raises BillingUnavailable."""
    findings = Findings()
    comparison = _Comparison(deps, deps.payments, findings, dry_run=dry_run, max_calls=None)
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        account = await BillingRepository(uow, org_id).find_account()
        running = await ReconciliationRepository(uow).of_org(org_id)
    if account is not None and account.stripe_customer_id is not None:
        page = await deps.payments.list_subscriptions(cursor=None, customer_id=account.stripe_customer_id)
        findings.calls += 1
        running += [listed.state.subscription_id for listed in page.items]
    for subscription_id in dict.fromkeys(running):
        await comparison.set_right(org_id, subscription_id)
    return findings


async def _compare(deps: Deps, claimed: Reconciliation) -> None:
    findings = Findings()
    comparison = _Comparison(deps, deps.payments, findings, dry_run=False, max_calls=deps.settings.reconcile_max_calls)
    outcome = "failed"
    try:
        await comparison.run(claimed)
        outcome = "done" if findings.complete else "partial"
    except BillingUnavailable:
        log.warning("reconcile.stripe_away", what=claimed.name)
    finally:
        RECONCILE_RUNS.labels(outcome).inc()
    changed = bool(findings.missed_events or findings.changes or findings.left_alone)
    (log.warning if changed else log.info)(
        "reconcile.done",
        what=claimed.name,
        outcome=outcome,
        calls=findings.calls,
        missed_events=len(findings.missed_events),
        changes=len(findings.changes),
        left_alone=len(findings.left_alone),
    )


@dataclass
class _Comparison:
    deps: Deps
    payments: Payments
    findings: Findings
    dry_run: bool
    max_calls: int | None

    async def run(self, row: Reconciliation) -> None:
        if row.name == "events":
            await self._events(row)
        else:
            await self._subscriptions(row)

    @property
    def _left(self) -> int:
        return 1_000_000 if self.max_calls is None else self.max_calls - self.findings.calls

    async def _events(self, row: Reconciliation) -> None:
        """Puts every event that was never delivered into the inbox, and has them applied."""
        since = row.since or await self._server_time() - FIRST_LOOK
        cursor, newest = row.cursor, row.newest
        while self._left > 0:
            page = await self.payments.list_events(types=HANDLED_TYPES, since=since, cursor=cursor)
            self.findings.calls += 1
            await self._store_missing(page.items)
            newest = max([it.created for it in page.items] + ([newest] if newest else []), default=None)
            cursor = page.cursor
            if cursor is None:
                break
            await self._note("events", LEASE, since, newest, cursor)
        if cursor is None:
            since, newest = max(since, newest - OVERLAP) if newest else since, None
        else:
            self.findings.complete = False
        if not self.dry_run:
            await webhook.apply_waiting(self.deps)
        await self._note("events", self._interval, since, newest, cursor)

    async def _store_missing(self, listed: Sequence[StoredEvent]) -> None:
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            missing = await StripeEventRepository(uow).missing([it.event_id for it in listed])
            lost_before = await ReconciliationRepository(uow).now() - IN_FLIGHT
        for stored in listed:
            if stored.event_id not in missing:
                continue
            event = Event.parse(stored.body)
            if self.dry_run or await webhook.store(self.deps, event, stored.body):
                self.findings.missed_events.append((event.id, event.type))
                what = "missed_event" if event.created < lost_before else "early_event"
                self._count(what, event_id=event.id, type=event.type)

    async def _subscriptions(self, row: Reconciliation) -> None:
        """Compares what Stripe lists with what is known, then asks about what is known to run and was not listed."""
        began = row.newest or await self._server_time()
        cursor, first = row.cursor, True
        while (first or cursor is not None) and self._left > 0:
            first = False
            page = await self.payments.list_subscriptions(cursor=cursor)
            self.findings.calls += 1
            for listed in await self._differing(page.items):
                await self._set_listed_right(listed)
            cursor = page.cursor
            if cursor is not None:
                await self._note("subscriptions", LEASE, None, began, cursor)
        if cursor is None and self._left > 0:
            await self._ask_about_unlisted(began)
        else:
            self.findings.complete = False
        await self._note("subscriptions", self._interval, None, None if cursor is None else began, cursor)

    async def _differing(self, listed: Sequence[Listed]) -> list[Listed]:
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            repository = ReconciliationRepository(uow)
            known = await repository.digests([it.state.subscription_id for it in listed])
            differing = [it for it in listed if known.get(it.state.subscription_id) != digest_of(it.state)]
            if not self.dry_run:
                await repository.note_checked(known.keys())
                await uow.commit()
        return differing

    async def _set_listed_right(self, listed: Listed) -> None:
        subscription_id = listed.state.subscription_id
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            customer_id = listed.state.customer_id
            owners = await StripeEventRepository(uow).owners(
                subscription_ids=[subscription_id], customer_ids=[customer_id] if customer_id else []
            )
        org_id = (
            owners.of_subscription.get(subscription_id)
            or parse_id(listed.org_id or "")
            or owners.of_customer.get(customer_id or "")
        )
        if org_id is None:
            self._leave_alone(subscription_id, "unknown_customer", None)
        else:
            await self.set_right(org_id, subscription_id)

    async def _ask_about_unlisted(self, began: datetime) -> None:
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            unlisted = await ReconciliationRepository(uow).unchecked(began, min(self._left, 1000))
        for subscription_id, org_id in unlisted:
            await self.set_right(org_id, subscription_id)
        if not self.dry_run:
            async with self.deps.db.unit_of_work(Tenant.none()) as uow:
                await ReconciliationRepository(uow).note_checked([it[0] for it in unlisted])
                await uow.commit()

    async def set_right(self, org_id: UUID, subscription_id: str) -> None:
        """Asks again under the lock, and applies the answer."""
        async with self.deps.db.lock(asking.lock_name(org_id)):
            self.findings.calls += 1
            try:
                answer = await asking.ask(self.deps, subscription_id)
                assert answer is not None
                check_plan(answer.state, org_id)
                change = await self._apply(org_id, answer)
            except UnknownToStripe:
                self._leave_alone(subscription_id, "unknown_at_stripe", org_id)
            except OrgGone:
                self._leave_alone(subscription_id, "org_deleted", org_id)
            except Parked as parked:
                self._leave_alone(subscription_id, parked.reason, org_id)
            else:
                if change is not None:
                    self.findings.changes.append(change)
                    self._count("subscription", org_id=str(org_id), before=change.before, after=change.after)

    async def _apply(self, org_id: UUID, answer: asking.Answer) -> Change | None:
        deps, state = self.deps, answer.state
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            repository = BillingRepository(uow, org_id)
            account = await accounts.lock_or_open(uow, repository, deps)
            row = await repository.subscriptions.find(state.subscription_id)
            before = _shown(accounts.state_of(row)) if row is not None else None
            changed = await accounts.apply_subscription(uow, repository, account, deps, state, as_of=answer.asked_at)
            if not self.dry_run:
                await repository.subscriptions.index(state)
                await uow.commit()
        return Change(org_id, state.subscription_id, before, _shown(state)) if changed else None

    def _leave_alone(self, subscription_id: str, reason: str, org_id: UUID | None) -> None:
        self.findings.left_alone.append((subscription_id, reason))
        log.warning(
            "reconcile.left_alone",
            subscription_id=subscription_id,
            reason=reason,
            org_id=str(org_id) if org_id else None,
        )

    def _count(self, what: str, **fields: Any) -> None:
        if not self.dry_run:
            RECONCILE_CHANGES.labels(what).inc()
            log.warning("reconcile.changed", what=what, **fields)

    @property
    def _interval(self) -> timedelta:
        return timedelta(minutes=self.deps.settings.reconcile_minutes or 1)

    async def _server_time(self) -> datetime:
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            return await ReconciliationRepository(uow).now()

    async def _note(
        self, name: Name, due_in: timedelta, since: datetime | None, newest: datetime | None, cursor: str | None
    ) -> None:
        if self.dry_run:
            return
        async with self.deps.db.unit_of_work(Tenant.none()) as uow:
            await ReconciliationRepository(uow).note(name, due_in=due_in, since=since, newest=newest, cursor=cursor)
            await uow.commit()


def _shown(state: Any) -> dict[str, Any]:
    names = ("status", "price", "seats", "cancel_at_period_end", "period_end", "discount")
    return {name: getattr(state, name) for name in names}
