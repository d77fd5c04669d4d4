"""Every object that the fake answers has the fields that the SDK's generated types declare, and no others."""

from __future__ import annotations

import typing
from typing import Any

import httpx
import pytest
import stripe

KINDS: dict[str, type[stripe.StripeObject]] = {
    "customer": stripe.Customer,
    "product": stripe.Product,
    "price": stripe.Price,
    "checkout.session": stripe.checkout.Session,
    "subscription": stripe.Subscription,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "payment_intent": stripe.PaymentIntent,
    "billing_portal.session": stripe.billing_portal.Session,
    "event": stripe.Event,
    "coupon": stripe.Coupon,
    "promotion_code": stripe.PromotionCode,
    "discount": stripe.Discount,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "invoiceitem": stripe.InvoiceItem,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "test_helpers.test_clock": stripe.test_helpers.TestClock,
}
LISTED = {
    "customer": "/v1/customers",
    "product": "/v1/products",
    "price": "/v1/prices",
    "checkout.session": "/v1/checkout/sessions?expand[]=data.line_items",
    "subscription": "/v1/subscriptions?expand[]=data.discounts",
    "invoice": "/v1/invoices?expand[]=data.payments",
    "invoice_payment": "/v1/invoice_payments",
    "payment_intent": "/v1/payment_intents",
    "event": "/v1/events",
    "promotion_code": "/v1/promotion_codes?expand[]=data.promotion.coupon",
    "charge": "/v1/charges",
    "refund": "/v1/refunds",
    "invoiceitem": "/v1/invoiceitems",
    "webhook_endpoint": "/v1/webhook_endpoints",
    "test_helpers.test_clock": "/v1/test_helpers/test_clocks",
}


INSIDE: dict[str, type[stripe.StripeObject]] = {
    **KINDS,
    "subscription_item": stripe.SubscriptionItem,
    "plan": stripe.Plan,
    "line_item": stripe.InvoiceLineItem,
    "item": stripe.LineItem,
    "tax_rate": stripe.TaxRate,
    "payment_method": stripe.PaymentMethod,
}


def check(value: dict[str, Any], declared: type, where: str, problems: list[str]) -> None:
    """Compare one object, and those inside it, with the class that the SDK would make of it."""
    hints: dict[str, Any] = {}
    for base in reversed(declared.__mro__):
        hints |= {name: hint for name, hint in vars(base).get("__annotations__", {}).items() if _is_field(name)}
    problems += [f"{where}.{name} is not declared" for name in value if name not in hints]
    for name, hint in hints.items():
        if value.get(name) is None and type(None) not in typing.get_args(hint):
            problems.append(f"{where}.{name} is missing")
        _descend(value.get(name), hint, f"{where}.{name}", problems)


def _is_field(name: str) -> bool:
    return name != "OBJECT_NAME" and not name.startswith("_")


def _descend(value: Any, hint: Any, where: str, problems: list[str]) -> None:
    if isinstance(value, list):
        for row in value:
            _descend(row, hint, f"{where}[]", problems)
    elif isinstance(value, dict) and value.get("object") == "list":
        _descend(value["data"], hint, where, problems)
    elif isinstance(value, dict) and str(value.get("object")) in INSIDE:
        check(value, INSIDE[value["object"]], where, problems)
    elif isinstance(value, dict):
        for kind in _classes(hint):
            check(value, kind, where, problems)


def _classes(hint: Any) -> list[type]:
    """The SDK's own nested classes in an annotation."""
    if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        return [hint] if hint.__module__ != "stripe._stripe_object" else []
    return [kind for arg in typing.get_args(hint) for kind in _classes(arg)]


class TestShapes:
    @pytest.fixture
    def answers(self, buyer: Any, client: stripe.StripeClient, fake: Any) -> dict[str, list[Any]]:
        client.v1.coupons.create({"id": "TENTH", "percent_off": 10, "duration": "forever"})
        code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "TENTH"}, "code": "SPRING"})
        taxed = buyer.checkout(
            automatic_tax={"enabled": True},
            discounts=[{"promotion_code": code.id}],
            tax_id_collection={"enabled": True},
        )
        buyer.pay(taxed, country="DE")
        buyer.checkout(
            mode="payment",
            subscription_data=None,
            line_items=[{"price": "price_bundle_1", "quantity": 1}],
            invoice_creation={"enabled": True},
        )
        bought = client.v1.subscriptions.list().data[0]
        item = bought["items"].data[0]
        client.v1.subscriptions.update(bought.id, {"items": [{"id": item.id, "quantity": 5}]})
        clock = client.v1.test_helpers.test_clocks.create(
            {"frozen_time": item.current_period_start, "customer": str(bought.customer)}
        )
        for name in ("customer.subscription.trial_will_end", "invoice.payment_failed", "charge.refunded"):
            fake.control(f"trigger/{name}")
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": item.current_period_end})
        headers = {"Authorization": "Bearer sk_test_1"}
        preview = {
            "subscription": bought.id,
            "subscription_details[items][0][id]": item.id,
            "subscription_details[items][0][quantity]": "9",
        }

        def rows(url: str) -> list[Any]:
            full = f"{fake.url}{url}{'&' if '?' in url else '?'}limit=100"
            found: list[Any] = httpx.get(full, headers=headers).json()["data"]
            return found

        answers = {kind: rows(url) for kind, url in LISTED.items()}
        answers["subscription"] += rows(f"/v1/subscriptions?customer={bought.customer}&status=all")
        answers["customer"] += rows(f"/v1/customers?test_clock={clock.id}")
        previewed = httpx.post(f"{fake.url}/v1/invoices/create_preview", data=preview, headers=headers).json()
        answers["invoice"].append(previewed)
        return answers

    def test_what_the_fake_answers_is_what_the_sdk_declares(self, answers: dict[str, list[Any]]) -> None:
        problems: list[str] = []
        for kind, rows in answers.items():
            assert rows, kind
            for row in rows:
                check(row, KINDS[kind], kind, problems)
        for event in answers["event"]:
            inside = event["data"]["object"]
            if inside["object"] in INSIDE:
                check(inside, INSIDE[inside["object"]], f"event.{inside['object']}", problems)
        assert sorted(set(problems)) == []
