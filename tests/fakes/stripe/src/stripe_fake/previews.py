"""`POST /v1/invoices/create_preview`: what would be billed, without billing it."""

from __future__ import annotations

import copy
from typing import Any

from stripe_fake import (
    billing_runs,
    customers,
    forms,
    invoice_items,
    invoices,
    promotion_codes,
    promotions,
    proration,
    subscription_items,
    subscriptions,
    taxes,
)
from stripe_fake.errors import InvalidRequest
from stripe_fake.invoice_lines import Line, discountable
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_SECONDS_TO_PAY = invoices.FINAL_AFTER


def create(world: World, params: dict[str, Any]) -> Obj:
    """The next invoice of a subscription, with the changes of `subscription_details` if there are any."""
    details = forms.mapping(params, "subscription_details")
    mode = forms.text(params, "preview_mode") or "next"
    if mode not in ("next", "recurring"):
        raise InvalidRequest("Invalid preview_mode: must be one of next or recurring", param="preview_mode")
    before = _subscription(world, params, details)
    customer = _customer(world, params, before)
    if before is None:
        return _first(world, customer, params, details)
    return _next(world, customer, before, params, details, recurring=mode == "recurring")


def _subscription(world: World, params: dict[str, Any], details: dict[str, Any]) -> Obj | None:
    subscription_id, customer_id = forms.text(params, "subscription"), forms.text(params, "customer")
    if subscription_id:
        found = world.get("subscription", subscription_id, param="subscription")
        if customer_id not in (None, found["customer"]):
            raise InvalidRequest(
                f"The customer '{customer_id}' does not have a subscription with the ID '{subscription_id}'.",
                param="subscription",
                code="resource_missing",
            )
        if found["status"] in subscriptions.ENDED:
            raise _nothing(found["customer"])
        return found
    if forms.rows(details, "items"):
        return None
    owned = [row for row in world.store.all("subscription") if row["customer"] == customer_id]
    live = [row for row in owned if row["status"] in subscriptions.LIVE and not row["cancel_at_period_end"]]
    if not live:
        raise _nothing(customer_id)
    return min(live, key=billing_runs.period_end)


def _customer(world: World, params: dict[str, Any], subscription: Obj | None) -> Obj:
    customer_id = forms.text(params, "customer") or (subscription and subscription["customer"])
    if customer_id:
        found = customers.alive(world.get("customer", customer_id, param="customer"), "customer")
    else:
        found = customers.blank(world)
    changed = forms.mapping(params, "customer_details")
    if "address" in changed:
        found["address"] = customers.address(changed)
    found["tax_exempt"] = forms.text(changed, "tax_exempt") or found["tax_exempt"]
    return found


def _first(world: World, customer: Obj, params: dict[str, Any], details: dict[str, Any]) -> Obj:
    """What a subscription that does not exist yet would bill at its start."""
    wanted = [subscription_items.wanted(world, row, index) for index, row in enumerate(forms.rows(details, "items"))]
    trial_end = forms.text(details, "trial_end")
    shown = subscriptions.build(
        world,
        customer,
        wanted,
        forms.merge_metadata({}, details),
        None,
        trial_end=int(trial_end) if trial_end and trial_end.isdigit() else None,
        automatic_tax=taxes.wanted(params),
    )
    return _invoice(world, customer, shown, billing_runs.period_lines(world, shown), params, at=world.now())


def _next(
    world: World, customer: Obj, before: Obj, params: dict[str, Any], details: dict[str, Any], *, recurring: bool
) -> Obj:
    at = proration.moment(world, before, details)
    behaviour = proration.behaviour(details)
    after = copy.deepcopy(before)
    waiting = invoice_items.as_lines(world, invoice_items.pending(world, before))
    if forms.boolean(details, "cancel_now"):
        given_back = [] if behaviour == "none" else proration.given_back(world, before, at)
        if not waiting and not given_back:
            raise _nothing(customer["id"])
        return _invoice(world, customer, before, [*waiting, *given_back], params, at=at)
    restarted = subscription_items.change(world, after, forms.rows(details, "items"), at)
    changes = [] if behaviour == "none" else proration.lines(world, before, after, at)
    if restarted:
        return _invoice(
            world, customer, after, [*waiting, *changes, *billing_runs.period_lines(world, after)], params, at=at
        )
    if behaviour == "always_invoice" and changes and not recurring:
        return _invoice(world, customer, after, [*waiting, *changes], params, at=at)
    if forms.boolean(details, "cancel_at_period_end", default=before["cancel_at_period_end"]):
        if not waiting and not changes:
            raise _nothing(customer["id"])
        return _invoice(world, customer, after, [*waiting, *changes], params, at=billing_runs.period_end(before))
    following = billing_runs.rolled(after)
    lines = billing_runs.period_lines(world, following)
    if not recurring:
        lines = [*waiting, *changes, *lines]
    return _invoice(
        world, customer, after, lines, params, at=billing_runs.period_end(before), pays_later=_SECONDS_TO_PAY
    )


def _invoice(
    world: World,
    customer: Obj,
    subscription: Obj,
    lines: list[Line],
    params: dict[str, Any],
    *,
    at: int,
    pays_later: int = 0,
) -> Obj:
    if not lines:
        raise _nothing(customer["id"])
    if "discounts" in params:
        rows = promotion_codes.resolve(world, forms.rows(params, "discounts"))
        offs = promotions.previewed(world, rows, discountable(lines))
    else:
        offs = promotions.offs(world, subscription, discountable(lines))
    invoice = invoices.build(
        world,
        customer,
        lines,
        "upcoming",
        subscription,
        offs=offs,
        tax=subscription["automatic_tax"]["enabled"] or taxes.wanted(params),
        invoice_id=new_id("upcoming_in"),
    )
    first = subscription["items"]["data"][0]
    invoice.update(
        created=at,
        next_payment_attempt=at + pays_later,
        period_end=at,
        period_start=first["current_period_start"],
    )
    if any(line.proration for line in lines):
        date = next(line.start for line in lines if line.proration)
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = date
    for row in invoice["lines"]["data"]:
        row["id"] = new_id("il_tmp")
    return invoice


def _nothing(customer_id: str | None) -> InvalidRequest:
    refusal = InvalidRequest(f"No upcoming invoices for customer: '{customer_id}'", code="invoice_upcoming_none")
    refusal.status = 404
    return refusal
