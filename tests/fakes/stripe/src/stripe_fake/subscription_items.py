"""The items of a subscription: which price, how many seats, which period."""

from __future__ import annotations

from typing import Any

from stripe_fake import catalog, forms, periods
from stripe_fake.errors import InvalidRequest, MissingObject
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

MAX_QUANTITY = 999_999


def wanted(world: World, row: dict[str, Any], index: int) -> tuple[Obj, int]:
    """The price and quantity that a form row asks for."""
    param = f"items[{index}][price]"
    price = catalog.usable_price(world, str(forms.text(row, "price", required=True)), param)
    if price["type"] != "recurring":
        raise InvalidRequest(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=param,
        )
    return price, forms.integer(row, "quantity", default=1, low=0, high=MAX_QUANTITY)


def build(world: World, subscription_id: str, price: Obj, quantity: int, start_at: int, end_at: int) -> Obj:
    """One item with its period."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billed_until": end_at,
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": end_at,
        "current_period_start": start_at,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": catalog.plan_of(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def change(world: World, subscription: Obj, changes: list[dict[str, Any]], at: int) -> bool:
    """Apply item changes as of a moment; true when another interval made the period start anew."""
    items = subscription["items"]["data"]
    restarted = False
    for index, row in enumerate(changes):
        item_id = forms.text(row, "id")
        item = next((item for item in items if item["id"] == item_id), None)
        if item_id and item is None:
            raise MissingObject("subscription_item", item_id, param=f"items[{index}][id]")
        if item is None:
            price, quantity = wanted(world, row, index)
            first = items[0]
            start_at, end_at = first["current_period_start"], first["current_period_end"]
            items.append(build(world, subscription["id"], price, quantity, start_at, end_at))
            continue
        if forms.boolean(row, "deleted"):
            items.remove(item)
            continue
        quantity = item["quantity"]
        if forms.text(row, "price"):
            price, quantity = wanted(world, row, index)  # a new price without a quantity is for one, as Stripe has it
            restarted = _set_price(subscription, item, price, at) or restarted
        item["quantity"] = forms.integer(row, "quantity", default=quantity, low=0, high=MAX_QUANTITY)
    if not items:
        raise InvalidRequest("A subscription must have at least one active item.", param="items")
    subscription["items"]["total_count"] = len(items)
    return restarted


def _set_price(subscription: Obj, item: Obj, price: Obj, at: int) -> bool:
    old, new = item["price"]["recurring"], price["recurring"]
    anew = (old["interval"], old["interval_count"]) != (new["interval"], new["interval_count"])
    item.update(price=price, plan=catalog.plan_of(price))
    if anew and subscription["status"] != "trialing":
        end_at = periods.add(at, new["interval"], new["interval_count"], at)
        item.update(current_period_start=at, current_period_end=end_at, billed_until=end_at)
        subscription["billing_cycle_anchor"] = at
        return True
    return False
