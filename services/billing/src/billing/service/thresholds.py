"""Tells when usage comes to 70, 90 and 100 per cent of a cap: each once for an org, a cap, its limit and a period."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing import domain, events
from billing.deps import Deps
from billing.domain import Usage
from billing.models import Account
from billing.repository import BillingRepository
from common.db import UnitOfWork
from contracts.billing import THRESHOLDS, CapName, Limits

PROPOSALS_OF_THE_PERIOD: Final[tuple[CapName, ...]] = ("monthly_cap",)
PROPOSALS: Final[tuple[CapName, ...]] = ("active_cap", *PROPOSALS_OF_THE_PERIOD)
GENERATIONS: Final[tuple[CapName, ...]] = ("ai_daily", "ai_monthly_tokens")
SEATS: Final[tuple[CapName, ...]] = ("seats",)
STORAGE: Final[tuple[CapName, ...]] = ("storage_bytes",)
EVERY: Final = PROPOSALS + GENERATIONS + SEATS + STORAGE


@dataclass(frozen=True, slots=True)
class Level:
    """How far a cap is used up."""

    cap: CapName
    used: int
    limit: int
    period: tuple[datetime, datetime]

    def reached(self) -> Iterator[int]:
        """The thresholds that were passed. One seat, or none of something, is full from the start: no news."""
        if self.limit > (1 if self.cap == "seats" else 0):
            yield from (it for it in THRESHOLDS if self.used * 100 >= it * self.limit)


def levels(limits: Limits, usage: Usage, period: tuple[datetime, datetime], now: datetime) -> Iterator[Level]:
    """Every cap that the org has, in the period that it counts in."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    counted: tuple[tuple[CapName, int, int | None, tuple[datetime, datetime]], ...] = (
        ("active_cap", usage.ever, limits.active_cap, period),
        ("monthly_cap", usage.created_this_period, limits.monthly_cap, period),
        ("seats", usage.seats, limits.seats, period),
        ("ai_daily", usage.ai_requests_today, limits.ai_daily, (today, today + timedelta(days=1))),
        ("ai_monthly_tokens", usage.ai_tokens_this_month, limits.ai_monthly_tokens, domain.calendar_month(now)),
        ("storage_bytes", usage.storage_bytes, limits.storage_bytes, period),
    )
    return (Level(cap, used, limit, its_period) for cap, used, limit, its_period in counted if limit is not None)


async def check(
    uow: UnitOfWork,
    repository: BillingRepository,
    account: Account,
    deps: Deps,
    caps: Collection[CapName],
    *,
    counts_nothing: bool = False,
) -> None:
    """Publishes what has newly been reached of these caps; `counts_nothing` when this transaction counts nothing new.

    The account must be locked, and what is counted written before: whoever gets the lock next counts it too, so that of
    two that race the later one sees both.
    """
    limits, now = Limits.model_validate(account.limits), deps.clock.now()
    if not any(getattr(limits, cap) is not None for cap in caps):
        return
    count = repository.counts.usage_once if counts_nothing else repository.counts.usage
    usage = await count(account, now=now)
    for level in levels(limits, usage, (account.period_start, account.period_end), now):
        if level.cap not in caps:
            continue
        for threshold in level.reached():
            fresh = await repository.counts.note_threshold(
                level.cap, threshold, limit=level.limit, period_start=level.period[0], now=now
            )
            if fresh:
                events.usage_threshold_reached(
                    uow,
                    account,
                    cap=level.cap,
                    threshold=threshold,
                    used=level.used,
                    limit=level.limit,
                    extras_left=usage.extras_left,
                    period=level.period,
                )
