"""What Stripe has reported of one subscription, and where it stands by that: a function of which reports came, not of
the order in which they came. No I/O. The rule, and why it is this one: docs/decisions/0008."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from billing.domain import ENDED_STATUSES, PAID_STATUSES, TIER_OF_PRICE, SubscriptionState
from contracts.billing import TIERS

KEPT: Final = 100
"""Reports of a subscription that are kept, the newest. A life has some twenty in a year; who plays with seats all day
makes more, and what is a hundred reports old decides nothing any more."""
OWED_STATUSES: Final = frozenset({"past_due", "unpaid"})
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that Stripe said: an event's own object, or its API's answer to a question of ours."""

    report_id: str
    created: datetime
    """Stripe's time of the event, in whole seconds; of an answer, when it was asked for."""
    state: SubscriptionState
    before: SubscriptionState | None = None
    """What it was before, where the event tells (`previous_attributes`)."""
    fetched: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscription stands."""

    state: SubscriptionState
    as_of: datetime
    owed_at: tuple[datetime, ...]
    """When it was reported as owed, since it last was not; empty when it is not owed now."""
    recovered_at: datetime | None
    """When it was last reported as paid after it had been owed."""


def with_report(reports: Iterable[Report], new: Report) -> tuple[Report, ...]:
    """The reports with one more, each once, oldest first, no more than are kept."""
    known = {report.report_id: report for report in (*reports, new)}
    return tuple(sorted(known.values(), key=_position)[-KEPT:])


def with_answer(reports: Sequence[Report], state: SubscriptionState, asked_at: datetime) -> tuple[Report, ...]:
    """The reports with what the API answers now, which is newer than all of them; the same when it says nothing new."""
    if reports and standing(reports).state == state:
        return tuple(reports)
    newest = max((report.created for report in reports), default=_NEVER)
    created = max(asked_at, newest + timedelta(microseconds=1))
    return with_report(reports, Report(f"answer:{created.isoformat()}", created, state, fetched=True))


def standing(reports: Iterable[Report]) -> Standing:
    """Where the subscription stands by these reports (at least one)."""
    timeline = _timeline(reports)
    as_of, state, fetched = timeline[-1]
    ended = [(moment, it) for moment, it, _ in timeline if it.status in ENDED_STATUSES]
    if ended and not fetched:
        # Stripe never leaves an end. What is dated after it was late, or of the end's own second.
        as_of, state = ended[-1]
    owed: list[datetime] = []
    recovered_at = None
    for moment, it, _ in timeline:
        if it.status in OWED_STATUSES:
            owed.append(moment)
            continue
        if owed and it.status in PAID_STATUSES:
            recovered_at = moment
        owed = []
    return Standing(state, as_of, tuple(owed) if state.status in OWED_STATUSES else (), recovered_at)


def first_failure(
    current: Standing, *, owed_failures: Iterable[datetime], last_settled_at: datetime | None
) -> datetime | None:
    """When the payment that is still owed first failed; None when nothing is.

    Args:
        owed_failures: when each invoice first failed that has not been settled since.
        last_settled_at: when an invoice of the subscription was last settled.
    """
    if not current.owed_at:
        return None
    # An answer is dated finer than events are: what failed in the second of a recovery may have failed after it.
    since = current.recovered_at.replace(microsecond=0) if current.recovered_at else _NEVER
    moments = [it for it in owed_failures if it >= since]
    unsettled = [it for it in current.owed_at if last_settled_at is None or it >= last_settled_at]
    return min([*moments, (unsettled or current.owed_at)[0]])


def _position(report: Report) -> tuple[datetime, str]:
    return report.created, report.report_id


def _timeline(reports: Iterable[Report]) -> list[tuple[datetime, SubscriptionState, bool]]:
    """The state at the end of each moment that reports are dated with."""
    found: list[tuple[datetime, SubscriptionState, bool]] = []
    for moment, group in groupby(sorted(reports, key=_position), key=lambda report: report.created):
        together = list(group)
        start = found[-1][1] if found else None
        found.append((moment, _end_of(together, start), any(report.fetched for report in together)))
    return found


def _end_of(together: Sequence[Report], start: SubscriptionState | None) -> SubscriptionState:
    """The last of several states within one second, which is all that Stripe dates by.

    Each report is a step from `before` to `state`; the steps join to one walk, whatever order they are listed in, and
    it ends where more steps arrive than leave. If that is nowhere it went in a circle, and ends where it began.
    """
    candidates = {report.state for report in together}
    ended = [it for it in candidates if it.status in ENDED_STATUSES]
    if ended:
        return max(ended, key=_precedence)
    if len(candidates) == 1:
        return together[0].state
    arrivals: Counter[SubscriptionState] = Counter()
    for report in together:
        arrivals[report.state] += 1
        if report.before is not None:
            arrivals[report.before] -= 1
    most = max(min(arrivals[it], 1) for it in candidates)
    if most <= 0 and start in candidates:
        return start
    # More than one: the steps between were lost, or the events do not tell what was before.
    return max((it for it in candidates if min(arrivals[it], 1) == most), key=_precedence)


def _precedence(state: SubscriptionState) -> tuple[datetime, int, int, int, bool, datetime, str, str, str]:
    """Which state to believe when nothing else tells: the further on in a life, then the better for the customer."""
    tier = TIER_OF_PRICE.get(state.price or "", "free")
    return (
        state.period_start or _NEVER,
        _STATUS_ORDER.get(state.status, 0),
        TIERS.index(tier),
        state.seats or 0,
        not state.cancel_at_period_end,
        state.period_end or _NEVER,
        state.price or "",
        state.discount or "",
        state.customer_id or "",
    )


_STATUS_ORDER: Final = {
    status: order for order, status in enumerate(("incomplete", "trialing", "paused", "unpaid", "past_due", "active"))
}
