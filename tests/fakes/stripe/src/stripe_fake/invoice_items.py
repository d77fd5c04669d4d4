"""Pending invoice items: what a change cost or gave back, waiting for the subscription's next invoice."""

from __future__ import annotations

from stripe_fake.invoice_lines import Line
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id


def add(world: World, subscription: Obj, line: Line) -> Obj:
    """Keep a line for the next invoice, and tell so."""
    credited = None
    if line.credited is not None:
        details = {"invoice": line.credited[0], "invoice_line_items": [line.credited[1]]}
        credited = {"invoice_item": None, "invoice_line_item_details": details, "type": "invoice_line_items"}
    item: Obj = {
        "id": new_id("ii"),
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": line.price["currency"],
        "customer": subscription["customer"],
        "customer_account": None,
        "date": world.now(),
        "description": line.description,
        "discountable": False,
        "discounts": [],
        "frozen_fields": None,
        "invoice": None,
        "invoicing_rules": None,
        "livemode": False,
        "metadata": subscription["metadata"],
        "net_amount": line.amount,
        "parent": {
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": line.subscription_item,
            },
            "type": "subscription_details",
        },
        "period": {"end": line.end, "start": line.start},
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "proration": True,
        "proration_details": {"credited_items": credited, "discount_amounts": []},
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [],
        "test_clock": subscription["test_clock"],
    }
    world.store.put(item)
    world.emit("invoiceitem.created", item)
    return item


def pending(world: World, subscription: Obj) -> list[Obj]:
    """What waits for the subscription's next invoice, oldest first."""
    items = [item for item in world.store.all("invoiceitem") if item["invoice"] is None]
    return [item for item in reversed(items) if of(item) == subscription["id"]]


def of(item: Obj) -> str:
    """The id of the subscription that an item belongs to."""
    return str(item["parent"]["subscription_details"]["subscription"])


def as_lines(world: World, items: list[Obj]) -> list[Line]:
    """The invoice lines that pending items become."""
    lines = []
    for item in items:
        details = (item["proration_details"]["credited_items"] or {}).get("invoice_line_item_details")
        lines.append(
            Line(
                price=world.get("price", item["pricing"]["price_details"]["price"]),
                quantity=item["quantity"],
                amount=item["amount"],
                start=item["period"]["start"],
                end=item["period"]["end"],
                description=item["description"],
                subscription_item=item["parent"]["subscription_details"]["subscription_item"],
                proration=True,
                invoice_item=item["id"],
                credited=details and (details["invoice"], details["invoice_line_items"][0]),
            )
        )
    return lines


def billed(world: World, items: list[Obj], invoice: Obj) -> None:
    """Say on which invoice they came."""
    for item in items:
        item["invoice"] = invoice["id"]
        world.store.put(item)
