"""The control API below `/_fake/`: make things happen, make them go wrong, look at what was delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_fake import catalog, checkout, customers, invoices, subscriptions
from stripe_fake.errors import InvalidRequest, StripeError
from stripe_fake.faults import Faults
from stripe_fake.store import Obj
from stripe_fake.world import World

_CARD = "4242424242424242"


def control_routes(world: World) -> list[Route]:
    """GET health, deliveries, faults; POST trigger, faults, resend, reset. Bodies are JSON."""

    def get(path: str, make: Callable[[], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            return JSONResponse(make())

        return Route(path, endpoint, methods=["GET"])

    def post(path: str, act: Callable[[World, Request, dict[str, Any]], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            try:
                body = json.loads(raw or b"{}")
                if not isinstance(body, dict):
                    raise InvalidRequest("The body must be a JSON object.")
                result = act(world, request, body)
                world.store.commit()
                return JSONResponse(result)
            except json.JSONDecodeError as problem:
                return JSONResponse({"error": {"message": f"The body is not JSON: {problem}"}}, 400)
            except StripeError as refusal:
                world.store.rollback()
                return JSONResponse(refusal.body(), refusal.status)
            finally:
                world.wake.set()

        return Route(path, endpoint, methods=["POST"])

    async def reset(request: Request) -> Response:
        return await _reset(world)

    return [
        get("/_fake/health", lambda: {"status": "ok"}),
        get("/_fake/deliveries", lambda: {"items": world.store.deliveries()}),
        get("/_fake/faults", world.faults.as_dict),
        get("/_fake/triggers", lambda: {"items": sorted(TRIGGERS)}),
        post("/_fake/trigger/{name}", _trigger),
        post("/_fake/faults", _set_faults),
        post("/_fake/resend/{event_id}", _resend),
        Route("/_fake/reset", reset, methods=["POST"]),
    ]


def _trigger(world: World, request: Request, body: dict[str, Any]) -> Any:
    name = request.path_params["name"]
    action = TRIGGERS.get(name)
    if action is None:
        raise InvalidRequest(f"Unknown trigger {name!r}. Known: {', '.join(sorted(TRIGGERS))}.", param="name")
    before = {event["id"] for event in world.store.all("event")}
    action(world, body)
    fresh = [event for event in world.store.all("event") if event["id"] not in before]
    return {"events": [{"id": event["id"], "type": event["type"]} for event in reversed(fresh)]}


def _set_faults(world: World, request: Request, body: dict[str, Any]) -> Any:
    known = Faults().as_dict()
    for name, value in body.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise InvalidRequest(f"Faults are numbers, 0 or more, named {', '.join(known)}.", param=name)
        setattr(world.faults, name, float(value) if name == "delay_seconds" else int(value))
    return world.faults.as_dict()


def _resend(world: World, request: Request, body: dict[str, Any]) -> Any:
    event = world.get("event", request.path_params["event_id"])
    world.deliver(event)
    return {"id": event["id"], "type": event["type"]}


async def _reset(world: World) -> Response:
    async with world.sending:  # so that nothing of the old world arrives after the answer
        world.store.wipe()
        for name, value in Faults().as_dict().items():
            setattr(world.faults, name, value)
        catalog.install_presets(world)
    return JSONResponse({"status": "reset"})


# ---------------------------------------------------------------------- triggers


def _target(world: World, body: dict[str, Any]) -> Obj:
    """The subscription that the body names, else the newest live one: of the customer it names, or of all."""
    if body.get("subscription"):
        return world.get("subscription", str(body["subscription"]), param="subscription")
    customer = body.get("customer")
    for subscription in world.store.all("subscription"):
        if subscription["status"] in subscriptions.LIVE and customer in (None, subscription["customer"]):
            return subscription
    raise InvalidRequest("There is no live subscription to act on; complete a checkout first.", param="subscription")


def _open_invoice(world: World, subscription: Obj) -> Obj | None:
    for invoice in world.store.all("invoice"):
        if invoices.subscription_of(invoice) == subscription["id"] and invoice["status"] == "open":
            return invoice
    return None


def _payment_failed(world: World, body: dict[str, Any]) -> None:
    """The renewal is not paid: the open invoice is tried again in vain, or the next period's is."""
    subscription = _target(world, body)
    invoice = _open_invoice(world, subscription)
    if invoice is None:
        subscriptions.renew(world, subscription, works=False)
    else:
        invoices.fail(world, invoice, subscription["default_payment_method"])


def _paid(world: World, body: dict[str, Any]) -> None:
    """The open invoice is paid after all, or the next period is begun and paid."""
    subscription = _target(world, body)
    invoice = _open_invoice(world, subscription)
    if invoice is None:
        subscriptions.renew(world, subscription, works=True)
        return
    invoices.pay(world, invoice, subscription["default_payment_method"])
    subscriptions.set_status(world, subscription, "active")


def _updated(world: World, body: dict[str, Any]) -> None:
    """The update is told again; with `quantity` or `price` the first item changes first."""
    subscription = _target(world, body)
    changes = {name: str(body[name]) for name in ("quantity", "price") if name in body}
    if changes:
        item = subscription["items"]["data"][0]["id"]
        subscriptions.update(world, subscription, {"items": [{"id": item, **changes}]})
    else:
        world.emit("customer.subscription.updated", subscription, {})


def _deleted(world: World, body: dict[str, Any]) -> None:
    """The subscription ends now."""
    subscriptions.cancel(world, _target(world, body))


def _checkout(world: World, body: dict[str, Any]) -> None:
    """A whole purchase without the page: `price`, `quantity`, `email`, `customer`, `metadata`."""
    price = catalog.usable_price(world, str(body.get("price", "price_pro_monthly")), "price")
    mode = "subscription" if price["recurring"] else "payment"
    metadata = {str(key): str(value) for key, value in dict(body.get("metadata", {})).items()}
    params: dict[str, Any] = {
        "mode": mode,
        "success_url": world.config.public_url,
        "line_items": [{"price": price["id"], "quantity": str(body.get("quantity", 1))}],
        "metadata": metadata,
        "subscription_data": {"metadata": metadata},
        "customer": body.get("customer"),
        "customer_creation": "always",
    }
    checkout.complete(world, checkout.create(world, params), str(body.get("email", "buyer@example.com")), _CARD)


def _session_expired(world: World, body: dict[str, Any]) -> None:
    for session in world.store.all("checkout.session"):
        if session["status"] == "open" and body.get("session") in (None, session["id"]):
            checkout.expire(world, session)
            return
    raise InvalidRequest("There is no open checkout session.", param="session")


def _customer_created(world: World, body: dict[str, Any]) -> None:
    customers.create(world, {"email": str(body.get("email", "buyer@example.com"))})


TRIGGERS: dict[str, Callable[[World, dict[str, Any]], None]] = {
    "checkout.session.completed": _checkout,
    "checkout.session.expired": _session_expired,
    "customer.created": _customer_created,
    "customer.subscription.created": _checkout,
    "customer.subscription.deleted": _deleted,
    "customer.subscription.updated": _updated,
    "invoice.paid": _paid,
    "invoice.payment_failed": _payment_failed,
    "invoice.payment_succeeded": _paid,
}
