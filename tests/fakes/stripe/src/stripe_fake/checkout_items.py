"""The lines of a checkout session."""

from __future__ import annotations

from typing import Any

from stripe_fake import catalog, forms
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
