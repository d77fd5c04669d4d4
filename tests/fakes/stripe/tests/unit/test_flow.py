"""A purchase from the session to the end of the subscription, through the unchanged SDK."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from stripe_fake.testing import SECRET, Buyer, FakeProcess, Receiver, eventually, make_client


class TestCheckoutPage:
    def test_shows_the_order_and_leads_back(self, buyer: Buyer) -> None:
        session = buyer.checkout()
        page = httpx.get(str(session.url))
        assert page.status_code == 200
        for part in (
            "Bidwright Pro",
            "$87.00 per month",
            "ada@example.com",
            "4242 4242 4242 4242",
            ">Subscribe<",
            ">Back<",
        ):
            assert part in page.text
        assert "script" not in page.text
        assert "form-action 'self' http://localhost:8080" in page.headers["content-security-policy"]

    def test_paying_redirects_to_the_shop_and_makes_the_subscription(
        self, buyer: Buyer, client: stripe.StripeClient
    ) -> None:
        session = buyer.checkout()
        answer = buyer.pay(session)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"http://localhost:8080/app/billing?session={session.id}"
        done = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["subscription", "line_items", "invoice.payments"]}
        )
        assert (done.status, done.payment_status, done.client_reference_id) == ("complete", "paid", "org-1")
        subscription: Any = done.subscription
        assert subscription.status == "active"
        assert subscription.metadata["org_id"] == "org-1"
        item = subscription["items"].data[0]
        assert (item.price.id, item.quantity) == ("price_pro_monthly", 3)
        assert 27 * 86_400 < item.current_period_end - item.current_period_start < 32 * 86_400
        invoice: Any = done.invoice
        assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 8700, "subscription_create")
        assert invoice.parent.subscription_details.subscription == subscription.id
        assert invoice.parent.subscription_details.metadata["org_id"] == "org-1"
        assert invoice.payments.data[0].payment.payment_intent.startswith("pi_")
        assert done.line_items is not None
        assert done.line_items.data[0].quantity == 3

    def test_two_clicks_buy_once(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        session = buyer.checkout()
        assert [buyer.pay(session).status_code for _ in range(2)] == [303, 303]
        assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"card": "4000 0000 0000 0002"}, "Your card was declined."),
            ({"card": "4000 0000 0000 0341"}, "Your card was declined."),
            ({"card": "4242 4242 4242 4241"}, "Your card number is invalid."),
            ({"card": ""}, "Your card number is invalid."),
            ({"expiry": "01 / 20"}, "expiry date is in the past"),
            ({"expiry": "soon"}, "expiry date is invalid"),
            ({"cvc": "<b>"}, "security code is invalid"),
        ],
    )
    def test_a_refused_card_is_said_and_nothing_is_made(
        self, buyer: Buyer, client: stripe.StripeClient, fields: dict[str, str], message: str
    ) -> None:
        session = buyer.checkout()
        answer = buyer.pay(session, **fields)
        assert answer.status_code == 402
        assert message in answer.text
        assert 'role="alert"' in answer.text
        assert client.v1.customers.list().data == []
        assert buyer.pay(session).status_code == 303

    def test_the_buyer_may_change_an_adjustable_quantity_within_its_bounds(
        self, buyer: Buyer, client: stripe.StripeClient
    ) -> None:
        line = {"price": "price_pro_monthly", "quantity": 2, "adjustable_quantity": {"enabled": True, "maximum": 5}}
        session = buyer.checkout(line_items=[line])
        item = client.v1.checkout.sessions.line_items.list(session.id).data[0]
        shown = buyer.pay(session, **{f"quantity[{item.id}]": "5", "update": "1"})
        assert (shown.status_code, "$145.00 per month" in shown.text) == (200, True)
        buyer.pay(session, **{f"quantity[{item.id}]": "6"})
        assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 5 * 2900

    def test_a_bundle_is_a_payment_without_a_subscription(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        session = buyer.checkout(
            mode="payment", line_items=[{"price": "price_bundle_10", "quantity": 1}], subscription_data=None
        )
        assert ">Pay<" in httpx.get(str(session.url)).text
        buyer.pay(session)
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        intent: Any = done.payment_intent
        assert (done.payment_status, done.subscription, intent.status) == ("paid", None, "succeeded")

    def test_an_expired_session_sells_nothing(
        self, buyer: Buyer, client: stripe.StripeClient, receiver: Receiver
    ) -> None:
        session = buyer.checkout()
        assert client.v1.checkout.sessions.expire(session.id).status == "expired"
        assert buyer.pay(session).status_code == 410
        receiver.wait_for("checkout.session.expired")
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.expire(session.id)

    def test_a_promotion_code_lowers_the_price(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        client.v1.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})
        client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "HALF"}, "code": "HALF50"})
        code = client.v1.promotion_codes.list({"code": "HALF50", "active": True}).data[0]
        subscription = buyer.subscribe(discounts=[{"promotion_code": code.id}])
        assert client.v1.invoices.retrieve(str(subscription.latest_invoice)).total == 4350

    def test_a_lasting_discount_shows_on_the_subscription(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        client.v1.coupons.create({"id": "TENTH", "percent_off": 10, "duration": "forever"})
        bought = buyer.subscribe(discounts=[{"coupon": "TENTH"}])
        found = client.v1.subscriptions.retrieve(bought.id, {"expand": ["discounts.source.coupon"]})
        assert found.to_dict()["discounts"][0]["source"]["coupon"]["percent_off"] == 10

    def test_a_known_customer_does_not_type_an_address(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        known = client.v1.customers.create({"email": "known@example.com"})
        session = buyer.checkout(customer=known.id, customer_email=None)
        assert 'value="known@example.com" readonly' in httpx.get(str(session.url)).text
        buyer.pay(session, email="other@example.com")
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.customer, done.customer_details and done.customer_details.email) == (known.id, "known@example.com")


class TestWebhook:
    def test_events_come_signed_and_in_stripes_order(self, buyer: Buyer, receiver: Receiver) -> None:
        buyer.subscribe()
        receiver.wait_for("invoice.payment_succeeded")
        told = [
            "customer.created", "checkout.session.completed", "customer.subscription.created", "invoice.paid",
            "invoice.payment_succeeded",
        ]  # fmt: skip
        assert [name for name in receiver.types() if name in told] == told
        for body, signature in receiver.received:
            event = stripe.Webhook.construct_event(body, signature, SECRET)
            assert event.api_version == "2026-10-28.endive"
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body + b" ", signature, SECRET)

    def test_a_refused_delivery_is_tried_again(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        receiver.statuses += [500, 503]
        client.v1.customers.create({"email": "ada@example.com"})
        receiver.wait_for("customer.created", 3)
        row = eventually(lambda: next((row for row in fake.deliveries() if row["status"] == "delivered"), None))
        assert (row["attempts"], row["response_status"]) == (3, 200)
        assert client.v1.events.list().data[0].pending_webhooks == 0

    def test_drops_duplicates_and_disorder_on_demand(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        fake.control("faults", {"drop": 1})
        client.v1.customers.create({"email": "dropped@example.com"})
        fake.control("faults", {"duplicate": 1})
        client.v1.customers.create({"email": "twice@example.com"})
        receiver.wait_for("customer.created", 2)
        fake.control("faults", {"reorder": 2})
        client.v1.customers.create({"email": "first@example.com"})
        client.v1.customers.create({"email": "second@example.com"})
        events = receiver.wait_for("customer.created", 4)
        told = [event["data"]["object"]["email"] for event in events]
        assert told == ["twice@example.com", "twice@example.com", "second@example.com", "first@example.com"]
        assert events[0]["id"] == events[1]["id"]
        assert [row["status"] for row in fake.deliveries()].count("dropped") == 1

    def test_delay_holds_an_event_back(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        fake.control("faults", {"delay": 1, "delay_seconds": 0.5})
        client.v1.customers.create({"email": "late@example.com"})
        client.v1.customers.create({"email": "soon@example.com"})
        events = receiver.wait_for("customer.created", 2)
        assert [event["data"]["object"]["email"] for event in events] == ["soon@example.com", "late@example.com"]

    def test_an_event_is_sent_again_on_demand(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        client.v1.customers.create({})
        (event,) = receiver.wait_for("customer.created")
        fake.control(f"resend/{event['id']}")
        assert receiver.wait_for("customer.created", 2)[1]["id"] == event["id"]


class TestSubscriptionLife:
    def test_seats_cancel_resume_and_end(self, buyer: Buyer, client: stripe.StripeClient, receiver: Receiver) -> None:
        subscription = buyer.subscribe()
        item = subscription["items"].data[0]
        changed = client.v1.subscriptions.update(
            subscription.id, {"items": [{"id": item.id, "quantity": 7}], "proration_behavior": "always_invoice"}
        )
        assert changed["items"].data[0].quantity == 7
        assert (
            client.v1.invoices.list({"subscription": subscription.id}).data[0].billing_reason == "subscription_update"
        )
        ending = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        assert (ending.cancel_at_period_end, ending.cancel_at) == (True, item.current_period_end)
        resumed = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
        assert (resumed.cancel_at_period_end, resumed.cancel_at) == (False, None)
        assert client.v1.subscriptions.cancel(subscription.id).status == "canceled"
        events = receiver.wait_for("customer.subscription.updated", 3)
        assert [sorted(event["data"]["previous_attributes"]) for event in events][1] == [
            "cancel_at", "cancel_at_period_end", "canceled_at", "cancellation_details",
        ]  # fmt: skip
        receiver.wait_for("customer.subscription.deleted")
        assert client.v1.subscriptions.list().data == []
        with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
            client.v1.subscriptions.cancel(subscription.id)

    def test_a_failed_renewal_is_past_due_until_it_is_paid(
        self, buyer: Buyer, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        subscription = buyer.subscribe()
        fake.control("trigger/invoice.payment_failed", {"subscription": subscription.id})
        assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
        (failed,) = receiver.wait_for("invoice.payment_failed")
        assert failed["data"]["object"]["parent"]["subscription_details"]["subscription"] == subscription.id
        client.v1.invoices.pay(failed["data"]["object"]["id"])
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_a_renewal_moves_the_period(self, buyer: Buyer, client: stripe.StripeClient, fake: FakeProcess) -> None:
        before = buyer.subscribe()["items"].data[0]
        fake.control("trigger/invoice.paid")
        after = client.v1.subscriptions.list().data[0]["items"].data[0]
        assert after.current_period_start == before.current_period_end

    def test_a_card_on_file_subscribes_without_the_page(self, client: stripe.StripeClient) -> None:
        bare = client.v1.customers.create({"email": "ada@example.com"})
        items: Any = [{"price": "price_pro_yearly", "quantity": 2}]
        with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
            client.v1.subscriptions.create({"customer": bare.id, "items": items})
        made = client.v1.subscriptions.create(
            {
                "customer": bare.id,
                "items": items,
                "default_payment_method": "pm_card_visa",
                "expand": ["latest_invoice"],
            }
        )
        invoice: Any = made.latest_invoice
        assert (made.status, invoice.total) == ("active", 58000)
        poor = client.v1.subscriptions.create(
            {"customer": bare.id, "items": items, "default_payment_method": "pm_card_chargeCustomerFail"}
        )
        assert poor.status == "incomplete"

    def test_the_portal_cancels_and_resumes(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        subscription = buyer.subscribe()
        portal = client.v1.billing_portal.sessions.create(
            {"customer": str(subscription.customer), "return_url": "http://localhost:8080/app/billing"}
        )
        page = httpx.get(portal.url).text
        assert "Cancel subscription" in page
        assert "Return to localhost:8080" in page
        form = {"subscription": subscription.id, "action": "cancel"}
        page = httpx.post(portal.url, data=form, follow_redirects=True).text
        assert "Resume subscription" in page
        assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end
        httpx.post(portal.url, data={**form, "action": "resume"})
        assert not client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end

    def test_an_invoice_has_a_page_and_a_pdf(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        invoice = client.v1.invoices.retrieve(str(buyer.subscribe().latest_invoice))
        assert "$87.00" in httpx.get(str(invoice.hosted_invoice_url)).text
        pdf = httpx.get(str(invoice.invoice_pdf))
        assert pdf.content.startswith(b"%PDF-1.4")
        assert b"$87.00" in pdf.content


class TestApi:
    def test_the_same_idempotency_key_gives_the_same_object(self, client: stripe.StripeClient) -> None:
        one, two = (
            client.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "k1"}) for _ in range(2)
        )
        assert one.id == two.id
        assert len(client.v1.customers.list().data) == 1
        with pytest.raises(stripe.IdempotencyError):
            client.v1.customers.create({"email": "eve@example.com"}, {"idempotency_key": "k1"})

    def test_refusals_are_stripes(self, client: stripe.StripeClient, fake: FakeProcess, buyer: Buyer) -> None:
        with pytest.raises(stripe.InvalidRequestError) as missing:
            client.v1.subscriptions.retrieve("sub_none")
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
        with pytest.raises(stripe.InvalidRequestError) as unknown:
            buyer.checkout(line_items=[{"price": "price_none", "quantity": 1}])
        assert (unknown.value.http_status, unknown.value.code) == (400, "resource_missing")
        assert unknown.value.param == "line_items[0][price]"
        with pytest.raises(stripe.InvalidRequestError, match="payment"):
            buyer.checkout(mode="payment", subscription_data=None)
        with pytest.raises(stripe.InvalidRequestError, match="between 1 and"):
            buyer.checkout(line_items=[{"price": "price_pro_monthly", "quantity": -1}])
        with pytest.raises(stripe.AuthenticationError):
            make_client(fake, "pk_test_1").v1.customers.list()
        assert httpx.get(f"{fake.url}/v1/customers").status_code == 401
        assert httpx.get(f"{fake.url}/v1/nonsense", headers={"Authorization": "Bearer sk_test_1"}).status_code == 404

    def test_prices_are_found_by_lookup_key(self, client: stripe.StripeClient) -> None:
        (price,) = client.v1.prices.list({"lookup_keys": ["bundle_25"]}).data
        assert (price.id, price.unit_amount, price.type) == ("price_bundle_25", 17900, "one_time")

    def test_lists_page_by_cursor(self, client: stripe.StripeClient) -> None:
        made = [client.v1.customers.create({"name": str(number)}).id for number in range(5)]
        assert [row.id for row in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]

    def test_a_restart_keeps_everything(self, buyer: Buyer, client: stripe.StripeClient, fake: FakeProcess) -> None:
        subscription = buyer.subscribe()
        assert fake.stop() == 0
        fake.start()
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
        fake.control("reset")
        assert client.v1.subscriptions.list().data == []

    def test_links_follow_to_another_port(self, buyer: Buyer, fake: FakeProcess) -> None:
        subscription = buyer.subscribe()
        fake.stop()
        moved = FakeProcess(fake.state, "")
        moved.start()
        try:
            invoice = make_client(moved).v1.invoices.retrieve(str(subscription.latest_invoice))
            assert httpx.get(str(invoice.hosted_invoice_url)).status_code == 200
            assert str(invoice.hosted_invoice_url).startswith(moved.url)
        finally:
            moved.stop()
            fake.start()

    def test_without_a_webhook_events_are_kept_but_not_sent(self, tmp_path: Any) -> None:
        quiet = FakeProcess(tmp_path / "quiet", "")
        quiet.start()
        try:
            make_client(quiet).v1.customers.create({})
            assert [event.type for event in make_client(quiet).v1.events.list().data] == ["customer.created"]
            assert quiet.deliveries() == []
        finally:
            quiet.stop()
