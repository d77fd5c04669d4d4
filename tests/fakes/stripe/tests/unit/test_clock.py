"""Time passes when a test clock is told so, and everything that comes due happens, with its events."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_fake.testing import Buyer, FakeProcess, Receiver, eventually, make_client

DAY = 86_400
START = 1_767_225_600  # 1 January 2026
HOUR = 3_600


class Simulation:
    """A customer who lives by a clock, and what they hear."""

    def __init__(self, client: stripe.StripeClient, receiver: Receiver) -> None:
        self.client, self.receiver = client, receiver
        self.clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START, "name": "a year"})
        self.customer = client.v1.customers.create({"email": "ada@example.com", "test_clock": self.clock.id})
        self.now = START

    def subscribe(self, card: str = "pm_card_visa", **params: Any) -> stripe.Subscription:
        asked: Any = {
            "customer": self.customer.id,
            "items": [{"price": "price_pro_monthly", "quantity": 3}],
            "default_payment_method": card,
            **params,
        }
        return self.client.v1.subscriptions.create({key: value for key, value in asked.items() if value is not None})

    def advance(self, seconds: int) -> None:
        self.now += seconds
        shown = self.client.v1.test_helpers.test_clocks.advance(self.clock.id, {"frozen_time": self.now})
        assert shown.status == "advancing"
        clock = self.client.v1.test_helpers.test_clocks.retrieve(self.clock.id)
        assert (clock.status, clock.frozen_time) == ("ready", self.now)

    def state(self, subscription: stripe.Subscription) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(subscription.id)

    def told(self, since: int = START) -> list[str]:
        """The types of the customer's events after a moment, in their order."""
        self.receiver.wait_for("test_helpers.test_clock.ready", 1)
        page = self.client.v1.events.list({"created": {"gt": since}, "limit": 100}).data
        return [event.type for event in reversed(page) if "test_clock" not in event.type]


@pytest.fixture
def simulation(client: stripe.StripeClient, receiver: Receiver) -> Simulation:
    return Simulation(client, receiver)


class TestRenewal:
    def test_a_period_is_renewed_drafted_and_paid_an_hour_later(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        end = made["items"].data[0].current_period_end
        assert end == START + 31 * DAY
        simulation.advance(31 * DAY)
        rolled = simulation.state(made)
        assert rolled["items"].data[0].current_period_start == end
        draft = simulation.client.v1.invoices.retrieve(str(rolled.latest_invoice))
        assert (draft.status, draft.billing_reason, draft.created) == ("draft", "subscription_cycle", end)
        assert draft.automatically_finalizes_at == end + HOUR
        simulation.advance(HOUR)
        paid = simulation.client.v1.invoices.retrieve(draft.id)
        assert (paid.status, paid.amount_paid, paid.status_transitions.paid_at) == ("paid", 8700, end + HOUR)
        assert simulation.state(made).status == "active"

    def test_the_events_come_in_stripes_order(self, simulation: Simulation) -> None:
        simulation.subscribe()
        simulation.advance(32 * DAY)
        wanted = (
            "invoice.upcoming", "customer.subscription.updated", "invoice.created", "invoice.finalized",
            "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded",
        )  # fmt: skip
        assert [name for name in simulation.told() if name in wanted] == list(wanted)
        (upcoming,) = simulation.receiver.wait_for("invoice.upcoming")
        assert upcoming["created"] == START + 28 * DAY
        assert upcoming["data"]["object"]["id"].startswith("upcoming_in_")

    def test_two_periods_at_once_are_two_invoices(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.advance(60 * DAY)
        reasons = [row.billing_reason for row in simulation.client.v1.invoices.list({"subscription": made.id}).data]
        assert reasons == ["subscription_cycle", "subscription_cycle", "subscription_create"]

    def test_what_waits_is_billed_with_the_next_period(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.advance(31 * DAY // 2)
        item = made["items"].data[0]
        simulation.client.v1.subscriptions.update(made.id, {"items": [{"id": item.id, "quantity": 5}]})
        expected = simulation.client.v1.invoices.create_preview({"subscription": made.id})
        simulation.advance(16 * DAY + HOUR)
        billed = simulation.client.v1.invoices.retrieve(str(simulation.state(made).latest_invoice))
        assert billed.amount_paid == expected.amount_due == 2900 + 5 * 2900
        assert simulation.client.v1.invoice_items.list({"pending": True}).data == []

    def test_a_discount_for_some_months_ends(self, simulation: Simulation) -> None:
        coupon = simulation.client.v1.coupons.create(
            {"percent_off": 50, "duration": "repeating", "duration_in_months": 1}
        )
        made = simulation.subscribe(discounts=[{"coupon": coupon.id}])
        simulation.advance(32 * DAY)
        totals = [row.total for row in simulation.client.v1.invoices.list({"subscription": made.id}).data]
        assert totals == [8700, 4350]


class TestFailure:
    def test_a_failed_renewal_is_tried_again_and_then_ends_the_subscription(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.client.v1.subscriptions.update(made.id, {"default_payment_method": "pm_card_chargeCustomerFail"})
        simulation.advance(31 * DAY + HOUR)
        assert simulation.state(made).status == "past_due"
        invoice = simulation.client.v1.invoices.retrieve(str(simulation.state(made).latest_invoice))
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert invoice.next_payment_attempt == simulation.now + 3 * DAY
        simulation.advance(16 * DAY)
        ended = simulation.state(made)
        assert ended.status == "canceled"
        assert ended.cancellation_details is not None
        assert ended.cancellation_details.reason == "payment_failed"
        assert simulation.client.v1.invoices.retrieve(invoice.id).attempt_count == 4
        told = simulation.told()
        assert told.count("invoice.payment_failed") == 4
        assert told[-1] == "customer.subscription.deleted"

    def test_a_new_card_recovers_it_at_the_next_try(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.client.v1.subscriptions.update(made.id, {"default_payment_method": "pm_card_chargeCustomerFail"})
        simulation.advance(31 * DAY + HOUR)
        simulation.client.v1.subscriptions.update(made.id, {"default_payment_method": "pm_card_visa"})
        assert simulation.state(made).status == "past_due"
        simulation.advance(3 * DAY)
        assert simulation.state(made).status == "active"

    def test_a_first_payment_that_never_comes_expires(self, simulation: Simulation) -> None:
        made = simulation.subscribe(card="pm_card_chargeCustomerFail")
        assert made.status == "incomplete"
        simulation.advance(DAY)
        assert simulation.state(made).status == "incomplete_expired"
        assert simulation.client.v1.invoices.retrieve(str(made.latest_invoice)).status == "void"


class TestTrial:
    def test_is_announced_three_days_before_it_ends_and_then_paid(self, simulation: Simulation) -> None:
        made = simulation.subscribe(trial_period_days=14)
        assert (made.status, made.trial_end) == ("trialing", START + 14 * DAY)
        simulation.advance(12 * DAY)
        (notice,) = simulation.receiver.wait_for("customer.subscription.trial_will_end")
        assert (notice["created"], notice["data"]["object"]["status"]) == (START + 11 * DAY, "trialing")
        simulation.advance(2 * DAY + HOUR)
        assert simulation.state(made).status == "active"
        assert simulation.client.v1.invoices.list({"subscription": made.id}).data[0].amount_paid == 8700
        assert simulation.told().count("customer.subscription.trial_will_end") == 1

    def test_a_short_one_is_announced_at_once(self, simulation: Simulation) -> None:
        simulation.subscribe(trial_period_days=2)
        simulation.receiver.wait_for("customer.subscription.trial_will_end")

    @pytest.mark.parametrize(
        ("behaviour", "status", "told"),
        [
            ("cancel", "canceled", "customer.subscription.deleted"),
            ("pause", "paused", "customer.subscription.paused"),
            ("create_invoice", "past_due", "invoice.payment_failed"),
        ],
    )
    def test_without_a_card_its_end_is_as_the_seller_chose(
        self, simulation: Simulation, behaviour: str, status: str, told: str
    ) -> None:
        made = simulation.subscribe(
            card=None,  # type: ignore[arg-type]
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": behaviour}},
        )
        simulation.advance(7 * DAY + HOUR)
        assert simulation.state(made).status == status
        simulation.receiver.wait_for(told)

    def test_ended_early_bills_at_once(self, simulation: Simulation) -> None:
        made = simulation.subscribe(trial_period_days=14)
        simulation.advance(DAY)
        simulation.client.v1.subscriptions.update(made.id, {"trial_end": "now"})
        now = simulation.state(made)
        assert (now.status, now["items"].data[0].current_period_start) == ("active", simulation.now)
        assert simulation.client.v1.invoices.retrieve(str(now.latest_invoice)).amount_paid == 8700


class TestEnd:
    def test_a_cancelled_period_ends_the_subscription_and_bills_nothing(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
        simulation.advance(31 * DAY - 1)
        assert simulation.state(made).status == "active"
        simulation.advance(1)
        ended = simulation.state(made)
        assert (ended.status, ended.ended_at) == ("canceled", START + 31 * DAY)
        assert len(simulation.client.v1.invoices.list({"subscription": made.id}).data) == 1
        simulation.receiver.wait_for("customer.subscription.deleted")

    def test_a_day_may_be_named(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        simulation.client.v1.subscriptions.update(made.id, {"cancel_at": START + 40 * DAY})
        simulation.advance(39 * DAY)
        assert simulation.state(made).status == "active"
        simulation.advance(DAY)
        assert simulation.state(made).ended_at == START + 40 * DAY


class TestClock:
    def test_a_customer_from_before_can_be_tied_to_one(
        self, buyer: Buyer, client: stripe.StripeClient, receiver: Receiver
    ) -> None:
        bought = buyer.subscribe()
        item = bought["items"].data[0]
        clock = client.v1.test_helpers.test_clocks.create(
            {"frozen_time": item.current_period_start, "customer": str(bought.customer)}
        )
        assert client.v1.subscriptions.retrieve(bought.id).test_clock == clock.id
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": item.current_period_end + HOUR})
        receiver.wait_for("invoice.payment_succeeded", 2)
        with pytest.raises(stripe.InvalidRequestError, match="attached"):
            client.v1.test_helpers.test_clocks.create({"frozen_time": START, "customer": str(bought.customer)})

    def test_time_does_not_go_back_nor_too_far(self, simulation: Simulation) -> None:
        simulation.subscribe()
        clocks = simulation.client.v1.test_helpers.test_clocks
        for moment in (START - 1, START, START + 63 * DAY):
            with pytest.raises(stripe.InvalidRequestError):
                clocks.advance(simulation.clock.id, {"frozen_time": moment})

    def test_others_do_not_age(self, simulation: Simulation, buyer: Buyer) -> None:
        mine, other = simulation.subscribe(), buyer.subscribe()
        simulation.advance(35 * DAY)
        assert simulation.state(other)["items"].data[0] == other["items"].data[0]
        listed = simulation.client.v1.subscriptions.list
        assert [row.id for row in listed().data] == [other.id]
        assert [row.id for row in listed({"test_clock": simulation.clock.id}).data] == [mine.id]
        assert [row.id for row in listed({"customer": simulation.customer.id}).data] == [mine.id]
        assert simulation.customer.id not in [row.id for row in simulation.client.v1.customers.list().data]

    def test_a_deleted_one_takes_its_customers_along(self, simulation: Simulation) -> None:
        made = simulation.subscribe()
        assert simulation.client.v1.test_helpers.test_clocks.delete(simulation.clock.id).deleted
        assert simulation.state(made).status == "canceled"
        assert simulation.client.v1.customers.retrieve(simulation.customer.id).deleted
        with pytest.raises(stripe.InvalidRequestError, match="No such test clock"):
            simulation.client.v1.test_helpers.test_clocks.retrieve(simulation.clock.id)

    def test_a_restart_keeps_the_time(self, simulation: Simulation, fake: FakeProcess) -> None:
        simulation.advance(DAY)
        fake.stop()
        fake.start()
        clock = simulation.client.v1.test_helpers.test_clocks.list().data[0]
        assert clock.frozen_time == simulation.now


class TestTimeOfDay:
    def test_passes_for_those_who_live_by_no_clock(self, tmp_path: Path) -> None:
        fake = FakeProcess(tmp_path, "", "--tick", "0.2")
        fake.start()
        try:
            client = make_client(fake)
            ada = client.v1.customers.create({"payment_method": "pm_card_visa"})
            made = client.v1.subscriptions.create(
                {
                    "customer": ada.id,
                    "items": [{"price": "price_pro_monthly"}],
                    "default_payment_method": "pm_card_visa",
                    "trial_end": int(time.time()) + 2,
                }
            )
            assert made.status == "trialing"
            eventually(lambda: client.v1.subscriptions.retrieve(made.id).status == "active")
            assert client.v1.invoices.list({"subscription": made.id}).data[0].status == "draft"
        finally:
            fake.stop()
