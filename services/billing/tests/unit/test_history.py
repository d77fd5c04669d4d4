"""Where a subscription stands, as a function of what was reported and not of the order in which it came."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import history
from billing.domain import PriceBook, SubscriptionState
from billing.history import Report
from billing.stripe_objects import Event, Subscription
from billing.testing import Life
from common.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PRICES = PriceBook({"pro_monthly": "price_pro", "enterprise_monthly": "price_ent"})
STEPS = ("subscribe", "pay", "renew", "fail", "give_up", "seats", "plan", "cancel_at_end", "delete")


def state(status: str = "active", seats: int = 1, **changes: Any) -> SubscriptionState:
    values: dict[str, Any] = {
        "subscription_id": "sub_1",
        "customer_id": "cus_1",
        "status": status,
        "price": "pro_monthly",
        "seats": seats,
        "cancel_at_period_end": False,
        "period_start": NOW,
        "period_end": NOW + timedelta(days=30),
    }
    return SubscriptionState(**{**values, **changes})


def report(name: str, it: SubscriptionState, seconds: float = 0, before: SubscriptionState | None = None) -> Report:
    return Report(name, NOW + timedelta(seconds=seconds), it, before)


def collect(reports: list[Report]) -> tuple[Report, ...]:
    """The reports, taken in one after the other."""
    known: tuple[Report, ...] = ()
    for one in reports:
        known = history.with_report(known, one)
    return known


def reports_of(life: Life) -> dict[str, list[Report]]:
    """What its events tell, for each of its subscriptions."""
    found: dict[str, list[Report]] = {}
    for _, body in life.events:
        event = Event.parse(body)
        if event.type.startswith("customer.subscription."):
            one = event.report(Subscription.model_validate(event.data.object), PRICES)
            found.setdefault(one.state.subscription_id, []).append(one)
    return found


class TestStanding:
    @settings(max_examples=400, deadline=None, database=None)
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(STEPS), st.sampled_from((0, 0, 0, 1, 3600)), st.integers(1, 6)), max_size=12
        ),
        tells=st.booleans(),
        seed=st.integers(),
    )
    def test_any_order_and_any_repetition_of_a_life_stands_the_same(
        self, steps: list[tuple[str, int, int]], tells: bool, seed: int
    ) -> None:
        life = Life(new_id(), tells_before=tells)
        life.step("subscribe", 0, 3)
        for name, seconds, number in steps:
            life.step(name, seconds, number)
        for subscription_id, reports in reports_of(life).items():
            ordered = history.standing(collect(reports))
            other = [*reports, *reports]
            random.Random(seed).shuffle(other)
            assert history.standing(collect(other)) == ordered
            if tells and subscription_id == life.state["id"]:
                truth = Subscription.model_validate(json.loads(json.dumps(life.state))).state(PRICES)
                assert ordered.state == truth

    def test_every_order_of_one_second_ends_where_the_walk_does(self) -> None:
        walk = [state(seats=seats) for seats in (3, 5, 2, 5, 4, 3, 6)]
        steps = [report(f"evt_{i}", after, 0, before) for i, (before, after) in enumerate(pairwise(walk))]
        for order in permutations(steps):
            assert history.standing(collect(list(order))).state == walk[-1]

    def test_a_second_that_goes_in_a_circle_ends_where_it_began(self) -> None:
        low, high = state(seats=2), state(seats=9)
        before = report("evt_0", low, -10)
        circle = [report("evt_1", high, 0, low), report("evt_2", low, 0, high)]
        for order in permutations([before, *circle]):
            assert history.standing(collect(list(order))).state == low

    def test_nothing_that_is_dated_later_revives_what_has_ended(self) -> None:
        reports = [report("evt_1", state("canceled")), report("evt_2", state(), 60), report("evt_3", state(), 0)]
        for order in permutations(reports):
            assert history.standing(collect(list(order))).state.status == "canceled"

    def test_when_events_do_not_tell_what_was_before_doubt_falls_to_the_customer(self) -> None:
        reports = [
            report("evt_1", state("past_due")),
            report("evt_2", state("active")),
            report("evt_3", state("incomplete")),
        ]
        for order in permutations(reports):
            assert history.standing(collect(list(order))).state.status == "active"

    def test_no_more_are_kept_than_decide_and_dropping_them_does_not_depend_on_the_order_either(self) -> None:
        reports = [report(f"evt_{i}", state(seats=1 + i % 50), i // 3) for i in range(history.KEPT * 2)]
        ordered = collect(reports)
        assert len(ordered) == history.KEPT
        random.Random(5).shuffle(reports)
        assert collect(reports) == ordered


class TestAnswer:
    def test_what_the_api_answers_counts_over_anything_that_was_reported(self) -> None:
        known = collect([report("evt_1", state("canceled"), 3600)])
        answered = history.with_answer(known, state("active", 7), NOW)
        assert history.standing(answered).state == state("active", 7)

    def test_an_answer_that_says_nothing_new_is_not_kept(self) -> None:
        known = collect([report("evt_1", state())])
        assert history.with_answer(known, state(), NOW + timedelta(hours=1)) == known


class TestFirstFailure:
    def at(self, hours: float) -> datetime:
        return NOW + timedelta(hours=hours)

    def standing(self, *reports: tuple[str, float]) -> history.Standing:
        return history.standing(
            [report(f"evt_{i}", state(status), hours * 3600) for i, (status, hours) in enumerate(reports)]
        )

    def test_nothing_has_failed_while_nothing_is_owed(self) -> None:
        paid = self.standing(("past_due", 0), ("active", 1))
        assert history.first_failure(paid, owed_failures=[self.at(0)], last_settled_at=None) is None

    def test_it_is_the_first_of_several_attempts_though_the_status_came_later(self) -> None:
        owed = self.standing(("active", 0), ("active", 2), ("past_due", 3), ("past_due", 30))
        assert history.first_failure(owed, owed_failures=[self.at(1)], last_settled_at=None) == self.at(1)

    def test_without_the_invoice_it_is_when_the_status_was_first_reported(self) -> None:
        owed = self.standing(("active", 0), ("past_due", 3), ("past_due", 30))
        assert history.first_failure(owed, owed_failures=[], last_settled_at=None) == self.at(3)

    def test_what_was_made_up_for_does_not_shorten_the_grace_of_the_next(self) -> None:
        again = self.standing(("past_due", 0), ("active", 5), ("past_due", 700))
        assert history.first_failure(again, owed_failures=[self.at(0)], last_settled_at=None) == self.at(700)

    def test_nor_when_only_the_invoice_told_that_it_was_paid(self) -> None:
        again = self.standing(("past_due", 0), ("past_due", 700))
        assert history.first_failure(again, owed_failures=[], last_settled_at=self.at(5)) == self.at(700)


@pytest.mark.parametrize("previous", [{"items": "nonsense"}, {"status": 5}])
def test_previous_attributes_that_cannot_be_read_are_as_if_there_were_none(previous: dict[str, Any]) -> None:
    life = Life(new_id())
    life.step("subscribe", 0, 3)
    event = json.loads(life.events[0][1])
    event["data"]["previous_attributes"] = previous
    parsed = Event.parse(json.dumps(event).encode())
    assert parsed.report(Subscription.model_validate(parsed.data.object), PRICES).before is None
