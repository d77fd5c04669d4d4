"""Checkout sessions: made by the seller, completed on the hosted page."""

from __future__ import annotations

from typing import Any

from stripe_fake import checkout_items, customers, forms, invoices, payments, promotions, subscriptions
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_DAY = 86_400
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def create(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/checkout/sessions`, modes subscription and payment."""
    mode = forms.text(params, "mode", required=True)
    if mode not in ("payment", "subscription"):
        raise InvalidRequest("Invalid mode: must be one of payment or subscription", param="mode")
    success_url = forms.text(params, "success_url", required=True)
    customer_id, email = forms.text(params, "customer"), forms.text(params, "customer_email")
    if customer_id and email:
        raise InvalidRequest(
            "You may only specify one of these parameters: customer, customer_email.", param="customer"
        )
    if customer_id:
        customers.alive(world.get("customer", customer_id, param="customer"), "customer")
    items = [
        checkout_items.build(world, row, index, mode) for index, row in enumerate(forms.rows(params, "line_items"))
    ]
    if not items:
        raise InvalidRequest("Missing required param: line_items.", param="line_items", code="parameter_missing")
    now, session_id = world.now(), new_id("cs_test", 58)
    session: Obj = {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": forms.boolean(params, "allow_promotion_codes")
        if "allow_promotion_codes" in params
        else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": forms.text(params, "cancel_url"),
        "client_reference_id": forms.text(params, "client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": items[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer_id,
        "customer_creation": None
        if customer_id
        else "always"
        if mode == "subscription"
        else forms.text(params, "customer_creation") or "if_required",
        "customer_details": None,
        "customer_email": email,
        "discounts": promotions.resolve(world, forms.rows(params, "discounts")),
        "expires_at": forms.integer(params, "expires_at", default=now + _DAY, low=now + 1_800, high=now + _DAY),
        "invoice": None,
        "invoice_creation": {"enabled": forms.boolean(forms.mapping(params, "invoice_creation"), "enabled")}
        if mode == "payment"
        else None,
        "livemode": False,
        "locale": forms.text(params, "locale"),
        "metadata": forms.merge_metadata({}, params),
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always" if mode == "subscription" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": forms.text(params, "submit_type"),
        "subscription": None,
        "success_url": success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.config.public_url}/c/pay/{session_id}",
        "wallet_options": None,
        "_line_items": invoices.list_of(items, f"/v1/checkout/sessions/{session_id}/line_items"),
        "_subscription_data": forms.mapping(params, "subscription_data"),
        "_payment_metadata": forms.merge_metadata({}, forms.mapping(params, "payment_intent_data")),
    }
    _total(world, session)
    return world.store.put(session)


def current(world: World, session: Obj) -> Obj:
    """The session, expired first if its time has passed."""
    if session["status"] == "open" and session["expires_at"] <= world.now():
        return expire(world, session)
    return session


def expire(world: World, session: Obj) -> Obj:
    if session["status"] != "open":
        raise InvalidRequest(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`."
        )
    session.update(status="expired", url=None)
    world.store.put(session)
    world.emit("checkout.session.expired", session)
    return session


def set_quantities(world: World, session: Obj, quantities: dict[str, int]) -> None:
    """The buyer's changes, for the lines whose quantity may be changed and within their bounds."""
    for item in session["_line_items"]["data"]:
        bounds, wanted = item["adjustable_quantity"], quantities.get(item["id"])
        if bounds is not None and wanted is not None and bounds["minimum"] <= wanted <= bounds["maximum"]:
            item["quantity"] = wanted
            item["amount_subtotal"] = item["amount_total"] = item["price"]["unit_amount"] * wanted
    _total(world, session)


def complete(world: World, session: Obj, email: str, card_digits: str) -> Obj:
    """The buyer paid: make the customer, the subscription or payment, and tell so in Stripe's order."""
    if not session["_subscription_data"].get("trial_period_days"):
        customers.decline_unless_chargeable(card_digits)
    customer = None
    if session["customer"]:
        customer = world.get("customer", session["customer"])
        if customer["email"] is None:
            customer = customers.update(world, customer, {"email": email})
    elif session["customer_creation"] == "always":
        customer = customers.create(world, {"email": email})
        session["customer"] = customer["id"]
    method = customers.attach_card(world, None if customer is None else customer["id"], card_digits)
    if customer is not None:
        world.emit("payment_method.attached", method)
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    session.update(status="complete", payment_status="paid", url=None)
    with world.held() as parts:
        if session["mode"] == "subscription" and customer is not None:
            _subscribe(world, session, customer, method["id"])
        else:
            _charge(world, session, customer, method["id"])
    world.store.put(session)
    world.emit("checkout.session.completed", session)
    world.release(parts)
    return session


def return_address(session: Obj) -> str:
    """Where the buyer goes after paying."""
    return str(session["success_url"]).replace(_PLACEHOLDER, session["id"])


def _subscribe(world: World, session: Obj, customer: Obj, method_id: str) -> None:
    data = session["_subscription_data"]
    subscription = subscriptions.start(
        world,
        customer,
        [(item["price"], item["quantity"]) for item in session["_line_items"]["data"] if item["price"]["recurring"]],
        forms.merge_metadata({}, data),
        method_id,
        trial_days=forms.integer(data, "trial_period_days", default=0, low=0, high=730),
        discounts=session["discounts"],
    )
    session.update(subscription=subscription["id"], invoice=subscription["latest_invoice"])
    if subscription["status"] == "trialing":
        session["payment_status"] = "no_payment_required"


def _charge(world: World, session: Obj, customer: Obj | None, method_id: str) -> None:
    customer_id = None if customer is None else customer["id"]
    if session["invoice_creation"]["enabled"] and customer is not None:
        now = world.now()
        lines = [
            invoices.Line(item["price"], item["quantity"], item["amount_total"], now, now, item["description"])
            for item in session["_line_items"]["data"]
        ]
        invoice = invoices.create(world, customer, lines, "manual", off=session["total_details"]["amount_discount"])
        invoice["metadata"] = session["_payment_metadata"]
        session["invoice"] = invoices.pay(world, invoice, method_id)["id"]
        paid = invoice["_payments"]["data"]
        session["payment_intent"] = paid[0]["payment"]["payment_intent"] if paid else None
        return
    intent = payments.intent(
        world,
        session["amount_total"],
        session["currency"],
        customer_id,
        method_id,
        "succeeded",
        session["_payment_metadata"],
    )
    session["payment_intent"] = intent["id"]
    world.emit("payment_intent.succeeded", intent)


def _total(world: World, session: Obj) -> None:
    subtotal = sum(item["amount_subtotal"] for item in session["_line_items"]["data"])
    off = promotions.taken_off(world, session["discounts"], subtotal)
    session.update(amount_subtotal=subtotal, amount_total=subtotal - off)
    session["total_details"]["amount_discount"] = off
