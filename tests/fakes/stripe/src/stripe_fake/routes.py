"""The API's endpoints: a method, a path and one call each. What runs round them stands in `api.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_fake import (
    catalog,
    checkout,
    clocks,
    customers,
    endpoints,
    forms,
    invoices,
    lists,
    payments,
    portal,
    previews,
    promotion_codes,
    promotions,
    subscriptions,
)
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
    def handler(world: World, params: dict[str, Any], _: str) -> Obj:
        with world.at(clocks.moment(world, params)):
            return make(world, params)

    return handler


def _change(kind: str, apply: Callable[[World, Obj, dict[str, Any]], Obj]) -> Handler:
    def handler(world: World, params: dict[str, Any], object_id: str) -> Obj:
        found = world.get(kind, object_id)
        with world.at(clocks.moment(world, found)):
            return apply(world, found, params)

    return handler


def _same(*names: str) -> Callable[[dict[str, Any]], lists.Filter]:
    return lambda params: lists.equal(params, *names)


def _flag(name: str) -> Callable[[dict[str, Any]], lists.Filter]:
    return lambda params: lists.flag(params, name)


def _clock(*others: str) -> Callable[[dict[str, Any]], lists.Filter]:
    """Objects of the clock that is named; without one, and without any of `others`, those that have no clock."""

    def make(params: dict[str, Any]) -> lists.Filter:
        wanted = forms.text(params, "test_clock")
        if wanted is None and any(forms.text(params, name) for name in others):
            return lambda row: True
        return lambda row: bool(row["test_clock"] == wanted)

    return make


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


def _pending(params: dict[str, Any]) -> lists.Filter:
    if "pending" not in params:
        return lambda row: True
    wanted = forms.boolean(params, "pending")
    return lambda row: (row["invoice"] is None) is wanted


def _not_deleted(params: dict[str, Any]) -> lists.Filter:
    return lambda row: not row.get("deleted")


def _get_customer(world: World, params: dict[str, Any], object_id: str) -> Obj:
    customer = world.get("customer", object_id)
    return {"id": object_id, "object": "customer", "deleted": True} if customer.get("deleted") else customer


def _delete_customer(world: World, customer: Obj, params: dict[str, Any]) -> Obj:
    return subscriptions.remove_customer(world, customers.alive(customer))


def _get_session(world: World, params: dict[str, Any], object_id: str) -> Obj:
    session = world.get("checkout.session", object_id)
    with world.at(clocks.moment(world, session)):
        return checkout.current(world, session)


def _session_items(world: World, params: dict[str, Any], object_id: str) -> Obj:
    session = world.get("checkout.session", object_id)
    return lists.page(session["_line_items"]["data"], params, f"/v1/checkout/sessions/{object_id}/line_items")


def _update_session(world: World, session: Obj, params: dict[str, Any]) -> Obj:
    session["metadata"] = forms.merge_metadata(session["metadata"], params)
    return world.store.put(session)


def _pay_invoice(world: World, invoice: Obj, params: dict[str, Any]) -> Obj:
    return subscriptions.collect(world, invoice, forms.text(params, "payment_method"))


def _finalize_invoice(world: World, invoice: Obj, params: dict[str, Any]) -> Obj:
    return invoices.finalize(world, invoice)


def _events(world: World, params: dict[str, Any], _: str) -> Obj:
    checks = [lists.event_types(params), lists.created(params)]
    if "delivery_success" in params:
        wanted, missed = forms.boolean(params, "delivery_success"), world.store.undelivered_events()
        checks.append(lambda row: (row["id"] not in missed) is wanted)
    rows = [row for row in world.store.all("event") if all(check(row) for check in checks)]
    return lists.page(rows, params, "/v1/events")


def _codes(world: World, params: dict[str, Any], _: str) -> Obj:
    promotion_codes.retire(world)
    filters = (_flag("active"), _same("code", "customer"), lists.created)
    return _listing("promotion_code", "/v1/promotion_codes", *filters)(world, params, _)


def _subscription_items(world: World, params: dict[str, Any], _: str) -> Obj:
    subscription_id = str(forms.text(params, "subscription", required=True))
    items = world.get("subscription", subscription_id, param="subscription")["items"]["data"]
    return lists.page(items, params, "/v1/subscription_items")


ROUTES: Routes = {
    ("POST", "/v1/customers"): _new(customers.create),
    ("GET", "/v1/customers"): _listing(
        "customer", "/v1/customers", _not_deleted, _clock(), _same("email"), lists.created
    ),
    ("GET", "/v1/customers/{id}"): _get_customer,
    ("POST", "/v1/customers/{id}"): _change("customer", customers.update),
    ("DELETE", "/v1/customers/{id}"): _change("customer", _delete_customer),
    ("GET", "/v1/payment_methods/{id}"): _one("payment_method"),
    ("GET", "/v1/payment_intents/{id}"): _one("payment_intent"),
    ("GET", "/v1/payment_intents"): _listing("payment_intent", "/v1/payment_intents", _same("customer"), lists.created),
    ("POST", "/v1/payment_intents/{id}/cancel"): _change(
        "payment_intent", lambda world, intent, params: payments.cancel(world, intent)
    ),
    ("GET", "/v1/charges"): _listing("charge", "/v1/charges", _same("customer", "payment_intent"), lists.created),
    ("GET", "/v1/charges/{id}"): _one("charge"),
    ("POST", "/v1/refunds"): _new(payments.refund),
    ("GET", "/v1/refunds"): _listing("refund", "/v1/refunds", _same("charge", "payment_intent"), lists.created),
    ("GET", "/v1/refunds/{id}"): _one("refund"),
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
    ("DELETE", "/v1/coupons/{id}"): _change("coupon", lambda world, coupon, _: promotions.delete_coupon(world, coupon)),
    ("POST", "/v1/promotion_codes/{id}"): _change("promotion_code", promotion_codes.update),
    ("POST", "/v1/promotion_codes"): _new(promotion_codes.create),
    ("GET", "/v1/promotion_codes"): _codes,
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
        "subscription",
        "/v1/subscriptions",
        _clock("customer"),
        _same("customer"),
        _subscription_status,
        _subscription_price,
        lists.created,
    ),
    ("GET", "/v1/subscriptions/{id}"): _one("subscription"),
    ("POST", "/v1/subscriptions/{id}"): _change("subscription", subscriptions.update),
    ("DELETE", "/v1/subscriptions/{id}"): _change(
        "subscription", lambda world, subscription, params: subscriptions.cancel(world, subscription, params)
    ),
    ("GET", "/v1/subscription_items"): _subscription_items,
    ("GET", "/v1/invoiceitems"): _listing(
        "invoiceitem", "/v1/invoiceitems", _pending, _same("customer"), lists.created
    ),
    ("GET", "/v1/invoiceitems/{id}"): _one("invoiceitem"),
    ("POST", "/v1/invoices/create_preview"): _new(previews.create),
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
    ("POST", "/v1/invoices/{id}/finalize"): _change("invoice", _finalize_invoice),
    ("POST", "/v1/test_helpers/test_clocks"): _new(clocks.create),
    ("GET", "/v1/test_helpers/test_clocks"): _listing(clocks.KIND, "/v1/test_helpers/test_clocks"),
    ("GET", "/v1/test_helpers/test_clocks/{id}"): _one(clocks.KIND),
    ("DELETE", "/v1/test_helpers/test_clocks/{id}"): _change(
        clocks.KIND, lambda world, clock, params: clocks.delete(world, clock)
    ),
    ("POST", "/v1/test_helpers/test_clocks/{id}/advance"): _change(clocks.KIND, clocks.advance),
    ("POST", "/v1/billing_portal/sessions"): _new(portal.create),
    ("POST", "/v1/webhook_endpoints"): _new(endpoints.create),
    ("GET", "/v1/webhook_endpoints"): _listing(endpoints.KIND, "/v1/webhook_endpoints"),
    ("GET", "/v1/webhook_endpoints/{id}"): _one(endpoints.KIND),
    ("POST", "/v1/webhook_endpoints/{id}"): _change(endpoints.KIND, endpoints.update),
    ("DELETE", "/v1/webhook_endpoints/{id}"): _change(
        endpoints.KIND, lambda world, endpoint, params: endpoints.delete(world, endpoint)
    ),
    ("GET", "/v1/events"): _events,
    ("GET", "/v1/events/{id}"): _one("event"),
}
