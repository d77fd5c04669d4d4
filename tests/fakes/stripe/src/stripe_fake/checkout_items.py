"""The lines of a checkout session."""

from __future__ import annotations

from typing import Any

from stripe_fake import catalog, forms, promotions, taxes
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.subscription_items import MAX_QUANTITY
from stripe_fake.world import World, new_id


def build(world: World, row: dict[str, Any], index: int, mode: str) -> Obj:
    """One line, refused where its price does not fit the mode."""
    param = f"line_items[{index}]"
    if "price_data" in row:
        raise InvalidRequest(
            "This fake sells stored prices only; make one with POST /v1/prices.", param=f"{param}[price_data]"
        )
    price = catalog.usable_price(world, str(forms.text(row, "price", required=True)), f"{param}[price]")
    if mode == "payment" and price["type"] == "recurring":
        raise InvalidRequest(
            "You specified `payment` mode but passed a recurring price. "
            "Either switch to `subscription` mode or use only one-time prices.",
            param=f"{param}[price]",
        )
    if mode == "subscription" and price["type"] == "one_time":
        raise InvalidRequest("You must provide at least one recurring price in `subscription` mode when using prices.")
    adjustable = forms.mapping(row, "adjustable_quantity")
    bounds = None
    if forms.boolean(adjustable, "enabled"):
        bounds = {
            "enabled": True,
            "minimum": forms.integer(adjustable, "minimum", default=1, low=0, high=MAX_QUANTITY),
            "maximum": forms.integer(adjustable, "maximum", default=99, low=1, high=MAX_QUANTITY),
        }
    if "quantity" not in row:
        raise InvalidRequest(
            "Quantity is required. Add `quantity` to your line item.",
            param=f"{param}[quantity]",
            code="parameter_missing",
        )
    quantity = forms.integer(row, "quantity", default=1, low=1, high=MAX_QUANTITY)
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": bounds,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": world.get("product", price["product"])["name"],
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "taxes": [],
    }


def set_quantities(world: World, session: Obj, quantities: dict[str, int]) -> None:
    """The buyer's changes, for the lines whose quantity may be changed and within their bounds."""
    for item in session["_line_items"]["data"]:
        bounds, asked = item["adjustable_quantity"], quantities.get(item["id"])
        if bounds is not None and asked is not None and bounds["minimum"] <= asked <= bounds["maximum"]:
            item["quantity"] = asked
            item["amount_subtotal"] = item["price"]["unit_amount"] * asked
    total(world, session)


def total(world: World, session: Obj) -> None:
    """Reckon every sum anew from the lines, the discounts and the address."""
    items = session["_line_items"]["data"]
    subtotal = sum(item["amount_subtotal"] for item in items)
    off = promotions.taken_off(world, session["discounts"], subtotal)
    rate = taxes.rate_at(session["_address"]) if session["automatic_tax"]["enabled"] else None
    left = off
    for item in items:
        share = left if item is items[-1] else round(off * item["amount_subtotal"] / max(subtotal, 1))
        left -= share
        taxable = item["amount_subtotal"] - share
        tax = 0 if rate is None else rate.of(taxable)
        item.update(amount_discount=share, amount_tax=tax, amount_total=taxable + tax)
        item["taxes"] = [] if rate is None else [taxes.on_item(rate, tax, taxable)]
    tax = sum(item["amount_tax"] for item in items)
    session.update(amount_subtotal=subtotal, amount_total=subtotal - off + tax)
    session["total_details"].update(amount_discount=off, amount_tax=tax)
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "requires_location_inputs" if rate is None else "complete"
