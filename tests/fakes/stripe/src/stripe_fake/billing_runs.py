"""What a subscription bills: the lines of a period, its invoice, the roll-over to the next, the collection of debts."""

from __future__ import annotations

import copy

from stripe_fake import customers, html, invoice_items, invoices, periods, promotions
from stripe_fake.invoice_lines import Line, discountable
from stripe_fake.store import Obj
from stripe_fake.world import World


def period_end(subscription: Obj) -> int:
    """When the current period ends."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def rolled(subscription: Obj) -> Obj:
    """A copy of it in its next period."""
    following = copy.deepcopy(subscription)
    for item in following["items"]["data"]:
        recurring = item["price"]["recurring"]
        end_at = periods.add(
            item["current_period_end"],
            recurring["interval"],
            recurring["interval_count"],
            following["billing_cycle_anchor"],
        )
        item.update(current_period_start=item["current_period_end"], current_period_end=end_at, billed_until=end_at)
    if following["status"] == "trialing":
        following["status"] = "active"
    return following


def period_lines(world: World, subscription: Obj) -> list[Line]:
    """A line for each item's current period; a trial costs nothing."""
    free = subscription["status"] == "trialing"
    return [
        Line(
            price=item["price"],
            quantity=item["quantity"],
            amount=0 if free else item["price"]["unit_amount"] * item["quantity"],
            start=item["current_period_start"],
            end=item["current_period_end"],
            description=_text(world, item, free=free),
            subscription_item=item["id"],
        )
        for item in subscription["items"]["data"]
    ]


def _text(world: World, item: Obj, *, free: bool) -> str:
    name = world.get("product", item["price"]["product"])["name"]
    if free:
        return f"Free trial for {item['quantity']} x {name}"
    return (
        f"{item['quantity']} x {name} (at {html.money(item['price']['unit_amount'], item['price']['currency'])} / "
        f"{item['price']['recurring']['interval']})"
    )


def draft(
    world: World,
    customer: Obj,
    subscription: Obj,
    lines: list[Line],
    reason: str,
    *,
    final_at: int | None = None,
) -> Obj:
    """A stored draft of these lines and of all that waits, with the subscription's discounts and tax."""
    waiting = invoice_items.pending(world, subscription)
    lines = [*invoice_items.as_lines(world, waiting), *lines]
    offs = promotions.offs(world, subscription, discountable(lines))
    if discountable(lines) > 0:
        promotions.spend(world, subscription)
    tax = subscription["automatic_tax"]["enabled"]
    invoice = invoices.build(world, customer, lines, reason, subscription, offs=offs, tax=tax)
    invoice_items.billed(world, waiting, invoice)
    subscription["latest_invoice"] = invoice["id"]
    world.store.put(subscription)
    return invoices.draft(world, invoice, final_at=final_at)


def bill(
    world: World, customer: Obj, subscription: Obj, lines: list[Line], reason: str, *, works: bool | None = None
) -> Obj:
    """Invoice these lines and what waits, and try to collect at once; `works` overrides what the card would say."""
    invoice = invoices.finalize(world, draft(world, customer, subscription, lines, reason))
    return attempt(world, invoice, subscription, works=works)


def attempt(world: World, invoice: Obj, subscription: Obj, *, works: bool | None = None) -> Obj:
    """Try to collect an open invoice from the subscription's card."""
    method_id = method_of(world, subscription)
    if works is None:
        works = invoice["amount_due"] == 0 or customers.charge_works(world, method_id)
    return (invoices.pay if works else invoices.fail)(world, invoice, method_id)


def method_of(world: World, subscription: Obj) -> str | None:
    """The card that a subscription is paid from."""
    customer = world.get("customer", subscription["customer"])
    found = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return None if found is None else str(found)


def cycle(world: World, subscription: Obj, *, final_at: int | None = None, works: bool | None = None) -> Obj:
    """Begin the next period, in place, and bill it: at once, or as a draft that becomes final at `final_at`.

    Returns the invoice. The update is told before it, with the invoice in it, as Stripe does.
    """
    before = {name: subscription[name] for name in ("items", "latest_invoice", "status")}
    subscription.update(rolled(subscription))
    customer = world.get("customer", subscription["customer"])
    lines = period_lines(world, subscription)
    with world.held() as parts:
        if final_at is None:
            invoice = bill(world, customer, subscription, lines, "subscription_cycle", works=works)
        else:
            invoice = draft(world, customer, subscription, lines, "subscription_cycle", final_at=final_at)
    previous = {name: value for name, value in before.items() if subscription[name] != value}
    world.emit("customer.subscription.updated", subscription, previous)
    world.release(parts)
    return invoice
