"""Rules of AI requests: who may ask, how often, and how much is set aside for an answer."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final, Literal

from ai.errors import DailyCapReached, MonthlyTokensReached
from common.errors import Conflict, QuotaExceeded

Kind = Literal["plan", "write", "revise", "format"]
KINDS: Final[tuple[Kind, ...]] = ("plan", "write", "revise", "format")
OPEN_TO_FREE: Final[frozenset[Kind]] = frozenset({"plan"})

EXPECTED_OUTPUT_TOKENS: Final[dict[Kind, int]] = {"plan": 2_000, "write": 3_000, "revise": 2_000, "format": 0}
CHARACTERS_PER_TOKEN: Final = 4
PASSAGES_CHARACTERS: Final = 24_000
"""As much as a draft is given: eight passages of the call and of uploads, and four answers of the library, of 2,000
characters each."""
PROMPT_TOKENS: Final = 1_000
"""Our own words around a request to a model."""


def tokens_to_reserve(kind: Kind, characters: int, *, max_output: int | None) -> int:
    """What is set aside for a request; with a model it is what it can cost at most, so that no cap is passed by many.

    `characters` is the length of the input, `max_output` None for the built-in drafter, whose answers are about as long
    as expected and whose plans cost no input. A plan may be asked for twice, the second time with the first answer.
    """
    if kind == "format":
        return 0
    input_tokens = 0 if kind == "plan" and max_output is None else math.ceil(characters / CHARACTERS_PER_TOKEN)
    if max_output is None:
        return input_tokens + EXPECTED_OUTPUT_TOKENS[kind]
    once = PROMPT_TOKENS + input_tokens + max_output
    return 2 * once + max_output if kind == "plan" else once


def check_tier(kind: Kind, tier: str, *, gate_open: bool) -> None:
    """Raises QuotaExceeded (`ai_requires_pro`) when the tier does not include this request."""
    if gate_open or kind in OPEN_TO_FREE or tier != "free":
        return
    raise QuotaExceeded(
        "Drafting with AI is part of the Pro plan; planning is free. Upgrade to draft.", reason="ai_requires_pro"
    )


def check_retry(finished_at: datetime | None, now: datetime, *, hours: float) -> None:
    """Raises Conflict for a request whose words are redacted by now."""
    if finished_at is not None and finished_at < now - timedelta(hours=hours):
        raise Conflict("This was asked too long ago to be tried again: its words are no longer kept. Ask anew.")


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
