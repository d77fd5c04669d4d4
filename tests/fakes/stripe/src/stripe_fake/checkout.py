"""Checkout sessions: made by the seller, completed on the hosted page."""

from __future__ import annotations

from typing import Any

from stripe_fake import checkout_items, customers, forms, promotion_codes, taxes
from stripe_fake.errors import InvalidRequest
from stripe_fake.invoice_lines import list_of
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_DAY = 86_400


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
    customer = (
        customers.alive(world.get("customer", customer_id, param="customer"), "customer") if customer_id else None
    )
    if forms.rows(params, "discounts") and "allow_promotion_codes" in params:
        raise InvalidRequest(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            param="allow_promotion_codes",
        )
    taxed, tax_ids = taxes.wanted(params), forms.boolean(forms.mapping(params, "tax_id_collection"), "enabled")
    keeps = _kept_on_customer(params, customer, taxed=taxed, tax_ids=tax_ids)
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
        "automatic_tax": taxes.on_session(enabled=taxed),
        "billing_address_collection": forms.text(params, "billing_address_collection"),
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
        "discounts": promotion_codes.resolve(world, forms.rows(params, "discounts"), customer_id),
        "expires_at": forms.integer(params, "expires_at", default=now + _DAY, low=now + 1_800, high=now + _DAY),
        "invoice": None,
        "invoice_creation": _invoice_creation(params) if mode == "payment" else None,
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
        "tax_id_collection": {"enabled": tax_ids, "required": "never"},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.config.public_url}/c/pay/{session_id}",
        "wallet_options": None,
        "_line_items": list_of(items, f"/v1/checkout/sessions/{session_id}/line_items"),
        "_subscription_data": forms.mapping(params, "subscription_data"),
        "_payment_metadata": forms.merge_metadata({}, forms.mapping(params, "payment_intent_data")),
        "_keeps_address": keeps,
        "_address": None if customer is None else customer["address"],
    }
    checkout_items.total(world, session)
    return world.store.put(session)


def _invoice_creation(params: dict[str, Any]) -> Obj:
    given = forms.mapping(params, "invoice_creation")
    data = forms.mapping(given, "invoice_data")
    return {
        "enabled": forms.boolean(given, "enabled"),
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": forms.text(data, "description"),
            "footer": forms.text(data, "footer"),
            "issuer": None,
            "metadata": forms.merge_metadata({}, data),
            "rendering_options": None,
        },
    }


def _kept_on_customer(params: dict[str, Any], customer: Obj | None, *, taxed: bool, tax_ids: bool) -> bool:
    """Whether the address from the page is kept on a known customer; refuses what Stripe would not reckon tax for."""
    updates = forms.mapping(params, "customer_update")
    if updates and customer is None:
        raise InvalidRequest("`customer_update` can only be used with `customer`.", param="customer_update")
    address, name = (forms.text(updates, part) == "auto" for part in ("address", "name"))
    if customer is not None and taxed and not address and not (customer["address"] or {}).get("country"):
        raise InvalidRequest(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' "
            "to save the address entered in Checkout to the Customer.",
            code="customer_tax_location_invalid",
        )
    if customer is not None and tax_ids and not name:
        raise InvalidRequest(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.",
            param="tax_id_collection",
        )
    return address or customer is None


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
