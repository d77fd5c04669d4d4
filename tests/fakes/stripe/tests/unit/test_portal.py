"""The customer's own pages: another card pays what is owed."""

from __future__ import annotations

import httpx
import pytest
import stripe

from stripe_fake.testing import Buyer, FakeProcess, Receiver

CARD = {"action": "card", "expiry": "12 / 34", "cvc": "123"}


@pytest.fixture
def bought(buyer: Buyer) -> stripe.Subscription:
    return buyer.subscribe()


@pytest.fixture
def portal(client: stripe.StripeClient, bought: stripe.Subscription) -> str:
    return client.v1.billing_portal.sessions.create({"customer": str(bought.customer)}).url


class TestCard:
    def test_another_card_pays_what_is_owed(
        self,
        client: stripe.StripeClient,
        fake: FakeProcess,
        receiver: Receiver,
        bought: stripe.Subscription,
        portal: str,
    ) -> None:
        fake.control("trigger/invoice.payment_failed")
        assert client.v1.subscriptions.retrieve(bought.id).status == "past_due"
        assert httpx.post(portal, data={**CARD, "card": "4242 4242 4242 4242"}).status_code == 303
        assert client.v1.subscriptions.retrieve(bought.id).status == "active"
        assert client.v1.invoices.list({"status": "open"}).data == []
        receiver.wait_for("customer.updated")

    def test_one_that_can_be_kept_but_not_charged_fails_the_next_renewal(
        self, client: stripe.StripeClient, bought: stripe.Subscription, portal: str
    ) -> None:
        assert httpx.post(portal, data={**CARD, "card": "4000 0000 0000 0341"}).status_code == 303
        item = bought["items"].data[0]
        clock = client.v1.test_helpers.test_clocks.create(
            {"frozen_time": item.current_period_start, "customer": str(bought.customer)}
        )
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": item.current_period_end + 3_600})
        assert client.v1.subscriptions.retrieve(bought.id).status == "past_due"

    def test_a_refused_one_changes_nothing(
        self, client: stripe.StripeClient, bought: stripe.Subscription, portal: str
    ) -> None:
        answer = httpx.post(portal, data={**CARD, "card": "4000 0000 0000 0002"})
        assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
        after = client.v1.subscriptions.retrieve(bought.id)
        assert after.default_payment_method == bought.default_payment_method


class TestInvoice:
    def test_an_open_one_is_paid_on_its_page(
        self, client: stripe.StripeClient, fake: FakeProcess, bought: stripe.Subscription
    ) -> None:
        fake.control("trigger/invoice.payment_failed")
        (owed,) = client.v1.invoices.list({"status": "open"}).data
        assert "Pay with the card on file" in httpx.get(str(owed.hosted_invoice_url)).text
        httpx.post(str(owed.hosted_invoice_url))
        assert client.v1.invoices.retrieve(owed.id).status == "paid"
        assert "Pay with" not in httpx.get(str(owed.hosted_invoice_url)).text

    def test_a_draft_shows_nowhere(
        self, client: stripe.StripeClient, fake: FakeProcess, bought: stripe.Subscription, portal: str
    ) -> None:
        item = bought["items"].data[0]
        clock = client.v1.test_helpers.test_clocks.create(
            {"frozen_time": item.current_period_start, "customer": str(bought.customer)}
        )
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": item.current_period_end})
        draft = client.v1.invoices.list({"status": "draft"}).data[0]
        assert (draft.hosted_invoice_url, draft.number) == (None, None)
        assert httpx.get(portal).text.count("/i/in_") == 1
        assert httpx.get(f"{fake.url}/i/{draft.id}/pdf").status_code == 404
