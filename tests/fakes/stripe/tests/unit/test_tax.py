"""Automatic tax: off unless asked for, told by the buyer's country, on the page and on every invoice."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from stripe_fake.testing import Buyer

TAXED: Any = {"automatic_tax": {"enabled": True}}
FOR_KNOWN: Any = {
    **TAXED,
    "customer_update": {"address": "auto", "name": "auto"},
    "tax_id_collection": {"enabled": True},
}


class TestCheckout:
    def test_without_it_nothing_is_asked_and_nothing_added(self, buyer: Buyer) -> None:
        session = buyer.checkout()
        assert "Country" not in httpx.get(str(session.url)).text
        assert (session.automatic_tax.enabled, session.automatic_tax.status) == (False, None)

    def test_the_country_decides(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        session = buyer.checkout(**TAXED)
        assert session.automatic_tax.status == "requires_location_inputs"
        assert 'name="country" required' in httpx.get(str(session.url)).text
        shown = buyer.pay(session, country="DE", update="1")
        assert "$16.53" in shown.text
        assert "$103.53 per month" in shown.text
        assert buyer.pay(session, country="DE").status_code == 303
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
        assert (done.amount_subtotal, done.amount_total) == (8700, 10353)
        assert done.total_details is not None
        assert done.total_details.amount_tax == 1653
        assert done.automatic_tax.status == "complete"
        assert done.line_items is not None
        taxes = done.line_items.data[0].taxes
        assert taxes is not None
        assert (taxes[0].amount, taxes[0].rate.percentage, taxes[0].taxable_amount) == (1653, 19.0, 8700)
        subscription = client.v1.subscriptions.retrieve(str(done.subscription))
        assert subscription.automatic_tax.enabled
        invoice = client.v1.invoices.retrieve(str(done.invoice))
        assert (invoice.subtotal, invoice.total_excluding_tax, invoice.total) == (8700, 8700, 10353)
        assert invoice.amount_paid == 10353
        assert invoice.total_taxes is not None
        assert invoice.total_taxes[0].amount == 1653
        assert "$103.53" in httpx.get(str(invoice.hosted_invoice_url)).text
        assert "$16.53" in httpx.get(str(invoice.hosted_invoice_url)).text

    def test_without_a_country_it_is_not_paid(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        answer = buyer.pay(buyer.checkout(**TAXED))
        assert answer.status_code == 402
        assert "Choose your country" in answer.text
        assert client.v1.subscriptions.list().data == []

    def test_a_country_without_a_registration_pays_none(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        session = buyer.checkout(**TAXED)
        buyer.pay(session, country="US")
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.amount_total, done.automatic_tax.status) == (8700, "complete")

    def test_is_reckoned_after_the_discount(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        client.v1.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})
        session = buyer.checkout(**TAXED, discounts=[{"coupon": "HALF"}])
        buyer.pay(session, country="GB")
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert done.amount_total == 4350 + 870
        assert client.v1.invoices.retrieve(str(done.invoice)).total == 5220

    def test_a_known_customer_keeps_the_address_for_later_invoices(
        self, buyer: Buyer, client: stripe.StripeClient
    ) -> None:
        known = client.v1.customers.create({"email": "known@example.com"})
        session = buyer.checkout(customer=known.id, customer_email=None, **FOR_KNOWN)
        buyer.pay(session, country="FR")
        address = client.v1.customers.retrieve(known.id).address
        assert address is not None
        assert address.country == "FR"
        bought = client.v1.checkout.sessions.retrieve(session.id).subscription
        assert client.v1.invoices.create_preview({"subscription": str(bought)}).total == 8700 + 1740

    def test_a_known_customer_without_an_address_is_refused_as_stripe_does(
        self, buyer: Buyer, client: stripe.StripeClient
    ) -> None:
        known = client.v1.customers.create({"email": "known@example.com"})
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            buyer.checkout(customer=known.id, customer_email=None, **TAXED)
        assert refusal.value.code == "customer_tax_location_invalid"
        with pytest.raises(stripe.InvalidRequestError, match="customer_update"):
            buyer.checkout(
                customer=known.id,
                customer_email=None,
                customer_update={"address": "auto"},
                tax_id_collection={"enabled": True},
                **TAXED,
            )

    def test_a_bundle_is_taxed_on_its_invoice(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        known = client.v1.customers.create({"email": "a@example.com", "address": {"country": "IE"}})
        session = buyer.checkout(
            mode="payment",
            customer=known.id,
            customer_email=None,
            subscription_data=None,
            line_items=[{"price": "price_bundle_10", "quantity": 1}],
            invoice_creation={"enabled": True, "invoice_data": {"metadata": {"purchase": "p1"}}},
            payment_intent_data={"metadata": {"purchase": "p1"}},
            **TAXED,
        )
        assert session.amount_total == 7900 + 1817
        buyer.pay(session)
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice", "payment_intent"]}).to_dict()
        assert (done["invoice"]["total"], done["invoice"]["metadata"]) == (9717, {"purchase": "p1"})
        assert done["payment_intent"]["metadata"] == {"purchase": "p1"}


class TestSubscription:
    def test_needs_an_address(self, client: stripe.StripeClient) -> None:
        nowhere = client.v1.customers.create({"payment_method": "pm_card_visa"})
        params: Any = {
            "customer": nowhere.id,
            "items": [{"price": "price_pro_monthly"}],
            "default_payment_method": "pm_card_visa",
            **TAXED,
        }
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.subscriptions.create(params)
        assert refusal.value.code == "customer_tax_location_invalid"
        client.v1.customers.update(nowhere.id, {"address": {"country": "NL"}, "tax_exempt": "reverse"})
        made = client.v1.subscriptions.create(params)
        invoice = client.v1.invoices.retrieve(str(made.latest_invoice))
        assert invoice.total_taxes is not None
        assert (invoice.total, invoice.total_taxes[0].taxability_reason) == (2900, "reverse_charge")

    def test_prorations_are_taxed_on_both_sides(self, client: stripe.StripeClient) -> None:
        known = client.v1.customers.create({"address": {"country": "GB"}})
        params: Any = {
            "customer": known.id,
            "items": [{"price": "price_pro_monthly", "quantity": 3}],
            "default_payment_method": "pm_card_visa",
            **TAXED,
        }
        made = client.v1.subscriptions.create(params)
        item = made["items"].data[0]
        half = (item.current_period_start + item.current_period_end) // 2
        shown = client.v1.invoices.create_preview(
            {
                "subscription": made.id,
                "subscription_details": {
                    "items": [{"id": item.id, "quantity": 5}],
                    "proration_date": half,
                    "proration_behavior": "always_invoice",
                },
            }
        )
        assert (shown.total_excluding_tax, shown.total) == (2900, 3480)

    def test_an_address_with_a_country_that_is_none_is_refused(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.customers.create({"address": {"country": "Germany"}})
        assert refusal.value.param == "address[country]"
