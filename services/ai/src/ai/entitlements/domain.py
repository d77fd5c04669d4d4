"""Rules of the quota: which allowance pays for the next proposal, or why none does."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from common.errors import QuotaExceeded

Tier = Literal["free", "pro", "enterprise"]
ChargedTo = Literal["cap", "extras"]


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What an org may do, as billing last said; None where there is no cap."""

    tier: str
    active_cap: int | None
    monthly_cap: int | None
    ai_daily: int | None
    ai_monthly_tokens: int | None
    extras_granted: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True)
class ProposalsUsed:
    """What the org has used: proposals ever made, those of this period paid by the cap, extras ever spent."""

    ever: int
    in_period: int
    extras: int


def current_period(entitlements: Entitlements, now: datetime) -> tuple[datetime, datetime]:
    """The period that `now` falls in. Billing says when a new one begins; until then months follow on each other."""
    start, end = entitlements.period_start, entitlements.period_end
    day = start.day
    while end <= now:
        start, end = end, _a_month_after(end, day)
    return start, end


def charge(entitlements: Entitlements, used: ProposalsUsed) -> ChargedTo:
    """The allowance that pays for one more proposal; raises QuotaExceeded when none is left.

    A free org has `active_cap` proposals for ever; a paying one `monthly_cap` in each period. Extras pay when the cap
    is used up, on every tier, because they were bought and last until they are used.
    """
    is_free = entitlements.tier == "free"
    cap = entitlements.active_cap if is_free else entitlements.monthly_cap
    count = used.ever if is_free else used.in_period
    if cap is None or count < cap:
        return "cap"
    if used.extras < entitlements.extras_granted:
        return "extras"
    raise QuotaExceeded(
        "Your free plan holds no more proposals; upgrade to make another."
        if is_free
        else "You have made all proposals of this period; buy a bundle or wait for the next.",
        reason="active_cap_reached" if is_free else "monthly_cap_reached",
        limits=_limits(entitlements, used),
        usage={"active": used.ever, "created_this_period": used.in_period},
    )


def _limits(entitlements: Entitlements, used: ProposalsUsed) -> dict[str, Any]:
    return {
        "active_cap": entitlements.active_cap,
        "monthly_cap": entitlements.monthly_cap,
        "extras": max(0, entitlements.extras_granted - used.extras),
    }


def _a_month_after(moment: datetime, day: int) -> datetime:
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return moment.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))
