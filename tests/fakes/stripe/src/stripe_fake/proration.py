"""What a change in the middle of a period costs."""

from __future__ import annotations

from stripe_fake import customers, invoices
from stripe_fake.store import Obj
from stripe_fake.world import World


def bill(world: World, customer: Obj, before: Obj, subscription: Obj) -> None:
    """Bill the rest of the period for what changed; a fall in price is left as it is (no credit is modelled)."""
    now = world.now()
    old = {item["id"]: item["price"]["unit_amount"] * item["quantity"] for item in before["items"]["data"]}
    lines = []
    for item in subscription["items"]["data"]:
        start_at, end_at = item["current_period_start"], item["current_period_end"]
        change = item["price"]["unit_amount"] * item["quantity"] - old.get(item["id"], 0)
        amount = round(change * max(end_at - now, 0) / max(end_at - start_at, 1))
        if amount > 0:
            name = world.get("product", item["price"]["product"])["name"]
            lines.append(
                invoices.Line(
                    item["price"],
                    item["quantity"],
                    amount,
                    now,
                    end_at,
                    f"Remaining time on {item['quantity']} x {name}",
                    item["id"],
                    True,
                )
            )
    if lines:
        invoice = invoices.create(world, customer, lines, "subscription_update", subscription)
        subscription["latest_invoice"] = invoice["id"]
        world.store.put(subscription)
        method_id = subscription["default_payment_method"]
        works = customers.charge_works(world, method_id)
        (invoices.pay if works else invoices.fail)(world, invoice, method_id)
