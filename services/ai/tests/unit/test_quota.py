"""Which allowance pays for a proposal, and in which period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ai.entitlements.domain import Entitlements, ProposalsUsed, charge, current_period
from ai.errors import DailyCapReached, MonthlyTokensReached
from ai.generation.domain import check_daily, check_tier, check_tokens
from common.errors import QuotaExceeded

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
PRO = Entitlements(
    tier="pro",
    active_cap=None,
    monthly_cap=2,
    ai_daily=None,
    ai_monthly_tokens=None,
    extras_granted=0,
    period_start=START,
    period_end=datetime(2026, 2, 28, 9, tzinfo=UTC),
)
FREE = replace(PRO, tier="free", active_cap=1, monthly_cap=None)


def used(ever: int = 0, in_period: int = 0, extras: int = 0) -> ProposalsUsed:
    return ProposalsUsed(ever=ever, in_period=in_period, extras=extras)


class TestCharge:
    def test_free_counts_every_proposal_ever_made(self) -> None:
        assert charge(FREE, used()) == "cap"
        with pytest.raises(QuotaExceeded) as refused:
            charge(FREE, used(ever=1))
        assert refused.value.reason == "active_cap_reached"
        assert refused.value.extra["limits"] == {"active_cap": 1, "monthly_cap": None, "extras": 0}

    def test_pro_counts_those_of_the_period(self) -> None:
        assert charge(PRO, used(ever=50, in_period=1)) == "cap"
        with pytest.raises(QuotaExceeded) as refused:
            charge(PRO, used(ever=50, in_period=2))
        assert refused.value.reason == "monthly_cap_reached"

    def test_extras_pay_after_the_cap_until_they_are_used(self) -> None:
        with_extras = replace(PRO, extras_granted=3)
        assert charge(with_extras, used(in_period=1)) == "cap"
        assert charge(with_extras, used(in_period=2, extras=2)) == "extras"
        with pytest.raises(QuotaExceeded):
            charge(with_extras, used(in_period=2, extras=3))
        assert charge(replace(FREE, extras_granted=1), used(ever=1)) == "extras"

    def test_no_cap_never_refuses(self) -> None:
        assert charge(replace(PRO, monthly_cap=None), used(in_period=10_000)) == "cap"


class TestCurrentPeriod:
    @pytest.mark.parametrize(
        ("now", "start", "end"),
        [
            ((2026, 2, 1), (2026, 1, 31), (2026, 2, 28)),
            ((2026, 3, 1), (2026, 2, 28), (2026, 3, 31)),
            ((2027, 1, 15), (2026, 12, 31), (2027, 1, 31)),
        ],
    )
    def test_months_follow_until_billing_speaks(
        self, now: tuple[int, int, int], start: tuple[int, int, int], end: tuple[int, int, int]
    ) -> None:
        found = current_period(PRO, datetime(*now, tzinfo=UTC))
        assert found == (datetime(*start, 9, tzinfo=UTC), datetime(*end, 9, tzinfo=UTC))


class TestLimits:
    NOW = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)

    def test_plan_is_open_to_free_and_the_rest_is_not(self) -> None:
        check_tier("plan", "free", gate_open=False)
        check_tier("write", "pro", gate_open=False)
        check_tier("write", "free", gate_open=True)
        for kind in ("write", "revise", "format"):
            with pytest.raises(QuotaExceeded):
                check_tier(kind, "free", gate_open=False)

    def test_a_cap_says_when_it_opens_again(self) -> None:
        check_daily(4, 5, self.NOW)
        check_daily(400, None, self.NOW)
        with pytest.raises(DailyCapReached) as daily:
            check_daily(5, 5, self.NOW)
        assert daily.value.headers["Retry-After"] == "3600"
        check_tokens(99, 100, self.NOW)
        with pytest.raises(MonthlyTokensReached) as monthly:
            check_tokens(100, 100, self.NOW)
        assert monthly.value.headers["Retry-After"] == "3600"
