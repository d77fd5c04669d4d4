"""What a change in the middle of a period costs: the unused time given back, the remaining time billed anew."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_fake import forms, html, invoice_items, invoices, promotions
from stripe_fake.errors import InvalidRequest
from stripe_fake.invoice_lines import Line
from stripe_fake.store import Obj
from stripe_fake.world import World

BEHAVIOURS = ("create_prorations", "always_invoice", "none")


@dataclass(frozen=True)
class _Debit:
    """What was billed for an item: the amount after discounts, for which time, and by which invoice line."""

    amount: int
    start: int
    end: int
    line: tuple[str, str] | None = None


def behaviour(params: Obj) -> str:
    """The `proration_behavior` that is asked for."""
    found = forms.text(params, "proration_behavior") or "create_prorations"
    if found not in BEHAVIOURS:
        raise InvalidRequest(
            f"Invalid proration_behavior: must be one of {', '.join(BEHAVIOURS[:-1])}, or {BEHAVIOURS[-1]}",
            param="proration_behavior",
        )
    return found


def moment(world: World, subscription: Obj, params: Obj) -> int:
    """When the change counts from: `proration_date`, which must lie in the current period, or now."""
    first = subscription["items"]["data"][0]
    start_at, end_at = int(first["current_period_start"]), int(first["current_period_end"])
    if not forms.text(params, "proration_date"):
        return min(max(world.now(), start_at), end_at)
    at = forms.integer(params, "proration_date", default=0, low=0, high=2**40)
    if not start_at <= at <= end_at:
        raise InvalidRequest(
            "Cannot specify `proration_date` outside of the subscription's current period.", param="proration_date"
        )
    return at


def lines(world: World, before: Obj, after: Obj, at: int) -> list[Line]:
    """The credit and the charge for each item that changed; none while nothing is paid for."""
    if before["status"] in ("trialing", "incomplete", "paused"):
        return []
    found: list[Line] = []
    kept = {item["id"]: item for item in after["items"]["data"]}
    known = {item["id"]: item for item in before["items"]["data"]}
    for item in before["items"]["data"]:
        if _bills(item) != _bills(kept.get(item["id"])):
            found += _credit(world, before, item, at)
    for item in after["items"]["data"]:
        old = known.get(item["id"])
        # An item whose period starts anew is billed for all of it, with the subscription.
        anew = old is not None and old["current_period_start"] != item["current_period_start"]
        if _bills(item) != _bills(old) and not anew:
            found += _charge(world, after, item, at)
    return found


def given_back(world: World, subscription: Obj, at: int) -> list[Line]:
    """What ending the subscription gives back."""
    return lines(world, subscription, {**subscription, "items": {"data": []}}, at)


def _bills(item: Obj | None) -> tuple[str, int] | None:
    return None if item is None else (item["price"]["id"], item["quantity"])


def _credit(world: World, subscription: Obj, item: Obj, at: int) -> list[Line]:
    debit = _billed(world, subscription, item)
    amount = round(debit.amount * max(debit.end - at, 0) / max(debit.end - debit.start, 1))
    if amount == 0:
        return []
    text = f"Unused time on {_what(world, item)} after {html.date(at)}"
    return [_line(item, -amount, at, text, debit.line)]


def _charge(world: World, subscription: Obj, item: Obj, at: int) -> list[Line]:
    start_at, end_at = item["current_period_start"], item["current_period_end"]
    full = item["price"]["unit_amount"] * item["quantity"]
    full -= promotions.lasting_share(world, subscription, full)
    amount = round(full * max(end_at - at, 0) / max(end_at - start_at, 1))
    if amount == 0:
        return []
    return [_line(item, amount, at, f"Remaining time on {_what(world, item)} after {html.date(at)}", None)]


def _line(item: Obj, amount: int, at: int, text: str, credited: tuple[str, str] | None) -> Line:
    return Line(
        price=item["price"],
        quantity=item["quantity"],
        amount=amount,
        start=at,
        end=item["current_period_end"],
        description=text,
        subscription_item=item["id"],
        proration=True,
        credited=credited,
    )


def _what(world: World, item: Obj) -> str:
    return f"{item['quantity']} x {world.get('product', item['price']['product'])['name']}"


def _billed(world: World, subscription: Obj, item: Obj) -> _Debit:
    """The newest charge for this item's period: one that waits, or one on an invoice; else what it costs by list."""
    end_at = item["current_period_end"]
    for waiting in reversed(invoice_items.pending(world, subscription)):
        details = waiting["parent"]["subscription_details"]
        if details["subscription_item"] == item["id"] and waiting["amount"] > 0 and waiting["period"]["end"] == end_at:
            return _Debit(waiting["amount"], waiting["period"]["start"], end_at)
    for invoice in world.store.all("invoice"):
        if invoices.subscription_of(invoice) != subscription["id"] or invoice["status"] == "void":
            continue
        for line in reversed(invoice["lines"]["data"]):
            details = line["parent"]["subscription_item_details"]
            if details["subscription_item"] == item["id"] and line["amount"] > 0 and line["period"]["end"] == end_at:
                off = sum(one["amount"] for one in line["discount_amounts"])
                return _Debit(line["amount"] - off, line["period"]["start"], end_at, (invoice["id"], line["id"]))
    full = item["price"]["unit_amount"] * item["quantity"]
    return _Debit(full, item["current_period_start"], end_at)
