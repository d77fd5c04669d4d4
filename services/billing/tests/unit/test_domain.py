"""The rules of billing, without anything around them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing import domain
from billing.domain import QuotaRules, SubscriptionState, Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = QuotaRules(
    free_active_cap=1,
    pro_monthly_cap=20,
    pro_per_seat=10,
    enterprise_monthly_cap=None,
    storage_bytes={"free": 1, "pro": 2, "enterprise": 3},
    ai_per_minute={"free": 0, "pro": 20, "enterprise": 60},
    ai_daily={"free": None, "pro": None, "enterprise": None},
    ai_monthly_tokens={"free": None, "pro": None, "enterprise": None},
    upload_max_bytes=10,
    grace_days=3,
)


def subscription(status: str = "active", price: str = "pro_monthly", **changes: object) -> SubscriptionState:
    values: dict[str, object] = {
        "subscription_id": "sub_1",
        "customer_id": "cus_1",
        "status": status,
        "price": price,
        "seats": None,
        "cancel_at_period_end": False,
        "period_start": NOW - timedelta(days=10),
        "period_end": NOW + timedelta(days=20),
    }
    return SubscriptionState(**{**values, **changes})  # type: ignore[arg-type]


def entitle(*subscriptions: SubscriptionState, first_failed_at: datetime | None = None) -> domain.Entitlement:
    return domain.entitlement(subscriptions, first_failed_at=first_failed_at, rules=RULES, now=NOW)


class TestEntitlement:
    def test_without_a_subscription_it_is_free_for_the_calendar_month(self) -> None:
        found = entitle()
        assert (found.tier, found.status, found.limits.active_cap) == ("free", "none", 1)
        assert (found.period_start, found.period_end) == (
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        ("status", "tier"),
        [
            ("active", "pro"),
            ("trialing", "pro"),
            ("canceled", "free"),
            ("unpaid", "free"),
            ("incomplete", "free"),
            ("incomplete_expired", "free"),
            ("paused", "free"),
        ],
    )
    def test_only_a_paid_status_gives_the_bought_tier(self, status: str, tier: str) -> None:
        assert entitle(subscription(status)).tier == tier

    def test_a_price_that_is_not_ours_gives_nothing(self) -> None:
        assert entitle(subscription(price="somebody_elses")).tier == "free"

    def test_past_due_keeps_the_tier_until_the_grace_ends_and_is_reviewed_then(self) -> None:
        failed = NOW - timedelta(days=2)
        found = entitle(subscription("past_due"), first_failed_at=failed)
        assert found.tier == "pro"
        assert found.grace_ends_at == found.review_at == failed + timedelta(days=3)

    def test_past_due_is_free_once_the_grace_has_ended(self) -> None:
        assert entitle(subscription("past_due"), first_failed_at=NOW - timedelta(days=3)).tier == "free"

    def test_a_cancelled_period_is_looked_at_when_it_ends_and_is_over_then(self) -> None:
        ends = NOW + timedelta(days=5)
        running = entitle(subscription(cancel_at_period_end=True, period_end=ends))
        assert (running.tier, running.status, running.review_at) == ("pro", "active", ends)
        over = entitle(subscription(cancel_at_period_end=True, period_end=NOW))
        assert (over.tier, over.status) == ("free", "canceled")
        assert entitle(subscription(period_end=NOW)).tier == "pro", "one that renews is only late"

    def test_a_cancelled_period_ends_its_grace_as_well(self) -> None:
        late = subscription("past_due", cancel_at_period_end=True, period_end=NOW + timedelta(hours=1))
        assert entitle(late, first_failed_at=NOW).review_at == NOW + timedelta(hours=1)

    def test_seats_multiply_the_monthly_cap_and_none_means_the_flat_one(self) -> None:
        assert entitle(subscription(seats=3)).limits.monthly_cap == 30
        assert entitle(subscription(seats=None)).limits.monthly_cap == 20

    def test_of_two_subscriptions_the_better_counts(self) -> None:
        found = entitle(subscription("canceled"), subscription(price="enterprise_monthly", subscription_id="sub_2"))
        assert (found.tier, found.limits.monthly_cap) == ("enterprise", None)

    def test_a_yearly_plan_counts_in_months_anchored_at_its_start(self) -> None:
        found = entitle(
            subscription(price="pro_yearly", period_start=datetime(2026, 1, 31, tzinfo=UTC), period_end=None)
        )
        assert found.period_start == datetime(2026, 10, 31, tzinfo=UTC)
        assert found.period_end == datetime(2026, 11, 30, tzinfo=UTC)


def usage(**changes: int) -> Usage:
    values = {
        "active": 0,
        "ever": 0,
        "created_this_period": 0,
        "extras_left": 0,
        "seats": 1,
        "ai_requests_today": 0,
        "ai_tokens_this_month": 0,
        "storage_bytes": 0,
    }
    return Usage(**{**values, **changes})


class TestCreationRefusal:
    def test_free_counts_proposals_ever_made(self) -> None:
        limits = RULES.limits("free", None)
        assert domain.creation_refusal(limits, usage(ever=0)) is None
        assert domain.creation_refusal(limits, usage(ever=1, active=0)) == "active_cap_reached"

    def test_pro_counts_the_period(self) -> None:
        limits = RULES.limits("pro", 1)
        assert domain.creation_refusal(limits, usage(created_this_period=9)) is None
        assert domain.creation_refusal(limits, usage(created_this_period=10)) == "monthly_cap_reached"

    def test_extras_lift_a_reached_cap(self) -> None:
        assert domain.creation_refusal(RULES.limits("pro", 1), usage(created_this_period=10, extras_left=1)) is None


class TestAddMonths:
    def test_a_day_that_the_month_lacks_becomes_its_last(self) -> None:
        assert domain.add_months(datetime(2026, 1, 31, tzinfo=UTC), 1) == datetime(2026, 2, 28, tzinfo=UTC)

    def test_december_is_followed_by_january(self) -> None:
        assert domain.add_months(datetime(2026, 12, 5, tzinfo=UTC), 1) == datetime(2027, 1, 5, tzinfo=UTC)
