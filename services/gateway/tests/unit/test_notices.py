"""What the owners and admins of an org are told of its plan, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from contracts.billing import CapName, PaymentFailed, SubscriptionChanged, UsageThresholdReached
from gateway.mail import notices
from gateway.mail.notices import Notice


def reached(**changes: Any) -> Notice | None:
    return notices.threshold_reached(UsageThresholdReached.model_validate({**UsageThresholdReached.EXAMPLE, **changes}))


class TestThresholdReached:
    def test_it_says_how_much_is_used_and_what_to_do(self) -> None:
        notice = reached()
        assert notice is not None
        assert notice.subject == "{org} has used 90% of its proposals of this period"
        assert notice.said == ["{org} has used 18 of 20 proposals of this period."]
        assert "Add seats" in notice.to_do

    @pytest.mark.parametrize(("threshold", "is_told"), [(70, False), (90, True), (100, False)])
    def test_of_several_at_once_the_highest_is_told(self, threshold: int, is_told: bool) -> None:
        if threshold < 100:
            assert (reached(threshold=threshold, used=19) is not None) is is_told
        assert (reached(threshold=threshold, used=20) is not None) is (threshold == 100)

    def test_a_full_cap_says_what_is_closed_and_until_when(self) -> None:
        notice = reached(threshold=100, used=20)
        assert notice is not None
        assert notice.subject == "{org} has used all of its proposals of this period"
        assert notice.said[1] == "New ones cannot be started before 1 December 2026."

    def test_extra_proposals_go_on_after_a_full_cap(self) -> None:
        notice = reached(threshold=100, used=20, extras_left=7)
        assert notice is not None
        assert notice.said[1] == "New ones are taken from the 7 extra proposals that are left."

    def test_on_free_a_plan_is_what_helps(self) -> None:
        notice = reached(cap="active_cap", tier="free", threshold=100, used=1, limit=1)
        assert notice is not None
        assert notice.to_do == "Upgrade to Pro to start more."

    def test_storage_is_in_sizes(self) -> None:
        notice = reached(cap="storage_bytes", threshold=90, used=95 * 1024**2, limit=100 * 1024**2)
        assert notice is not None
        assert notice.said == ["{org} has used 95 MB of 100 MB of storage."]

    @pytest.mark.parametrize("cap", get_args(CapName))
    @pytest.mark.parametrize("tier", ["free", "pro"])
    def test_every_cap_has_its_words(self, cap: str, tier: str) -> None:
        notice = reached(cap=cap, tier=tier, threshold=100, used=20)
        assert notice is not None
        assert "{restart}" not in str(notice)
        assert len(notice.said) == 2


class TestPaymentFailed:
    def test_it_says_until_when_everything_stays_open(self) -> None:
        notice = notices.payment_failed(PaymentFailed.model_validate(PaymentFailed.EXAMPLE))
        assert "until 8 November 2026" in notice.said[1]
        assert "payment method" in notice.to_do

    def test_without_a_grace_it_promises_none(self) -> None:
        example = {**PaymentFailed.EXAMPLE, "grace_ends_at": PaymentFailed.EXAMPLE["failed_at"]}
        assert "until it is paid" in notices.payment_failed(PaymentFailed.model_validate(example)).said[1]


class TestSubscriptionChanged:
    @pytest.mark.parametrize(
        ("news", "words"), [("cancel_scheduled", "ends on 1 December 2026"), ("ended", "has ended")]
    )
    def test_the_end_is_told(self, news: str, words: str) -> None:
        notice = notices.subscription_changed(
            SubscriptionChanged.model_validate({**SubscriptionChanged.EXAMPLE, "news": news})
        )
        assert notice is not None
        assert words in notice.said[0]

    def test_any_other_change_is_no_mail(self) -> None:
        assert notices.subscription_changed(SubscriptionChanged.model_validate(SubscriptionChanged.EXAMPLE)) is None


class TestWords:
    def test_a_name_is_no_pattern(self) -> None:
        assert notices.named("{org} and {org}", "{org} {0}") == "{org} {0} and {org} {0}"

    @pytest.mark.parametrize(
        ("count", "words"), [(0, "0 B"), (1536, "1.5 KB"), (100 * 1024**2, "100 MB"), (10 * 1024**3, "10 GB")]
    )
    def test_sizes_are_the_apps(self, count: int, words: str) -> None:
        assert notices.size(count) == words

    def test_a_day_has_no_leading_zero(self) -> None:
        assert notices.day(datetime(2026, 12, 1, tzinfo=UTC)) == "1 December 2026"
