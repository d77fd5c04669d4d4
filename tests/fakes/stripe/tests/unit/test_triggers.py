"""An event on demand: the object that it tells of is made or changed first, so that a fetch agrees with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from stripe_fake.testing import Buyer, FakeProcess, Receiver
from stripe_fake.triggers import TRIGGERS

ORG = "0192f0c4-0000-7000-8000-000000000001"


def trigger(fake: FakeProcess, name: str, **body: Any) -> list[str]:
    return [event["type"] for event in fake.control(f"trigger/{name}", body)["events"]]


class TestTriggers:
    @pytest.mark.parametrize("name", sorted(TRIGGERS))
    def test_each_tells_what_it_is_named_after_with_nothing_there(
        self, fake: FakeProcess, receiver: Receiver, name: str
    ) -> None:
        assert name in trigger(fake, name)
        receiver.wait_for(name)

    @pytest.mark.parametrize("name", sorted(TRIGGERS))
    def test_each_tells_of_an_object_that_can_be_fetched_as_it_was_told(
        self, fake: FakeProcess, buyer: Buyer, name: str
    ) -> None:
        buyer.subscribe()
        trigger(fake, name)
        headers = {"Authorization": "Bearer sk_test_1"}
        events = httpx.get(f"{fake.url}/v1/events", params={"type": name, "limit": 1}, headers=headers).json()["data"]
        told = events[0]["data"]["object"]
        paths = {
            "charge": "charges", "checkout.session": "checkout/sessions", "coupon": "coupons", "customer": "customers",
            "invoice": "invoices", "payment_intent": "payment_intents", "payment_method": "payment_methods",
            "price": "prices", "product": "products", "promotion_code": "promotion_codes", "refund": "refunds",
            "subscription": "subscriptions",
        }  # fmt: skip
        if name in ("invoice.upcoming", "invoice.created", "invoice.finalized", "payment_intent.created"):
            return  # by now it is another: never stored, or gone further
        url = f"{fake.url}/v1/{paths[told['object']]}/{told['id']}"
        fetched = httpx.get(url, headers=headers).json()
        if name == "customer.deleted":
            assert fetched["deleted"]
        else:
            assert fetched == told

    def test_a_purchase_for_an_org_names_it_everywhere(self, fake: FakeProcess, client: stripe.StripeClient) -> None:
        trigger(fake, "checkout.session.completed", org=ORG, price="price_pro_monthly", quantity=4)
        (session,) = client.v1.checkout.sessions.list().data
        (subscription,) = client.v1.subscriptions.list().data
        (customer,) = client.v1.customers.list().data
        assert (session.client_reference_id, session.to_dict()["metadata"]["org_id"]) == (ORG, ORG)
        assert subscription.metadata.to_dict() == {"org_id": ORG, "price": "pro_monthly"}
        assert customer.to_dict()["metadata"] == {"org_id": ORG}
        trigger(fake, "checkout.session.completed", org=ORG, price="price_bundle_10")
        assert [row.id for row in client.v1.customers.list().data] == [customer.id]

    def test_acts_on_the_org_that_is_named(self, fake: FakeProcess, client: stripe.StripeClient, buyer: Buyer) -> None:
        mine = buyer.subscribe(metadata={"org_id": ORG}, subscription_data={"metadata": {"org_id": ORG}})
        other = buyer.subscribe()
        trigger(fake, "customer.subscription.deleted", org=ORG)
        assert client.v1.subscriptions.retrieve(mine.id).status == "canceled"
        assert client.v1.subscriptions.retrieve(other.id).status == "active"

    def test_seats_change_with_their_event(self, fake: FakeProcess, client: stripe.StripeClient, buyer: Buyer) -> None:
        bought = buyer.subscribe()
        trigger(fake, "customer.subscription.updated", subscription=bought.id, quantity="9")
        assert client.v1.subscriptions.retrieve(bought.id)["items"].data[0].quantity == 9
        trigger(fake, "customer.subscription.updated", subscription=bought.id, price="price_enterprise_monthly")
        item = client.v1.subscriptions.retrieve(bought.id)["items"].data[0]
        assert (item.price.id, item.quantity) == ("price_enterprise_monthly", 9)

    def test_a_refund_in_part_leaves_the_rest(
        self, fake: FakeProcess, client: stripe.StripeClient, buyer: Buyer
    ) -> None:
        buyer.subscribe()
        trigger(fake, "charge.refunded", amount=100)
        (charge,) = client.v1.charges.list().data
        assert (charge.amount_refunded, charge.refunded, charge.amount) == (100, False, 8700)
        client.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
        assert client.v1.charges.retrieve(charge.id).refunded
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.refunds.create({"charge": charge.id})
        assert refusal.value.code == "charge_already_refunded"

    def test_a_delayed_payment_completes_first_and_is_paid_later(
        self, fake: FakeProcess, client: stripe.StripeClient
    ) -> None:
        told = trigger(fake, "checkout.session.async_payment_succeeded", org=ORG)
        assert told.index("checkout.session.completed") < told.index("checkout.session.async_payment_succeeded")
        completed = client.v1.events.list({"type": "checkout.session.completed"}).data[0].to_dict()["data"]["object"]
        assert completed["payment_status"] == "unpaid"
        assert client.v1.checkout.sessions.list().data[0].payment_status == "paid"

    def test_an_unknown_one_is_refused_and_the_known_are_listed(self, fake: FakeProcess) -> None:
        refusal = httpx.post(f"{fake.url}/_fake/trigger/nonsense", json={})
        assert refusal.status_code == 400
        assert "customer.subscription.trial_will_end" in refusal.json()["error"]["message"]
        assert httpx.get(f"{fake.url}/_fake/triggers").json()["items"] == sorted(TRIGGERS)
