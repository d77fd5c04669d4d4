"""Subscriptions: the life from creation through renewal, seats and plan changes to the end."""

from __future__ import annotations

import copy
from typing import Any

from stripe_fake import customers, forms, invoices, periods, promotions, proration, subscription_items
from stripe_fake.errors import InvalidRequest, MissingObject
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

LIVE = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")
_ENDED = ("canceled", "incomplete_expired")


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
    trial_days = forms.integer(params, "trial_period_days", default=0, low=0, high=730)
    if method_id is None and not trial_days:
        raise InvalidRequest(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    return start(world, customer, wanted, forms.merge_metadata({}, params), method_id, trial_days=trial_days)


def start(
    world: World,
    customer: Obj,
    wanted: list[tuple[Obj, int]],
    metadata: dict[str, str],
    method_id: str | None,
    *,
    trial_days: int = 0,
    discounts: list[Obj] | None = None,
) -> Obj:
    """Begin a subscription, tell so, and bill its first period."""
    now = world.now()
    subscription_id = new_id("sub")
    works = bool(trial_days) or customers.charge_works(world, method_id)
    trial_end = now + trial_days * 86_400 if trial_days else None
    subscription: Obj = {
        "id": subscription_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
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
        "discounts": [promotions.grant(world, subscription_id, customer["id"], row) for row in discounts or []],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": invoices.list_of([], f"/v1/subscription_items?subscription={subscription_id}"),
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
        "status": "trialing" if trial_days else "active" if works else "incomplete",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_days else None,
    }
    for price, quantity in wanted:
        recurring = price["recurring"]
        end = trial_end or periods.add(now, recurring["interval"], recurring["interval_count"], now)
        subscription["items"]["data"].append(
            subscription_items.build(world, subscription_id, price, quantity, now, end)
        )
    subscription["items"]["total_count"] = len(wanted)
    world.store.put(subscription)
    world.emit("customer.subscription.created", subscription)
    bill(world, customer, subscription, "subscription_create")
    return subscription


def bill(world: World, customer: Obj, subscription: Obj, reason: str, *, works: bool | None = None) -> Obj:
    """Invoice the current period and try to collect; `works` overrides what the card would say."""
    free = subscription["status"] == "trialing"
    lines = [
        invoices.Line(
            price=item["price"],
            quantity=item["quantity"],
            amount=0 if free else item["price"]["unit_amount"] * item["quantity"],
            start=item["current_period_start"],
            end=item["current_period_end"],
            description=f"{item['quantity']} x {world.get('product', item['price']['product'])['name']}",
            subscription_item=item["id"],
        )
        for item in subscription["items"]["data"]
    ]
    off = promotions.use(world, subscription, sum(line.amount for line in lines))
    invoice = invoices.create(world, customer, lines, reason, subscription, off=off)
    subscription["latest_invoice"] = invoice["id"]
    world.store.put(subscription)
    method_id = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if works is None:
        works = free or customers.charge_works(world, method_id)
    if works:
        return invoices.pay(world, invoice, method_id)
    return invoices.fail(world, invoice, method_id)


def update(world: World, subscription: Obj, params: dict[str, Any]) -> Obj:
    """`POST /v1/subscriptions/{id}`: seats, plan, cancel at the end of the period, metadata."""
    if subscription["status"] in _ENDED:
        raise InvalidRequest("A canceled subscription can only update its cancellation_details and metadata.")
    before = copy.deepcopy(subscription)
    if "metadata" in params:
        subscription["metadata"] = forms.merge_metadata(subscription["metadata"], params)
    if "cancel_at_period_end" in params:
        _cancel_at_end(world, subscription, wanted=forms.boolean(params, "cancel_at_period_end"))
    method = forms.text(params, "default_payment_method")
    if method:
        subscription["default_payment_method"] = customers.test_method(world, method, subscription["customer"])["id"]
    behaviour = forms.text(params, "proration_behavior") or "create_prorations"
    if behaviour not in ("create_prorations", "always_invoice", "none"):
        raise InvalidRequest(
            "Invalid proration_behavior: must be one of create_prorations, always_invoice, or none",
            param="proration_behavior",
        )
    restarted = subscription_items.change(world, subscription, forms.rows(params, "items"))
    world.store.put(subscription)
    previous = {name: value for name, value in before.items() if subscription[name] != value}
    if previous:
        world.emit("customer.subscription.updated", subscription, previous)
    customer = world.get("customer", subscription["customer"])
    if restarted:
        bill(world, customer, subscription, "subscription_update")
    elif behaviour == "always_invoice":
        proration.bill(world, customer, before, subscription)
    return subscription


def cancel(world: World, subscription: Obj, reason: str = "cancellation_requested") -> Obj:
    """End it now."""
    if subscription["status"] in _ENDED:
        raise MissingObject("subscription", subscription["id"])
    now = world.now()
    subscription.update(status="canceled", canceled_at=subscription["canceled_at"] or now, ended_at=now)
    subscription["cancellation_details"]["reason"] = reason
    world.store.put(subscription)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def renew(world: World, subscription: Obj, *, works: bool | None = None) -> Obj:
    """Roll over to the next period and bill it; ends the subscription when it was to end there. Returns it."""
    if subscription["cancel_at_period_end"]:
        return cancel(world, subscription)
    previous = {"items": copy.deepcopy(subscription["items"])}
    for item in subscription["items"]["data"]:
        recurring = item["price"]["recurring"]
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = periods.add(
            item["current_period_start"],
            recurring["interval"],
            recurring["interval_count"],
            subscription["billing_cycle_anchor"],
        )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    world.store.put(subscription)
    world.emit("customer.subscription.updated", subscription, previous)
    invoice = bill(
        world, world.get("customer", subscription["customer"]), subscription, "subscription_cycle", works=works
    )
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
    if subscription["status"] != status and subscription["status"] not in _ENDED:
        previous = {"status": subscription["status"]}
        subscription["status"] = status
        world.store.put(subscription)
        world.emit("customer.subscription.updated", subscription, previous)
    return subscription


def _cancel_at_end(world: World, subscription: Obj, *, wanted: bool) -> None:
    end = max(item["current_period_end"] for item in subscription["items"]["data"])
    subscription.update(
        cancel_at_period_end=wanted, cancel_at=end if wanted else None, canceled_at=world.now() if wanted else None
    )
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None
