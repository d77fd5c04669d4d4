"""Test clocks: time that stands still until it is told to pass, for the customers that are tied to one."""

from __future__ import annotations

from typing import Any

from stripe_fake import customers, forms, passing, subscriptions
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

KIND = "test_helpers.test_clock"
_DAY = 86_400
_LENGTH = {"day": _DAY, "week": 7 * _DAY, "month": 31 * _DAY, "year": 366 * _DAY}
_KEPT = 30 * _DAY


def create(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/test_helpers/test_clocks`; a `customer` that exists already is tied to it, with all it has."""
    forms.text(params, "frozen_time", required=True)
    clock: Obj = {
        "id": new_id("clock"),
        "object": KIND,
        "created": world.now(),
        "deletes_after": world.now() + _KEPT,
        "frozen_time": forms.integer(params, "frozen_time", default=0, low=1, high=2**40),
        "livemode": False,
        "name": forms.text(params, "name"),
        "status": "ready",
        "status_details": {},
    }
    world.store.put(clock)
    customer_id = forms.text(params, "customer")
    if customer_id:
        _tie(world, clock, customers.alive(world.get("customer", customer_id, param="customer"), "customer"))
    world.emit("test_helpers.test_clock.created", clock)
    return clock


def _tie(world: World, clock: Obj, customer: Obj) -> None:
    if customer["test_clock"]:
        raise InvalidRequest("This customer is attached to a test clock already.", param="customer")
    customer["test_clock"] = clock["id"]
    world.store.put(customer)
    for kind in ("subscription", "invoice", "invoiceitem"):
        for row in world.store.all(kind):
            if row["customer"] == customer["id"]:
                world.store.put({**row, "test_clock": clock["id"]})


def moment(world: World, thing: Obj) -> int | None:
    """What the clock shows that an object, or a request's parameters, belong to; None without one."""
    clock_id = thing.get("test_clock")
    if not clock_id:
        customer_id = thing.get("id") if thing.get("object") == "customer" else thing.get("customer")
        if not customer_id and thing.get("subscription"):
            subscription = world.store.get("subscription", str(thing["subscription"]))
            customer_id = subscription and subscription["customer"]
        customer = world.store.get("customer", str(customer_id)) if customer_id else None
        clock_id = customer and customer.get("test_clock")
    clock = world.store.get(KIND, str(clock_id)) if clock_id else None
    return None if clock is None else int(clock["frozen_time"])


def advance(world: World, clock: Obj, params: dict[str, Any]) -> Obj:
    """Let time pass: everything that comes due happens in its order, at its moment.

    The answer still says `advancing`, as Stripe's does; by the time that the clock is read again it is `ready`.
    """
    forms.text(params, "frozen_time", required=True)
    target = forms.integer(params, "frozen_time", default=0, low=0, high=2**40)
    owned = [row for row in world.store.all("subscription") if row["test_clock"] == clock["id"]]
    if target <= clock["frozen_time"]:
        raise InvalidRequest(
            "Cannot advance a test clock to a time that is not after its current frozen time.", param="frozen_time"
        )
    if target > clock["frozen_time"] + _furthest(owned):
        raise InvalidRequest(
            "Cannot advance a test clock by more than two intervals of its shortest subscription at a time.",
            param="frozen_time",
        )
    shown = {**clock, "status": "advancing", "status_details": {"advancing": {"target_frozen_time": target}}}
    world.emit("test_helpers.test_clock.advancing", shown)

    def owns(row: Obj) -> bool:
        return bool(row["test_clock"] == clock["id"])

    for at in passing.run(world, owns, target):
        world.store.put({**clock, "frozen_time": at})
    clock["frozen_time"] = target
    world.store.put(clock)
    world.emit("test_helpers.test_clock.ready", clock)
    return shown


def _furthest(owned: list[Obj]) -> int:
    """Two of the shortest intervals, two years without a subscription."""
    lengths: list[int] = [
        _LENGTH[item["price"]["recurring"]["interval"]] * item["price"]["recurring"]["interval_count"]
        for row in owned
        if row["status"] in subscriptions.LIVE
        for item in row["items"]["data"]
    ]
    # A trial may be longer than what follows it.
    trials: list[int] = [row["trial_end"] - row["trial_start"] for row in owned if row["status"] == "trialing"]
    return max([2 * min(lengths, default=_LENGTH["year"]), *trials])


def delete(world: World, clock: Obj) -> Obj:
    """The clock goes, and with it its customers and what they have."""
    for customer in world.store.all("customer"):
        if customer.get("test_clock") == clock["id"] and not customer.get("deleted"):
            subscriptions.remove_customer(world, customer)
    world.store.remove(clock["id"])
    world.emit("test_helpers.test_clock.deleted", clock)
    return {"id": clock["id"], "object": KIND, "deleted": True}
