"""What a change would cost is told before it is made, and is what it then costs."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from stripe_fake.testing import Buyer, Receiver


def prorations(invoice: Any) -> list[Any]:
    """The lines that Stripe says to look at for the price of a change."""
    return [row for row in invoice.lines.data if row.parent.subscription_item_details.proration]


class Case:
    """A subscription of three Pro seats at $29, half of its period gone."""

    def __init__(self, client: stripe.StripeClient, buyer: Buyer) -> None:
        self.client = client
        self.subscription = buyer.subscribe()
        self.item = self.subscription["items"].data[0]
        self.half = (self.item.current_period_start + self.item.current_period_end) // 2

    def preview(self, changes: dict[str, Any] | None = None, **details: Any) -> stripe.Invoice:
        items = [{"id": self.item.id, **changes}] if changes else []
        asked: Any = {"items": items, "proration_date": self.half, **details}
        return self.client.v1.invoices.create_preview(
            {"subscription": self.subscription.id, "subscription_details": asked}
        )

    def update(self, changes: dict[str, Any], **params: Any) -> stripe.Subscription:
        asked: Any = {"items": [{"id": self.item.id, **changes}], "proration_date": self.half, **params}
        return self.client.v1.subscriptions.update(self.subscription.id, asked)

    def newest_invoice(self) -> stripe.Invoice:
        return self.client.v1.invoices.list({"subscription": self.subscription.id}).data[0]


@pytest.fixture
def case(client: stripe.StripeClient, buyer: Buyer) -> Case:
    return Case(client, buyer)


class TestPreview:
    def test_without_a_change_it_is_the_next_renewal(self, case: Case) -> None:
        shown = case.preview()
        assert (shown.amount_due, shown.status, shown.billing_reason) == (8700, "draft", "upcoming")
        assert shown.id.startswith("upcoming_in_")
        assert shown.period_end == case.item.current_period_end
        assert shown.lines.data[0].period.start == case.item.current_period_end
        assert (shown.number, shown.hosted_invoice_url) == (None, None)

    def test_more_seats_give_back_the_old_and_charge_the_new_for_the_rest_and_then_renew(self, case: Case) -> None:
        shown = case.preview({"quantity": 5})
        unused, remaining = prorations(shown)
        assert (unused.amount, remaining.amount) == (-4350, 7250)
        assert unused.description.startswith("Unused time on 3 x Bidwright Pro after ")
        assert remaining.description.startswith("Remaining time on 5 x Bidwright Pro after ")
        credited = unused.parent.subscription_item_details.proration_details.credited_items
        assert credited.invoice == case.subscription.latest_invoice
        assert (unused.period.start, unused.period.end) == (case.half, case.item.current_period_end)
        assert shown.amount_due == 2900 + 5 * 2900
        parent: Any = shown.parent
        assert parent.subscription_details.subscription_proration_date == case.half

    def test_invoiced_at_once_it_shows_the_change_alone(self, case: Case) -> None:
        shown = case.preview({"quantity": 5}, proration_behavior="always_invoice")
        assert [row.amount for row in shown.lines.data] == [-4350, 7250]
        assert shown.amount_due == 2900

    def test_unprorated_it_shows_the_next_period_alone(self, case: Case) -> None:
        assert case.preview({"quantity": 5}, proration_behavior="none").amount_due == 5 * 2900

    def test_recurring_leaves_prorations_out(self, case: Case, client: stripe.StripeClient) -> None:
        shown = client.v1.invoices.create_preview(
            {
                "subscription": case.subscription.id,
                "preview_mode": "recurring",
                "subscription_details": {"items": [{"id": case.item.id, "quantity": 5}]},
            }
        )
        assert [row.amount for row in shown.lines.data] == [5 * 2900]

    def test_another_plan_of_the_same_interval_is_prorated(self, case: Case) -> None:
        shown = case.preview({"price": "price_enterprise_monthly", "quantity": 3}, proration_behavior="always_invoice")
        assert [row.amount for row in shown.lines.data] == [-4350, 14850]

    def test_a_new_price_without_a_quantity_is_for_one(self, case: Case) -> None:
        shown = case.preview({"price": "price_enterprise_monthly"}, proration_behavior="always_invoice")
        assert [row.quantity for row in shown.lines.data] == [3, 1]

    def test_a_yearly_price_starts_a_year_now_and_gives_back_the_rest_of_the_month(self, case: Case) -> None:
        shown = case.preview({"price": "price_pro_yearly", "quantity": 3})
        assert [row.amount for row in shown.lines.data] == [-4350, 87000]
        year = shown.lines.data[1].period
        assert year.start == case.half
        assert year.end - year.start in (365 * 86_400, 366 * 86_400)

    def test_fewer_seats_come_to_nothing_due_and_a_credit(self, case: Case) -> None:
        shown = case.preview({"quantity": 1}, proration_behavior="always_invoice")
        assert (shown.total, shown.amount_due) == (-2900, 0)

    def test_ending_now_gives_back_the_rest(self, case: Case) -> None:
        assert case.preview(cancel_now=True).total == -4350

    def test_a_subscription_that_ends_has_no_next_invoice(self, case: Case, client: stripe.StripeClient) -> None:
        client.v1.subscriptions.update(case.subscription.id, {"cancel_at_period_end": True})
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            case.preview()
        assert (refusal.value.http_status, refusal.value.code) == (404, "invoice_upcoming_none")

    def test_a_subscription_to_be_made_is_shown_by_its_items(self, client: stripe.StripeClient) -> None:
        customer = client.v1.customers.create({"email": "ada@example.com"})
        items: Any = [{"price": "price_pro_monthly", "quantity": 4}]
        shown = client.v1.invoices.create_preview({"customer": customer.id, "subscription_details": {"items": items}})
        assert shown.amount_due == 4 * 2900
        assert client.v1.subscriptions.list({"status": "all"}).data == []

    def test_a_lasting_discount_is_in_both_sides_of_a_change(self, client: stripe.StripeClient, buyer: Buyer) -> None:
        client.v1.coupons.create({"id": "HALF", "percent_off": 50, "duration": "forever"})
        bought = buyer.subscribe(discounts=[{"coupon": "HALF"}])
        item = bought["items"].data[0]
        half = (item.current_period_start + item.current_period_end) // 2
        shown = client.v1.invoices.create_preview(
            {
                "subscription": bought.id,
                "subscription_details": {"items": [{"id": item.id, "quantity": 5}], "proration_date": half},
            }
        )
        assert [row.amount for row in shown.lines.data] == [-2175, 3625, 14500]
        assert shown.total == -2175 + 3625 + 7250

    def test_nothing_is_kept_of_it(self, case: Case, client: stripe.StripeClient, receiver: Receiver) -> None:
        receiver.wait_for("invoice.payment_succeeded")
        events = len(client.v1.events.list({"limit": 100}).data)
        case.preview({"quantity": 50})
        assert client.v1.subscriptions.retrieve(case.subscription.id)["items"].data[0].quantity == 3
        assert len(client.v1.invoices.list().data) == 1
        assert len(client.v1.events.list({"limit": 100}).data) == events
        assert client.v1.invoice_items.list().data == []

    @pytest.mark.parametrize(
        ("details", "param"),
        [
            ({"proration_date": 1}, "proration_date"),
            ({"proration_behavior": "sometimes"}, "proration_behavior"),
            ({"items": [{"id": "si_none", "quantity": 1}]}, "items[0][id]"),
        ],
    )
    def test_nonsense_is_refused(self, case: Case, details: dict[str, Any], param: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            case.preview(**details)
        assert refusal.value.param == param

    def test_another_customers_subscription_is_not_shown(self, case: Case, client: stripe.StripeClient) -> None:
        other = client.v1.customers.create({})
        with pytest.raises(stripe.InvalidRequestError, match="does not have a subscription"):
            client.v1.invoices.create_preview({"customer": other.id, "subscription": case.subscription.id})


class TestChange:
    def test_costs_what_the_preview_said(self, case: Case) -> None:
        shown = case.preview({"quantity": 5}, proration_behavior="always_invoice")
        case.update({"quantity": 5}, proration_behavior="always_invoice")
        billed = case.newest_invoice()
        assert (billed.total, billed.status) == (shown.total, "paid")
        assert [row.amount for row in billed.lines.data] == [row.amount for row in shown.lines.data]

    def test_waits_for_the_next_invoice_unless_told_otherwise(
        self, case: Case, client: stripe.StripeClient, receiver: Receiver
    ) -> None:
        case.update({"quantity": 5})
        assert case.newest_invoice().billing_reason == "subscription_create"
        waiting = client.v1.invoice_items.list({"pending": True}).data
        assert sorted(item.amount for item in waiting) == [-4350, 7250]
        assert len(receiver.wait_for("invoiceitem.created", 2)) == 2
        assert case.preview().amount_due == 2900 + 5 * 2900

    def test_undone_within_the_period_costs_nothing(self, case: Case) -> None:
        case.update({"quantity": 7})
        case.update({"quantity": 3})
        assert case.preview().amount_due == 3 * 2900

    def test_credit_pays_the_next_invoice(self, case: Case, client: stripe.StripeClient) -> None:
        case.update({"quantity": 1}, proration_behavior="always_invoice")
        customer_id = str(case.subscription.customer)
        assert client.v1.customers.retrieve(customer_id).balance == -2900
        case.update({"quantity": 4}, proration_behavior="always_invoice")
        billed = case.newest_invoice()
        assert (billed.total, billed.starting_balance, billed.amount_paid) == (4350, -2900, 1450)
        assert client.v1.customers.retrieve(customer_id).balance == 0

    def test_that_cannot_be_paid_leaves_the_subscription_past_due(
        self, case: Case, client: stripe.StripeClient
    ) -> None:
        client.v1.subscriptions.update(case.subscription.id, {"default_payment_method": "pm_card_chargeCustomerFail"})
        with pytest.raises(stripe.CardError):
            case.update({"quantity": 5}, proration_behavior="always_invoice", payment_behavior="error_if_incomplete")
        assert client.v1.subscriptions.retrieve(case.subscription.id)["items"].data[0].quantity == 3
        assert case.update({"quantity": 5}, proration_behavior="always_invoice").status == "past_due"
        assert case.newest_invoice().status == "open"

    def test_ending_with_the_rest_given_back_credits_the_customer(
        self, case: Case, client: stripe.StripeClient
    ) -> None:
        client.v1.subscriptions.cancel(case.subscription.id, {"prorate": True, "invoice_now": True})
        balance = client.v1.customers.retrieve(str(case.subscription.customer)).balance
        assert -8700 <= balance < -8600
