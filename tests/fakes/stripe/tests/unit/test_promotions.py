"""Promotion codes: typed on the page, or named by the seller, for as long as they may be used."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import stripe

from stripe_fake.testing import Buyer


def make_code(client: stripe.StripeClient, code: str = "SPRING", **params: Any) -> stripe.PromotionCode:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"})
    asked: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": code, **params}
    return client.v1.promotion_codes.create(asked)


class TestTyped:
    def test_a_code_is_applied_and_can_be_removed(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        code = make_code(client)
        session = buyer.checkout(allow_promotion_codes=True)
        assert "Promotion code" in httpx.get(str(session.url)).text
        shown = httpx.post(str(session.url), data={"promotion_code": " spring ", "apply": "1"})
        assert shown.status_code == 200
        assert "$69.60 per month" in shown.text
        assert "-$17.40" in shown.text
        assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 0
        assert "$87.00 per month" in httpx.post(str(session.url), data={"remove": "1"}).text
        httpx.post(str(session.url), data={"promotion_code": "SPRING", "apply": "1"})
        buyer.pay(session)
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert done.amount_total == 6960
        assert client.v1.invoices.retrieve(str(done.invoice)).total == 6960
        assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 1

    @pytest.mark.parametrize(
        ("params", "typed", "said"),
        [
            ({}, "AUTUMN", "This code is invalid."),
            ({}, "<b>", "This code is invalid."),
            ({"active": False}, "SPRING", "This code is invalid."),
            ({"expires_at": 1_000_000_000}, "SPRING", "This code has expired."),
            ({"restrictions": {"minimum_amount": 100_000, "minimum_amount_currency": "usd"}}, "SPRING", "larger order"),
        ],
    )
    def test_a_code_that_may_not_be_used_is_said_to_the_buyer(
        self, buyer: Buyer, client: stripe.StripeClient, params: dict[str, Any], typed: str, said: str
    ) -> None:
        make_code(client, **params)
        session = buyer.checkout(allow_promotion_codes=True)
        answer = httpx.post(str(session.url), data={"promotion_code": typed, "apply": "1"})
        assert answer.status_code == 402
        assert said in answer.text
        assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 8700

    def test_a_code_for_another_customer_is_none(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        mine, other = (client.v1.customers.create({"email": f"{name}@example.com"}) for name in ("a", "b"))
        make_code(client, customer=mine.id)
        session = buyer.checkout(allow_promotion_codes=True, customer=other.id, customer_email=None)
        answer = httpx.post(str(session.url), data={"promotion_code": "SPRING", "apply": "1"})
        assert "This code is invalid." in answer.text

    def test_is_used_up(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        code = make_code(client, max_redemptions=1)
        buyer.subscribe(discounts=[{"promotion_code": code.id}])
        assert not client.v1.promotion_codes.list({"code": "SPRING"}).data[0].active
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            buyer.checkout(discounts=[{"promotion_code": code.id}])
        assert refusal.value.code == "promotion_code_expired"

    def test_without_leave_of_the_seller_no_code_is_taken(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        make_code(client)
        session = buyer.checkout()
        assert "Promotion code" not in httpx.get(str(session.url)).text
        httpx.post(str(session.url), data={"promotion_code": "SPRING", "apply": "1"})
        assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 8700

    def test_for_a_first_purchase_only(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        make_code(client, restrictions={"first_time_transaction": True})
        bought = buyer.subscribe()
        session = buyer.checkout(allow_promotion_codes=True, customer=str(bought.customer), customer_email=None)
        answer = httpx.post(str(session.url), data={"promotion_code": "SPRING", "apply": "1"})
        assert "prior transactions" in answer.text


class TestSeller:
    def test_names_a_code_or_lets_the_buyer_type_not_both(self, buyer: Buyer, client: stripe.StripeClient) -> None:
        code = make_code(client)
        with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
            buyer.checkout(discounts=[{"promotion_code": code.id}], allow_promotion_codes=True)

    def test_switches_a_code_off(self, client: stripe.StripeClient) -> None:
        code = make_code(client)
        assert not client.v1.promotion_codes.update(code.id, {"active": False}).active
        assert client.v1.promotion_codes.list({"active": True}).data == []

    def test_deletes_a_coupon_and_its_codes_end(self, client: stripe.StripeClient, buyer: Buyer) -> None:
        code = make_code(client)
        bought = buyer.subscribe(discounts=[{"promotion_code": code.id}])
        client.v1.coupons.delete(str(code.promotion.coupon))
        assert client.v1.promotion_codes.list({"active": True}).data == []
        assert client.v1.subscriptions.retrieve(bought.id).status == "active"

    def test_a_coupon_may_run_out(self, client: stripe.StripeClient, buyer: Buyer) -> None:
        late = client.v1.coupons.create({"percent_off": 5, "duration": "once", "redeem_by": int(time.time()) - 1})
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            buyer.checkout(discounts=[{"coupon": late.id}])
        assert refusal.value.code == "coupon_expired"
