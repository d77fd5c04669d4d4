"""Stripe's events and what they change: each one's org found, its object believed or parked, its effect committed.

Several events of an org are applied in one transaction: what they cost is mostly the transaction's, and the question to
Stripe. Should one of them fail there, each gets a transaction of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from billing import domain
from billing.deps import Deps
from billing.errors import BillingUnavailable, OrgGone, UnknownToStripe
from billing.models import Account
from billing.repository import BillingRepository
from billing.service import accounts, asking
from billing.service.effects import KINDS, Kind, Step
from billing.service.verdicts import Parked, Verdict, check_plan
from billing.stripe_events import Finished, Owners, StripeEventRepository
from billing.stripe_objects import Event
from common.db import Tenant
from common.ids import parse_id
from common.telemetry import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class _Reading:
    """An event whose type has an effect here, and its object as Stripe documents it."""

    event: Event
    kind: Kind
    parsed: Any

    @property
    def subscription_id(self) -> str | None:
        return self.kind.subscription_id(self.parsed)

    @property
    def customer_id(self) -> str | None:
        customer: str | None = self.parsed.customer
        return customer


async def apply(deps: Deps, event: Event, *, dry_run: bool = False) -> Verdict:
    """Applies an event and marks it as handled, in one transaction; or marks it as ignored or parked.

    Raises BillingUnavailable when Stripe cannot be asked just now. In a dry run nothing is changed.
    """
    result = (await apply_all(deps, [event], dry_run=dry_run))[event.id]
    if isinstance(result, Exception):
        raise result
    return result


async def apply_all(
    deps: Deps, events: Sequence[Event], *, dry_run: bool = False, until: float = math.inf
) -> dict[str, Verdict | Exception]:
    """Does that for many, by their id: what became of each, or what it failed with and has to be tried again for.

    Those of orgs whose turn did not come before `until` (time.monotonic) were not tried, and are not among them.
    """
    results: dict[str, Verdict | Exception] = {}
    readings = []
    for event in events:
        read = _read(deps, event)
        if isinstance(read, Verdict):
            results[event.id] = read
        else:
            readings.append(read)
    while readings:
        groups, homeless = _by_org(deps, readings, await _owners(deps, readings), results)
        for org_id, group in groups.items():
            if time.monotonic() > until:
                homeless = []
                break
            results.update(await _apply_group(deps, org_id, group, dry_run=dry_run))
        if not groups:
            results.update((it.event.id, _unknown_customer(it, results.values())) for it in homeless)
            break
        readings = homeless  # one of those just applied may have told whose customer theirs is
    if not dry_run:
        await _finish_unapplied(deps, results)
    return results


def _read(deps: Deps, event: Event) -> _Reading | Verdict:
    if event.account and event.account != deps.settings.stripe_account_id:
        return Verdict("parked", "wrong_account", f"of the account {event.account}")
    if event.livemode is False and deps.settings.is_live:
        return Verdict("parked", "wrong_mode", "a test event, and the key is a live one")
    kind = KINDS.get(event.type)
    if kind is None:
        return Verdict("ignored", "unknown_type")
    try:
        return _Reading(event, kind, kind.parse(event.data.object))
    except ValidationError as error:
        return Verdict("parked", "unreadable", f"not the object that Stripe documents: {error}")


async def _owners(deps: Deps, readings: Iterable[_Reading]) -> Owners:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        return await StripeEventRepository(uow).owners(
            subscription_ids={it.subscription_id for it in readings if it.subscription_id},
            customer_ids={it.customer_id for it in readings if it.customer_id},
        )


def _by_org(
    deps: Deps, readings: Iterable[_Reading], owners: Owners, results: dict[str, Verdict | Exception]
) -> tuple[dict[UUID, list[_Reading]], list[_Reading]]:
    """The events of each org, and those of no org that is known; what cannot be right is put into `results`."""
    groups: dict[UUID, list[_Reading]] = {}
    homeless: list[_Reading] = []
    accepted = deps.settings.currencies
    for it in readings:
        named = parse_id(it.kind.metadata(it.parsed).get("org_id") or "")
        owner = owners.of_subscription.get(it.subscription_id or "")
        org_id = named or owner or owners.of_customer.get(it.customer_id or "")
        currency: str | None = it.parsed.currency
        if owner is not None and named is not None and owner != named:
            detail = f"names {named}, but its subscription is known as one of {owner}"
            results[it.event.id] = Verdict("parked", "org_conflict", detail, owner)
        elif org_id is None:
            homeless.append(it)
        elif accepted and currency and currency.lower() not in accepted:
            detail = f"{currency} is not among STRIPE_CURRENCIES"
            results[it.event.id] = Verdict("parked", "foreign_currency", detail, org_id)
        else:
            groups.setdefault(org_id, []).append(it)
    return groups, homeless


def _unknown_customer(it: _Reading, others: Iterable[Verdict | Exception]) -> Verdict | Exception:
    """Parked, unless one that could not be applied just now may yet tell whose customer it is."""
    parked = Verdict("parked", "unknown_customer", f"names no org, and the customer {it.customer_id} is not known")
    return next((other for other in others if isinstance(other, Exception)), parked)


async def _apply_group(
    deps: Deps, org_id: UUID, group: Sequence[_Reading], *, dry_run: bool
) -> Mapping[str, Verdict | Exception]:
    try:
        return await _apply_together(deps, org_id, group, dry_run=dry_run)
    except BillingUnavailable as error:
        return {it.event.id: error for it in group}
    except Exception as error:  # noqa: BLE001  # it is the caller's result, who logs it and tries again
        if len(group) == 1:
            return {group[0].event.id: error}
        log.warning("stripe.apply_together_failed", org_id=str(org_id), events=len(group), error=repr(error))
    results: dict[str, Verdict | Exception] = {}
    for it in group:
        results.update(await _apply_group(deps, org_id, [it], dry_run=dry_run))
    return results


class _HandledElsewhere(Exception):
    """Another worker thought that this one had died, and was faster with one of the events."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """What Stripe says now of the subscriptions of several events; empty without a key."""

    known: Mapping[str, asking.Answer]
    unknown: frozenset[str]
    """Those that a live key's account does not have."""


async def _apply_together(
    deps: Deps, org_id: UUID, group: Sequence[_Reading], *, dry_run: bool
) -> dict[str, Verdict | Exception]:
    verdicts: dict[str, Verdict | Exception] = {}
    finished: list[Finished] = []
    async with asking.turn(deps, org_id):
        answers = await _ask(deps, {it.subscription_id for it in group if it.subscription_id})
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            repository = BillingRepository(uow, org_id)
            try:
                account = await accounts.lock_or_open(uow, repository, deps)
            except OrgGone:
                return {it.event.id: _of_a_deleted_org(it, org_id, answers) for it in group}
            with uow.session.no_autoflush:  # each table is written once, at the end, not before each look
                for it in group:
                    answer = answers.known.get(it.subscription_id or "")
                    step = Step(uow, repository, account, deps, it.event, answer)
                    before = _snapshot(account)
                    try:
                        _check_answer(it, org_id, answers)
                        it.kind.check(step, it.parsed)
                    except Parked as parked:
                        verdicts[it.event.id] = parked.verdict
                        continue
                    outcome = await it.kind.apply(step, it.parsed)
                    changes = _changes(before, _snapshot(account))
                    verdicts[it.event.id] = Verdict(outcome, org_id=org_id, changes=changes)
                    finished.append(Finished(it.event.id, outcome, org_id=org_id))
            if dry_run or not finished:  # an account that was opened for what is parked is not kept
                return verdicts
            if await StripeEventRepository(uow).finish(finished) < len(finished):
                if len(group) > 1:
                    raise _HandledElsewhere
                return {group[0].event.id: Verdict("stale", org_id=org_id)}
            await uow.commit()
    return verdicts


async def _ask(deps: Deps, subscription_ids: Iterable[str]) -> _Answers:
    """With a key, what Stripe says now counts, not what the event said then.

    An event with a made-up object, as a runbook posts one to a test system, counts as it stands: no money is moved.
    """
    known, unknown = {}, set()
    for subscription_id in subscription_ids:
        try:
            answer = await asking.ask(deps, subscription_id)
        except UnknownToStripe:
            unknown.add(subscription_id)
        else:
            if answer is not None:
                known[subscription_id] = answer
    return _Answers(known, frozenset(unknown if deps.settings.is_live else ()))


def _check_answer(it: _Reading, org_id: UUID, answers: _Answers) -> None:
    """Raises Parked when the subscription as Stripe has it cannot be right."""
    subscription_id = it.subscription_id or ""
    if subscription_id in answers.unknown:
        raise Parked("unknown_at_stripe", f"Stripe knows no subscription {subscription_id}", org_id)
    answer = answers.known.get(subscription_id)
    if answer is not None:
        check_plan(answer.state, org_id)


def _of_a_deleted_org(it: _Reading, org_id: UUID, answers: _Answers) -> Verdict:
    subscription_id = it.subscription_id or ""
    if subscription_id in answers.unknown:
        return Parked("unknown_at_stripe", f"Stripe knows no subscription {subscription_id}", org_id).verdict
    answer = answers.known.get(subscription_id)
    if answer.state.status in domain.ENDED_STATUSES if answer else it.kind.is_over(it.parsed):
        return Verdict("ignored", "org_deleted", org_id=org_id)
    return Verdict("parked", "org_deleted", "money is taken for an organisation that was deleted", org_id)


async def _finish_unapplied(deps: Deps, results: Mapping[str, Verdict | Exception]) -> None:
    unapplied = [
        Finished(event_id, it.outcome, it.reason, it.org_id, it.detail)
        for event_id, it in results.items()
        if isinstance(it, Verdict) and it.reason is not None  # one without was applied, and is finished with its org's
    ]
    if unapplied:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await StripeEventRepository(uow).finish(unapplied)
            await uow.commit()


_SHOWN: Final = (
    "tier", "status", "limits", "period_start", "period_end", "grace_ends_at", "first_failed_at", "extras_granted",
    "stripe_customer_id", "subscription_version",
)  # fmt: skip


def _snapshot(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in _SHOWN}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}
