"""Subscriptions: the life from creation through seats and plan changes to the end."""

from __future__ import annotations

import copy
from typing import Any

from stripe_fake import (
    billing_runs,
    customers,
    forms,
    invoice_items,
    invoices,
    periods,
    promotion_codes,
    promotions,
    proration,
    subscription_items,
    taxes,
)
from stripe_fake.errors import CardDeclined, InvalidRequest, MissingObject
from stripe_fake.invoice_lines import list_of
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

LIVE = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")
ENDED = ("canceled", "incomplete_expired")
TRIAL_NOTICE = 3 * 86_400


def create(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/subscriptions`: needs a customer whose card may be charged."""
    customer = customers.alive(
        world.get("customer", str(forms.text(params, "customer", required=True)), param="customer"), "customer"
    )
    wanted = [subscription_items.wanted(world, row, index) for index, row in enumerate(forms.rows(params, "items"))]
    if not wanted:
        raise InvalidRequest("Missing required param: items.", param="items", code="parameter_missing")
    method = forms.text(params, "default_payment_method")
    method_id = (
        customers.test_method(world, method, customer["id"])["id"]
        if method
        else customer["invoice_settings"]["default_payment_method"]
    )
    trial_end = trial_of(world, params)
    if method_id is None and trial_end is None:
        raise InvalidRequest(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    subscription = build(
        world,
        customer,
        wanted,
        forms.merge_metadata({}, params),
        method_id,
        trial_end=trial_end,
        automatic_tax=taxes.wanted(params),
        without_card=without_card(params),
    )
    return start(world, customer, subscription, promotion_codes.resolve(world, forms.rows(params, "discounts")))


def trial_of(world: World, params: dict[str, Any]) -> int | None:
    """When the trial that the parameters ask for ends."""
    given = forms.text(params, "trial_end")
    if given and given != "now":
        return forms.integer(params, "trial_end", default=0, low=world.now() + 1, high=2**40)
    days = forms.integer(params, "trial_period_days", default=0, low=0, high=730)
    return world.now() + days * 86_400 if days else None


def without_card(params: dict[str, Any]) -> str:
    """What the end of a trial does when there is no card."""
    behaviour = forms.mapping(forms.mapping(params, "trial_settings"), "end_behavior")
    found = forms.text(behaviour, "missing_payment_method") or "create_invoice"
    if found not in ("cancel", "create_invoice", "pause"):
        raise InvalidRequest(
            "Invalid missing_payment_method: must be one of cancel, create_invoice, or pause",
            param="trial_settings[end_behavior][missing_payment_method]",
        )
    return found


def build(
    world: World,
    customer: Obj,
    wanted: list[tuple[Obj, int]],
    metadata: dict[str, str],
    method_id: str | None,
    *,
    trial_end: int | None = None,
    automatic_tax: bool = False,
    without_card: str = "create_invoice",
) -> Obj:
    """A subscription in its first period that nobody has stored or heard of yet."""
    now = world.now()
    subscription_id = new_id("sub")
    subscription: Obj = {
        "id": subscription_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": taxes.on_subscription(enabled=automatic_tax),
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": wanted[0][0]["currency"],
        "customer": customer["id"],
        "days_until_due": None,
        "default_payment_method": method_id,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": list_of([], f"/v1/subscription_items?subscription={subscription_id}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "active" if trial_end is None else "trialing",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": without_card}},
        "trial_start": None if trial_end is None else now,
    }
    for price, quantity in wanted:
        recurring = price["recurring"]
        end = trial_end or periods.add(now, recurring["interval"], recurring["interval_count"], now)
        subscription["items"]["data"].append(
            subscription_items.build(world, subscription_id, price, quantity, now, end)
        )
    subscription["items"]["total_count"] = len(wanted)
    return subscription


def start(world: World, customer: Obj, subscription: Obj, discounts: list[Obj]) -> Obj:
    """Begin a built subscription, tell so, and bill its first period."""
    granted = [promotions.grant(world, subscription["id"], customer["id"], row) for row in discounts]
    subscription["discounts"] = granted
    promotions.redeem(world, discounts)
    trial = subscription["status"] == "trialing"
    if not trial and not customers.charge_works(world, billing_runs.method_of(world, subscription)):
        subscription["status"] = "incomplete"
    world.store.put(subscription)
    lines = billing_runs.period_lines(world, subscription)
    with world.held() as parts:  # the first event has the first invoice in it
        billing_runs.bill(world, customer, subscription, lines, "subscription_create")
    world.emit("customer.subscription.created", subscription)
    world.release(parts)
    if trial and subscription["trial_end"] - world.now() <= TRIAL_NOTICE:
        notice_trial_end(world, subscription)
    return subscription


def notice_trial_end(world: World, subscription: Obj) -> None:
    """Tell, once, that the trial ends soon."""
    subscription["_trial_end_told"] = True
    world.store.put(subscription)
    world.emit("customer.subscription.trial_will_end", subscription)


def update(world: World, subscription: Obj, params: dict[str, Any]) -> Obj:
    """`POST /v1/subscriptions/{id}`: seats, plan, cancel at the end of the period, end of the trial, metadata."""
    if subscription["status"] in ENDED:
        raise InvalidRequest("A canceled subscription can only update its cancellation_details and metadata.")
    before = copy.deepcopy(subscription)
    customer = world.get("customer", subscription["customer"])
    at, behaviour = proration.moment(world, subscription, params), proration.behaviour(params)
    _set_plainly(world, subscription, params)
    restarted = subscription_items.change(world, subscription, forms.rows(params, "items"), at)
    if forms.text(params, "trial_end") == "now" and subscription["status"] == "trialing":
        _end_trial(world, subscription)
        restarted = True
    lines = [] if behaviour == "none" else proration.lines(world, before, subscription, at)
    world.store.put(subscription)
    if restarted:
        lines += billing_runs.period_lines(world, subscription)
    invoice = None
    with world.held() as parts:
        if lines and (restarted or behaviour == "always_invoice"):
            invoice = billing_runs.bill(world, customer, subscription, lines, "subscription_update")
        else:
            for line in lines:
                invoice_items.add(world, subscription, line)
    previous = {name: value for name, value in before.items() if name[0] != "_" and subscription[name] != value}
    if previous:
        world.emit("customer.subscription.updated", subscription, previous)
    world.release(parts)
    if invoice is not None and invoice["status"] != "paid":
        if forms.text(params, "payment_behavior") == "error_if_incomplete":
            raise CardDeclined("Your card was declined.", decline_code="generic_decline")
        set_status(world, subscription, "past_due")
    return subscription


def _set_plainly(world: World, subscription: Obj, params: dict[str, Any]) -> None:
    if "metadata" in params:
        subscription["metadata"] = forms.merge_metadata(subscription["metadata"], params)
    if "automatic_tax" in params:
        subscription["automatic_tax"] = taxes.on_subscription(enabled=taxes.wanted(params))
    if "discounts" in params:
        rows = promotion_codes.resolve(world, forms.rows(params, "discounts"))
        customer_id = subscription["customer"]
        subscription["discounts"] = [promotions.grant(world, subscription["id"], customer_id, row) for row in rows]
        promotions.redeem(world, rows)
    method = forms.text(params, "default_payment_method")
    if method:
        subscription["default_payment_method"] = customers.test_method(world, method, subscription["customer"])["id"]
    if "cancel_at_period_end" in params:
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        _cancel_at(world, subscription, max(ends) if forms.boolean(params, "cancel_at_period_end") else None)
        subscription["cancel_at_period_end"] = subscription["cancel_at"] is not None
    elif "cancel_at" in params:
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        named = {"min_period_end": min(ends), "max_period_end": max(ends), "max_billed_until": max(ends), "": None}
        given = str(params["cancel_at"])
        soonest = world.now() + 1
        when = (
            named[given]
            if given in named
            else forms.integer(params, "cancel_at", default=soonest, low=soonest, high=2**40)
        )
        _cancel_at(world, subscription, when)
        subscription["cancel_at_period_end"] = False


def _cancel_at(world: World, subscription: Obj, when: int | None) -> None:
    wanted = when is not None
    subscription.update(cancel_at=when, canceled_at=world.now() if wanted else None)
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def _end_trial(world: World, subscription: Obj) -> None:
    now = world.now()
    subscription.update(status="active", trial_end=now, billing_cycle_anchor=now)
    for item in subscription["items"]["data"]:
        recurring = item["price"]["recurring"]
        end_at = periods.add(now, recurring["interval"], recurring["interval_count"], now)
        item.update(current_period_start=now, current_period_end=end_at, billed_until=end_at)


def cancel(
    world: World, subscription: Obj, params: dict[str, Any] | None = None, reason: str = "cancellation_requested"
) -> Obj:
    """End it now; `prorate` gives the unused time back, `invoice_now` bills what waits."""
    if subscription["status"] in ENDED:
        raise MissingObject("subscription", subscription["id"])
    now, params = world.now(), params or {}
    lines = proration.given_back(world, subscription, now) if forms.boolean(params, "prorate") else []
    subscription.update(status="canceled", canceled_at=subscription["canceled_at"] or now, ended_at=now)
    subscription["cancellation_details"]["reason"] = reason
    world.store.put(subscription)
    world.emit("customer.subscription.deleted", subscription)
    if forms.boolean(params, "invoice_now") and (lines or invoice_items.pending(world, subscription)):
        customer = world.get("customer", subscription["customer"])
        billing_runs.bill(world, customer, subscription, lines, "subscription_update")
    else:
        for line in lines:
            invoice_items.add(world, subscription, line)
    return subscription


def renew(world: World, subscription: Obj, *, works: bool | None = None) -> Obj:
    """Roll over to the next period and bill it; ends the subscription when it was to end there. Returns it."""
    if subscription["cancel_at_period_end"]:
        return cancel(world, subscription)
    invoice = billing_runs.cycle(world, subscription, works=works)
    return set_status(world, subscription, "active" if invoice["status"] == "paid" else "past_due")


def collect(world: World, invoice: Obj, method: str | None = None) -> Obj:
    """Pay an open invoice, with another card if one is named; a subscription in arrears recovers."""
    subscription_id = invoices.subscription_of(invoice)
    subscription = world.store.get("subscription", subscription_id) if subscription_id else None
    method_id = customers.test_method(world, method, invoice["customer"])["id"] if method else None
    if subscription is not None:
        if method_id is not None:
            subscription["default_payment_method"] = method_id
            world.store.put(subscription)
        method_id = subscription["default_payment_method"]
    if invoice["status"] == "open" and not customers.charge_works(world, method_id):
        return invoices.fail(world, invoice, method_id)
    invoices.pay(world, invoice, method_id)
    if subscription is not None and subscription["status"] in ("past_due", "unpaid", "incomplete"):
        set_status(world, subscription, "active")
    return invoice


def set_status(world: World, subscription: Obj, status: str) -> Obj:
    """Move to another status and tell so, if it is another one."""
    if subscription["status"] != status and subscription["status"] not in ENDED:
        previous = {"status": subscription["status"]}
        subscription["status"] = status
        world.store.put(subscription)
        world.emit("customer.subscription.updated", subscription, previous)
    return subscription


def remove_customer(world: World, customer: Obj) -> Obj:
    """Delete a customer, whose subscriptions end first."""
    for subscription in world.store.all("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] in LIVE:
            cancel(world, subscription)
    return customers.delete(world, customer)
