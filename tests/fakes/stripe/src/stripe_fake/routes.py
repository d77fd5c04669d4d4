"""The API's endpoints: a method, a path and one call each. What runs round them stands in `api.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_fake import catalog, checkout, customers, forms, invoices, lists, portal, promotions, subscriptions
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World

Handler = Callable[[World, dict[str, Any], str], Obj]
Routes = dict[tuple[str, str], Handler]


def _listing(kind: str, url: str, *filters: Callable[[dict[str, Any]], lists.Filter]) -> Handler:
    def handler(world: World, params: dict[str, Any], _: str) -> Obj:
        checks = [make(params) for make in filters]
        return lists.page([row for row in world.store.all(kind) if all(check(row) for check in checks)], params, url)

    return handler


def _one(kind: str) -> Handler:
    return lambda world, params, object_id: world.get(kind, object_id)


def _new(make: Callable[[World, dict[str, Any]], Obj]) -> Handler:
    return lambda world, params, object_id: make(world, params)


def _change(kind: str, apply: Callable[[World, Obj, dict[str, Any]], Obj]) -> Handler:
    return lambda world, params, object_id: apply(world, world.get(kind, object_id), params)


def _same(*names: str) -> Callable[[dict[str, Any]], lists.Filter]:
    return lambda params: lists.equal(params, *names)


def _flag(name: str) -> Callable[[dict[str, Any]], lists.Filter]:
    return lambda params: lists.flag(params, name)


def _lookup_keys(params: dict[str, Any]) -> lists.Filter:
    wanted = forms.strings(params, "lookup_keys")
    return lambda row: not wanted or row["lookup_key"] in wanted


def _subscription_status(params: dict[str, Any]) -> lists.Filter:
    wanted = forms.text(params, "status")
    if wanted is None:
        return lambda row: row["status"] != "canceled"
    if wanted == "ended":
        return lambda row: row["status"] in ("canceled", "incomplete_expired")
    return lambda row: wanted in ("all", row["status"])


def _subscription_price(params: dict[str, Any]) -> lists.Filter:
    wanted = forms.text(params, "price")
    return lambda row: wanted is None or any(item["price"]["id"] == wanted for item in row["items"]["data"])


def _invoice_subscription(params: dict[str, Any]) -> lists.Filter:
    wanted = forms.text(params, "subscription")
    return lambda row: wanted is None or invoices.subscription_of(row) == wanted


def _event_types(params: dict[str, Any]) -> lists.Filter:
    one, many = forms.text(params, "type"), forms.strings(params, "types")
    wanted = [one] if one else many
    return lambda row: (
        not wanted
        or any(row["type"] == name or (name.endswith("*") and row["type"].startswith(name[:-1])) for name in wanted)
    )


def _not_deleted(params: dict[str, Any]) -> lists.Filter:
    return lambda row: not row.get("deleted")


def _get_customer(world: World, params: dict[str, Any], object_id: str) -> Obj:
    customer = world.get("customer", object_id)
    return {"id": object_id, "object": "customer", "deleted": True} if customer.get("deleted") else customer


def _delete_customer(world: World, params: dict[str, Any], object_id: str) -> Obj:
    customer = customers.alive(world.get("customer", object_id))
    for subscription in world.store.all("subscription"):
        if subscription["customer"] == object_id and subscription["status"] in subscriptions.LIVE:
            subscriptions.cancel(world, subscription)
    return customers.delete(world, customer)


def _get_session(world: World, params: dict[str, Any], object_id: str) -> Obj:
    return checkout.current(world, world.get("checkout.session", object_id))


def _session_items(world: World, params: dict[str, Any], object_id: str) -> Obj:
    session = world.get("checkout.session", object_id)
    return lists.page(session["_line_items"]["data"], params, f"/v1/checkout/sessions/{object_id}/line_items")


def _update_session(world: World, session: Obj, params: dict[str, Any]) -> Obj:
    session["metadata"] = forms.merge_metadata(session["metadata"], params)
    return world.store.put(session)


def _pay_invoice(world: World, invoice: Obj, params: dict[str, Any]) -> Obj:
    return subscriptions.collect(world, invoice, forms.text(params, "payment_method"))


def _subscription_items(world: World, params: dict[str, Any], _: str) -> Obj:
    subscription_id = str(forms.text(params, "subscription", required=True))
    items = world.get("subscription", subscription_id, param="subscription")["items"]["data"]
    return lists.page(items, params, "/v1/subscription_items")


def _no_preview(world: World, params: dict[str, Any], _: str) -> Obj:
    raise InvalidRequest("This fake does not preview invoices yet.")


ROUTES: Routes = {
    ("POST", "/v1/customers"): _new(customers.create),
    ("GET", "/v1/customers"): _listing("customer", "/v1/customers", _not_deleted, _same("email"), lists.created),
    ("GET", "/v1/customers/{id}"): _get_customer,
    ("POST", "/v1/customers/{id}"): _change("customer", customers.update),
    ("DELETE", "/v1/customers/{id}"): _delete_customer,
    ("GET", "/v1/payment_methods/{id}"): _one("payment_method"),
    ("GET", "/v1/payment_intents/{id}"): _one("payment_intent"),
    ("GET", "/v1/payment_intents"): _listing("payment_intent", "/v1/payment_intents", _same("customer"), lists.created),
    ("POST", "/v1/products"): _new(catalog.create_product),
    ("GET", "/v1/products"): _listing("product", "/v1/products", _flag("active"), lists.created),
    ("GET", "/v1/products/{id}"): _one("product"),
    ("POST", "/v1/products/{id}"): _change("product", catalog.update_product),
    ("POST", "/v1/prices"): _new(catalog.create_price),
    ("GET", "/v1/prices"): _listing(
        "price", "/v1/prices", _flag("active"), _same("product", "type", "currency"), _lookup_keys, lists.created
    ),
    ("GET", "/v1/prices/{id}"): _one("price"),
    ("POST", "/v1/prices/{id}"): _change("price", catalog.update_price),
    ("POST", "/v1/coupons"): _new(promotions.create_coupon),
    ("GET", "/v1/coupons/{id}"): _one("coupon"),
    ("POST", "/v1/promotion_codes"): _new(promotions.create_code),
    ("GET", "/v1/promotion_codes"): _listing(
        "promotion_code", "/v1/promotion_codes", _flag("active"), _same("code", "customer"), lists.created
    ),
    ("GET", "/v1/promotion_codes/{id}"): _one("promotion_code"),
    ("POST", "/v1/checkout/sessions"): _new(checkout.create),
    ("GET", "/v1/checkout/sessions"): _listing(
        "checkout.session",
        "/v1/checkout/sessions",
        _same("customer", "subscription", "payment_intent", "status"),
        lists.created,
    ),
    ("GET", "/v1/checkout/sessions/{id}"): _get_session,
    ("POST", "/v1/checkout/sessions/{id}"): _change("checkout.session", _update_session),
    ("GET", "/v1/checkout/sessions/{id}/line_items"): _session_items,
    ("POST", "/v1/checkout/sessions/{id}/expire"): _change(
        "checkout.session", lambda world, session, params: checkout.expire(world, session)
    ),
    ("POST", "/v1/subscriptions"): _new(subscriptions.create),
    ("GET", "/v1/subscriptions"): _listing(
        "subscription", "/v1/subscriptions", _same("customer"), _subscription_status, _subscription_price, lists.created
    ),
    ("GET", "/v1/subscriptions/{id}"): _one("subscription"),
    ("POST", "/v1/subscriptions/{id}"): _change("subscription", subscriptions.update),
    ("DELETE", "/v1/subscriptions/{id}"): _change(
        "subscription", lambda world, subscription, params: subscriptions.cancel(world, subscription)
    ),
    ("GET", "/v1/subscription_items"): _subscription_items,
    ("POST", "/v1/invoices/create_preview"): _no_preview,
    ("GET", "/v1/invoices"): _listing(
        "invoice", "/v1/invoices", _same("customer", "status"), _invoice_subscription, lists.created
    ),
    ("GET", "/v1/invoices/{id}"): _one("invoice"),
    ("POST", "/v1/invoices/{id}/pay"): _change("invoice", _pay_invoice),
    ("POST", "/v1/invoices/{id}/void"): _change(
        "invoice", lambda world, invoice, params: invoices.void(world, invoice)
    ),
    ("GET", "/v1/invoice_payments"): _listing("invoice_payment", "/v1/invoice_payments", _same("invoice", "status")),
    ("GET", "/v1/invoice_payments/{id}"): _one("invoice_payment"),
    ("POST", "/v1/billing_portal/sessions"): _new(portal.create),
    ("GET", "/v1/events"): _listing("event", "/v1/events", _event_types, lists.created),
    ("GET", "/v1/events/{id}"): _one("event"),
}
