"""Rules of AI requests: who may ask, how often, and how much is set aside for an answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from ai.errors import DailyCapReached, MonthlyTokensReached
from common.errors import QuotaExceeded

Kind = Literal["plan", "write", "revise", "format"]
KINDS: Final[tuple[Kind, ...]] = ("plan", "write", "revise", "format")
OPEN_TO_FREE: Final[frozenset[Kind]] = frozenset({"plan"})

EXPECTED_OUTPUT_TOKENS: Final[dict[Kind, int]] = {"plan": 2_000, "write": 3_000, "revise": 2_000, "format": 0}


def check_tier(kind: Kind, tier: str, *, gate_open: bool) -> None:
    """Raises QuotaExceeded (`ai_requires_pro`) when the tier does not include this request."""
    if gate_open or kind in OPEN_TO_FREE or tier != "free":
        return
    raise QuotaExceeded(
        "Drafting with AI is part of the Pro plan; planning is free. Upgrade to draft.", reason="ai_requires_pro"
    )


def check_daily(used: int, cap: int | None, now: datetime) -> None:
    """Raises DailyCapReached when today's requests (UTC) are used up."""
    if cap is not None and used >= cap:
        tomorrow = day_start(now) + timedelta(days=1)
        raise DailyCapReached(
            retry_after=(tomorrow - now).total_seconds(),
        )


def check_tokens(used_and_reserved: int, cap: int | None, now: datetime) -> None:
    """Raises MonthlyTokensReached when nothing of the month's tokens is left.

    What runs counts with what is set aside for it, so a cap is passed by at most the one request that used it up.
    """
    if cap is not None and used_and_reserved >= cap:
        next_month = (month_start(now) + timedelta(days=32)).replace(day=1)
        raise MonthlyTokensReached(retry_after=(next_month - now).total_seconds())


def day_start(now: datetime) -> datetime:
    """Midnight UTC of the day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def month_start(now: datetime) -> datetime:
    """The first moment of the calendar month, UTC."""
    return day_start(now).replace(day=1)
