"""Customers and their cards."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms
from stripe_fake.errors import CardDeclined, InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_FIELDS = ("email", "name", "phone", "description")
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_DECLINED = {
    "4000000000000002": ("Your card was declined.", "generic_decline", "card_declined"),
    "4000000000009995": ("Your card has insufficient funds.", "insufficient_funds", "card_declined"),
    "4000000000000069": ("Your card has expired.", "expired_card", "expired_card"),
}
_FAILS_LATER = "4000000000000341"
_TEST_METHODS = {"pm_card_visa": "4242424242424242", "pm_card_chargeCustomerFail": _FAILS_LATER}


def create(world: World, params: dict[str, Any]) -> Obj:
    """A new customer; `payment_method` may be one of the test methods, which is then attached."""
    customer = blank(world, params)
    method = forms.text(params, "payment_method")
    if method:
        attached = test_method(world, method, customer["id"])
        if forms.mapping(params, "invoice_settings").get("default_payment_method") == method:
            customer["invoice_settings"]["default_payment_method"] = attached["id"]
    world.store.put(customer)
    world.emit("customer.created", customer)
    return customer


def blank(world: World, params: dict[str, Any] | None = None) -> Obj:
    """A customer that is not stored."""
    params = params or {}
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": address(params),
        "balance": forms.integer(params, "balance", default=0, low=-(10**9), high=10**9),
        "created": world.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": forms.text(params, "description"),
        "email": forms.text(params, "email"),
        "invoice_prefix": new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": forms.merge_metadata({}, params),
        "name": forms.text(params, "name"),
        "next_invoice_sequence": 1,
        "phone": forms.text(params, "phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": forms.text(params, "tax_exempt") or "none",
        "test_clock": forms.text(params, "test_clock"),
    }


def address(params: dict[str, Any]) -> Obj | None:
    """The `address` of the parameters, with a country that is two letters."""
    given = forms.mapping(params, "address")
    found = {name: forms.text(given, name) for name in ADDRESS}
    country = found["country"]
    if country is not None and (len(country) != 2 or not country.isascii() or not country.isalpha()):
        raise InvalidRequest(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead.",
            param="address[country]",
            code="country_code_invalid",
        )
    return found if any(found.values()) else None


def update(world: World, customer: Obj, params: dict[str, Any]) -> Obj:
    alive(customer)
    previous = {name: customer[name] for name in _FIELDS if name in params and params[name] != customer[name]}
    for name in _FIELDS:
        if name in params:
            customer[name] = forms.text(params, name)
    if "address" in params:
        previous["address"], customer["address"] = customer["address"], address(params)
    if "tax_exempt" in params:
        previous["tax_exempt"], customer["tax_exempt"] = (
            customer["tax_exempt"],
            forms.text(params, "tax_exempt") or "none",
        )
    if "metadata" in params:
        previous["metadata"] = customer["metadata"]
        customer["metadata"] = forms.merge_metadata(customer["metadata"], params)
    method = forms.text(forms.mapping(params, "invoice_settings"), "default_payment_method")
    if method:
        customer["invoice_settings"]["default_payment_method"] = test_method(world, method, customer["id"])["id"]
    world.store.put(customer)
    world.emit("customer.updated", customer, previous)
    return customer


def delete(world: World, customer: Obj) -> Obj:
    """Mark as deleted; the caller has ended the subscriptions."""
    customer["deleted"] = True
    world.store.put(customer)
    world.emit("customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def alive(customer: Obj, param: str | None = None) -> Obj:
    if customer.get("deleted"):
        raise InvalidRequest(f"No such customer: '{customer['id']}'", param=param, code="resource_missing")
    return customer


def check_card(number: str, expiry: str, cvc: str, year: int, month: int) -> str:
    """The digits of an acceptable card, or the refusal that the buyer reads."""
    digits = "".join(char for char in number if char not in " -")
    if not digits.isascii() or not digits.isdigit() or not 13 <= len(digits) <= 19 or not _luhn(digits):
        raise CardDeclined("Your card number is invalid.", decline_code="incorrect_number", code="incorrect_number")
    parts = [part.strip() for part in expiry.split("/")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts) or not 1 <= int(parts[0]) <= 12:
        raise CardDeclined(
            "Your card's expiry date is invalid.", decline_code="invalid_expiry", code="invalid_expiry_month"
        )
    if (2000 + int(parts[1]) % 100, int(parts[0])) < (year, month):
        raise CardDeclined(
            "Your card's expiry date is in the past.", decline_code="invalid_expiry", code="invalid_expiry_year"
        )
    if not cvc.isascii() or not cvc.isdigit() or len(cvc) not in (3, 4):
        raise CardDeclined("Your card's security code is invalid.", decline_code="invalid_cvc", code="incorrect_cvc")
    if digits in _DECLINED:
        message, decline_code, code = _DECLINED[digits]
        raise CardDeclined(message, decline_code=decline_code, code=code)
    return digits


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def attach_card(world: World, customer_id: str | None, digits: str) -> Obj:
    """A card as a payment method; only its last four digits are kept."""
    return world.store.put(
        {
            "id": new_id("pm"),
            "object": "payment_method",
            "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
            "card": {
                "brand": "visa",
                "country": "US",
                "exp_month": 12,
                "exp_year": 2034,
                "funding": "credit",
                "last4": digits[-4:],
            },
            "created": world.now(),
            "customer": customer_id,
            "livemode": False,
            "metadata": {},
            "type": "card",
            "_charge_fails": digits == _FAILS_LATER,
        }
    )


def test_method(world: World, method_id: str, customer_id: str) -> Obj:
    """A known payment method, or one of Stripe's test ones made into a card of this customer."""
    if method_id in _TEST_METHODS:
        return attach_card(world, customer_id, _TEST_METHODS[method_id])
    return world.get("payment_method", method_id, param="payment_method")


def decline_unless_chargeable(digits: str) -> None:
    """Refuse a card that can be kept but not charged."""
    if digits == _FAILS_LATER:
        raise CardDeclined("Your card was declined.", decline_code="generic_decline")


def charge_works(world: World, method_id: str | None) -> bool:
    """Whether the bank would pay from this method today."""
    method = world.store.get("payment_method", method_id) if method_id else None
    return method is not None and not method["_charge_fails"]
