"""Events on demand: what has to happen so that Stripe would send one is made to happen.

What a trigger acts on: the `subscription` or `customer` that the body names; the newest live subscription of the `org`;
without either the newest live one of all. Where there is none, a purchase is made first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_fake import (
    billing_runs,
    catalog,
    checkout,
    clocks,
    completion,
    customers,
    invoices,
    passing,
    payments,
    promotion_codes,
    promotions,
    subscriptions,
)
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World

_CARD = "4242424242424242"

_EMAIL = "buyer@example.com"
_AMOUNT = 2_000
Body = dict[str, Any]


def run(world: World, name: str, body: Body) -> None:
    """Make an event of this type come about."""
    action = TRIGGERS.get(name)
    if action is None:
        raise InvalidRequest(f"Unknown trigger {name!r}. Known: {', '.join(sorted(TRIGGERS))}.", param="name")
    acted_on = _live(world, body) or _customer(world, body) or {}
    with world.at(clocks.moment(world, acted_on)):
        action(world, body)


# ---------------------------------------------------------------------- what is acted on


def _live(world: World, body: Body) -> Obj | None:
    if body.get("subscription"):
        return world.get("subscription", str(body["subscription"]), param="subscription")
    customer, org = body.get("customer"), body.get("org")
    for row in world.store.all("subscription"):
        mine = customer in (None, row["customer"]) and org in (None, _org_of(world, row))
        if mine and row["status"] in subscriptions.LIVE:
            return row
    return None


def _target(world: World, body: Body) -> Obj:
    """The subscription to act on, bought first if there is none."""
    found = _live(world, body)
    if found is None:
        buy = {key: value for key, value in body.items() if key not in ("price", "quantity")}
        return world.get("subscription", _purchase(world, buy)["subscription"])
    return found


def _org_of(world: World, subscription: Obj) -> str | None:
    customer = world.store.get("customer", subscription["customer"]) or {"metadata": {}}
    found = subscription["metadata"].get("org_id") or customer["metadata"].get("org_id")
    return None if found is None else str(found)


def _customer(world: World, body: Body) -> Obj | None:
    if body.get("customer"):
        return world.get("customer", str(body["customer"]), param="customer")
    if body.get("org"):
        for row in world.store.all("customer"):
            if not row.get("deleted") and row["metadata"].get("org_id") == body["org"]:
                return row
    return None


def _buyer(world: World, body: Body) -> Obj:
    """The customer to act on, made first if there is none."""
    found = _customer(world, body)
    if found is not None:
        return found
    owned = None if body.get("org") else _live(world, body)
    if owned is not None:
        return world.get("customer", owned["customer"])
    metadata = {"org_id": str(body["org"])} if body.get("org") else {}
    return customers.create(world, {"email": str(body.get("email", _EMAIL)), "metadata": metadata})


def _open_invoice(world: World, subscription: Obj) -> Obj | None:
    for invoice in world.store.all("invoice"):
        if invoices.subscription_of(invoice) == subscription["id"] and invoice["status"] == "open":
            return invoice
    return None


# ---------------------------------------------------------------------- purchases


def _purchase(world: World, body: Body, *, delayed: bool = False, **more: Any) -> Obj:
    """A whole purchase without the page: `price`, `quantity`, `email`, `customer`, `org`, `metadata`."""
    price = catalog.usable_price(world, str(body.get("price", "price_pro_monthly")), "price")
    metadata = {str(key): str(value) for key, value in dict(body.get("metadata", {})).items()}
    owner = {"org_id": str(body["org"])} if body.get("org") else {}
    if owner:  # what billing puts on what it sells
        metadata = {**owner, "price": str(price["lookup_key"] or price["id"]), **metadata}
    customer = _customer(world, body)
    params: dict[str, Any] = {
        "mode": "subscription" if price["recurring"] else "payment",
        "success_url": world.config.public_url,
        "line_items": [{"price": price["id"], "quantity": str(body.get("quantity", 1))}],
        "metadata": metadata,
        "subscription_data": {"metadata": metadata, **more},
        "client_reference_id": body.get("org"),
        "customer": None if customer is None else customer["id"],
        "customer_creation": "always",
    }
    return completion.complete(
        world, checkout.create(world, params), str(body.get("email", _EMAIL)), _CARD, metadata=owner, delayed=delayed
    )


def _buy(world: World, body: Body) -> None:
    _purchase(world, body)


def _delayed(world: World, body: Body, *, works: bool) -> None:
    """A bundle paid by a debit that the bank answers later."""
    completion.settle(world, _purchase(world, {"price": "price_bundle_10", **body}, delayed=True), works=works)


def _session_expired(world: World, body: Body) -> None:
    """The open session runs out, or one that is opened for it."""
    for session in world.store.all("checkout.session"):
        mine = body.get("org") in (None, session["metadata"].get("org_id"))
        if session["status"] == "open" and mine and body.get("session") in (None, session["id"]):
            checkout.expire(world, session)
            return
    metadata = {"org_id": str(body["org"])} if body.get("org") else {}
    lines = [{"price": "price_pro_monthly", "quantity": "1"}]
    params = {"mode": "subscription", "success_url": world.config.public_url, "line_items": lines, "metadata": metadata}
    checkout.expire(world, checkout.create(world, params))


# ---------------------------------------------------------------------- subscriptions


def _updated(world: World, body: Body) -> None:
    """The update is told again; with `quantity` or `price` the first item changes first."""
    subscription = _target(world, body)
    changes = {name: str(body[name]) for name in ("quantity", "price") if name in body}
    item = subscription["items"]["data"][0]
    if changes:
        changes = {"quantity": str(item["quantity"]), **changes}
        subscriptions.update(world, subscription, {"items": [{"id": item["id"], **changes}]})
    else:
        world.emit("customer.subscription.updated", subscription, {})


def _deleted(world: World, body: Body) -> None:
    subscriptions.cancel(world, _target(world, body))


def _trial_will_end(world: World, body: Body) -> None:
    """The running trial is announced to end; else one is begun that ends in three days, which announces itself."""
    found = _live(world, body)
    if found is not None and found["status"] == "trialing":
        subscriptions.notice_trial_end(world, found)
    else:
        _purchase(world, body, trial_period_days="3")


# ---------------------------------------------------------------------- invoices


def _payment_failed(world: World, body: Body) -> None:
    """The renewal is not paid: the open invoice is tried again in vain, or the next period's is."""
    subscription = _target(world, body)
    invoice = _open_invoice(world, subscription)
    if invoice is None:
        subscriptions.renew(world, subscription, works=False)
    else:
        invoices.fail(world, invoice, billing_runs.method_of(world, subscription))


def _paid(world: World, body: Body) -> None:
    """The open invoice is paid after all, or the next period is begun and paid."""
    subscription = _target(world, body)
    invoice = _open_invoice(world, subscription)
    if invoice is None:
        subscriptions.renew(world, subscription, works=True)
        return
    invoices.pay(world, invoice, billing_runs.method_of(world, subscription))
    subscriptions.set_status(world, subscription, "active")


def _upcoming(world: World, body: Body) -> None:
    passing.tell_upcoming(world, _target(world, body)["id"])


def _voided(world: World, body: Body) -> None:
    """The open invoice is given up; one is left unpaid for it where there is none."""
    subscription = _target(world, body)
    if _open_invoice(world, subscription) is None:
        subscriptions.renew(world, subscription, works=False)
    open_invoice = _open_invoice(world, subscription)
    if open_invoice is not None:
        invoices.void(world, open_invoice)


# ---------------------------------------------------------------------- payments, customers, catalogue


def _intent(world: World, body: Body) -> Obj:
    customer = _buyer(world, body)
    method = customers.attach_card(world, customer["id"], _CARD)
    return payments.intent(world, _AMOUNT, "usd", customer["id"], method["id"])


def _intent_paid(world: World, body: Body) -> None:
    payments.confirm(world, _intent(world, body), works=True)


def _intent_failed(world: World, body: Body) -> None:
    payments.confirm(world, _intent(world, body), works=False)


def _intent_cancelled(world: World, body: Body) -> None:
    payments.cancel(world, _intent(world, body))


def _refunded(world: World, body: Body) -> None:
    """The newest payment that can be given back is: of the customer, else a new one; `amount` for a part of it."""
    asked = {"amount": str(body["amount"])} if "amount" in body else {}
    customer = _buyer(world, body)
    for charge in world.store.all("charge"):
        if charge["customer"] == customer["id"] and charge["paid"] and not charge["refunded"]:
            payments.refund(world, {"charge": charge["id"], **asked})
            return
    paid = payments.confirm(world, _intent(world, {**body, "customer": customer["id"]}), works=True)
    payments.refund(world, {"payment_intent": paid["id"], **asked})


def _customer_created(world: World, body: Body) -> None:
    metadata = {"org_id": str(body["org"])} if body.get("org") else {}
    customers.create(world, {"email": str(body.get("email", _EMAIL)), "metadata": metadata})


def _customer_updated(world: World, body: Body) -> None:
    customers.update(world, _buyer(world, body), {"email": str(body.get("email", _EMAIL))})


def _customer_deleted(world: World, body: Body) -> None:
    subscriptions.remove_customer(world, _buyer(world, body))


def _method_attached(world: World, body: Body) -> None:
    world.emit("payment_method.attached", customers.attach_card(world, _buyer(world, body)["id"], _CARD))


def _product(world: World, body: Body) -> Obj:
    return catalog.create_product(world, {"name": "Made by a trigger"})


def _price(world: World, body: Body) -> Obj:
    params = {"product": _product(world, body)["id"], "unit_amount": "1500", "currency": "usd"}
    return catalog.create_price(world, params)


def _coupon(world: World, body: Body) -> Obj:
    return promotions.create_coupon(world, {"percent_off": "25", "duration": "once"})


TRIGGERS: dict[str, Callable[[World, Body], Any]] = {
    "charge.failed": _intent_failed,
    "charge.refunded": _refunded,
    "charge.succeeded": _intent_paid,
    "checkout.session.async_payment_failed": lambda world, body: _delayed(world, body, works=False),
    "checkout.session.async_payment_succeeded": lambda world, body: _delayed(world, body, works=True),
    "checkout.session.completed": _buy,
    "checkout.session.expired": _session_expired,
    "coupon.created": _coupon,
    "customer.created": _customer_created,
    "customer.deleted": _customer_deleted,
    "customer.subscription.created": _buy,
    "customer.subscription.deleted": _deleted,
    "customer.subscription.trial_will_end": _trial_will_end,
    "customer.subscription.updated": _updated,
    "customer.updated": _customer_updated,
    "invoice.created": _paid,
    "invoice.finalized": _paid,
    "invoice.paid": _paid,
    "invoice.payment_failed": _payment_failed,
    "invoice.payment_succeeded": _paid,
    "invoice.upcoming": _upcoming,
    "invoice.voided": _voided,
    "payment_intent.canceled": _intent_cancelled,
    "payment_intent.created": _intent,
    "payment_intent.payment_failed": _intent_failed,
    "payment_intent.succeeded": _intent_paid,
    "payment_method.attached": _method_attached,
    "price.created": _price,
    "product.created": _product,
    "promotion_code.created": lambda world, body: promotion_codes.create(
        world, {"promotion": {"coupon": _coupon(world, body)["id"]}}
    ),
    "refund.created": _refunded,
}
