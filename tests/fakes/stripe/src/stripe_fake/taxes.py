"""Automatic tax: one rate for each country, put on top of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stripe_fake import forms
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj

# Standard rates where this account is registered. It collects nothing elsewhere.
COUNTRIES = ("AT", "AU", "CA", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "NL", "NO", "US")
_PERCENT = {"AT": 20.0, "DE": 19.0, "ES": 21.0, "FR": 20.0, "GB": 20.0, "IE": 23.0, "IT": 22.0, "NL": 21.0, "NO": 25.0}


@dataclass(frozen=True)
class Rate:
    """What is put on top, and Stripe's word for why."""

    country: str
    percent: float
    reason: str

    @property
    def id(self) -> str:
        """The id of the tax rate."""
        return f"txr_{self.country.lower()}"

    def of(self, amount: int) -> int:
        """The tax on an amount in minor units."""
        return round(amount * self.percent / 100)


def wanted(params: dict[str, Any]) -> bool:
    """Whether the request has `automatic_tax[enabled]=true`."""
    return forms.boolean(forms.mapping(params, "automatic_tax"), "enabled")


def rate_for(customer: Obj) -> Rate:
    """The rate of the customer's country; refused when there is no address to tell it from."""
    rate = rate_at(customer["address"])
    if rate is None:
        raise InvalidRequest(
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax.",
            code="customer_tax_location_invalid",
        )
    if customer["tax_exempt"] == "exempt":
        return Rate(rate.country, 0.0, "customer_exempt")
    if customer["tax_exempt"] == "reverse":
        return Rate(rate.country, 0.0, "reverse_charge")
    return rate


def rate_at(address: Obj | None) -> Rate | None:
    """The rate of an address; None when it names no country."""
    country = str((address or {}).get("country") or "").upper()
    if not country:
        return None
    if country not in _PERCENT:
        return Rate(country, 0.0, "not_collecting")
    return Rate(country, _PERCENT[country], "standard_rated")


def on_session(*, enabled: bool) -> Obj:
    """The `automatic_tax` of a checkout session, before anything is known of where the buyer is."""
    return {
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "requires_location_inputs" if enabled else None,
    }


def on_item(rate: Rate, amount: int, taxable: int) -> Obj:
    """One of the `taxes` of a checkout line."""
    shown = {
        "id": rate.id,
        "object": "tax_rate",
        "active": False,
        "country": rate.country,
        "created": 0,
        "description": None,
        "display_name": "VAT",
        "effective_percentage": rate.percent,
        "flat_amount": None,
        "inclusive": False,
        "jurisdiction": rate.country,
        "jurisdiction_level": "country",
        "livemode": False,
        "metadata": {},
        "percentage": rate.percent,
        "rate_type": "percentage",
        "state": None,
        "tax_type": "vat",
    }
    return {"amount": amount, "rate": shown, "taxability_reason": rate.reason, "taxable_amount": taxable}


def on_invoice(rate: Rate | None) -> Obj:
    """The `automatic_tax` of an invoice."""
    on = rate is not None
    return {
        "disabled_reason": None,
        "enabled": on,
        "liability": {"type": "self"} if on else None,
        "provider": "stripe" if on else None,
        "status": "complete" if on else None,
    }


def on_subscription(*, enabled: bool) -> Obj:
    """The `automatic_tax` of a subscription."""
    return {"disabled_reason": None, "enabled": enabled, "liability": {"type": "self"} if enabled else None}
