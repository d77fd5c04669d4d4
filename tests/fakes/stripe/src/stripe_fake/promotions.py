"""Coupons, and what the discounts made of them take off a total."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms, periods
from stripe_fake.errors import InvalidRequest, MissingObject
from stripe_fake.invoice_lines import Off
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id


def create_coupon(world: World, params: dict[str, Any]) -> Obj:
    """Either a percentage or an amount."""
    percent, amount = forms.text(params, "percent_off"), forms.text(params, "amount_off")
    if (percent is None) == (amount is None):
        raise InvalidRequest("You must pass either percent_off or amount_off.", param="percent_off")
    coupon_id = forms.text(params, "id") or new_id("x", 8)[2:]
    if world.store.find(coupon_id):
        raise InvalidRequest("Coupon already exists.", param="id", code="resource_already_exists")
    duration = forms.text(params, "duration") or "once"
    if duration not in ("once", "repeating", "forever"):
        raise InvalidRequest("Invalid duration: must be one of forever, once, or repeating", param="duration")
    coupon = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": forms.integer(params, "amount_off", default=0, low=1, high=99_999_999) if amount else None,
        "created": world.now(),
        "currency": forms.text(params, "currency"),
        "duration": duration,
        "duration_in_months": forms.integer(params, "duration_in_months", default=1, low=1, high=120)
        if duration == "repeating"
        else None,
        "livemode": False,
        "max_redemptions": forms.optional_integer(params, "max_redemptions", low=1, high=2**31),
        "metadata": forms.merge_metadata({}, params),
        "name": forms.text(params, "name"),
        "percent_off": _percent(percent) if percent else None,
        "redeem_by": forms.optional_integer(params, "redeem_by", low=1, high=2**40),
        "times_redeemed": 0,
        "valid": True,
    }
    world.store.put(coupon)
    world.emit("coupon.created", coupon)
    return coupon


def taken_off(world: World, discounts: list[Obj], amount: int) -> int:
    """How much the discounts of a checkout session take off an amount; never more than it."""
    left = amount
    for discount in discounts:
        left -= _share(world.get("coupon", discount["coupon"]), left)
    return amount - max(left, 0)


def grant(world: World, subscription_id: str, customer_id: str, row: Obj) -> str:
    """Give a subscription the discount that its checkout had; returns the discount's id."""
    coupon = world.get("coupon", row["coupon"])
    months = coupon["duration_in_months"]
    discount = {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": customer_id,
        "end": periods.add(world.now(), "month", months, world.now()) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": row["promotion_code"],
        "source": {"coupon": row["coupon"], "type": "coupon"},
        "start": world.now(),
        "subscription": subscription_id,
        "subscription_item": None,
    }
    return str(world.store.put(discount)["id"])


def redeem(world: World, rows: list[Obj]) -> None:
    """Count a use of each coupon and code."""
    for row in rows:
        for kind, object_id in (("coupon", row["coupon"]), ("promotion_code", row["promotion_code"])):
            if object_id:
                found = world.get(kind, object_id)
                found["times_redeemed"] += 1
                world.store.put(found)


def offs(world: World, subscription: Obj, amount: int) -> list[Off]:
    """What each discount of a subscription takes off a bill of this amount."""
    found, left = [], amount
    for discount in _live(world, subscription):
        share = min(_share(_coupon(world, discount), left), max(left, 0))
        found.append(Off(discount["id"], share))
        left -= share
    return found


def previewed(world: World, rows: list[Obj], amount: int) -> list[Off]:
    """The same for discounts that nobody has been given."""
    return [Off(None, taken_off(world, rows, amount))] if rows else []


def lasting_share(world: World, subscription: Obj, amount: int) -> int:
    """What the percentages that last take off a part of a period."""
    left = amount
    for discount in _live(world, subscription):
        coupon = _coupon(world, discount)
        if coupon["duration"] != "once" and coupon["percent_off"]:
            left -= _share(coupon, left)
    return amount - left


def spend(world: World, subscription: Obj) -> None:
    """Take the discounts that are used up off the subscription; the caller stores it."""
    lasting = [row for row in _live(world, subscription) if _coupon(world, row)["duration"] != "once"]
    subscription["discounts"] = [row["id"] for row in lasting]


def _live(world: World, subscription: Obj) -> list[Obj]:
    found = [world.get("discount", discount_id) for discount_id in subscription["discounts"]]
    return [row for row in found if row["end"] is None or row["end"] > world.now()]


def _coupon(world: World, discount: Obj) -> Obj:
    return world.get("coupon", discount["source"]["coupon"])


def _share(coupon: Obj, amount: int) -> int:
    return round(amount * coupon["percent_off"] / 100) if coupon["percent_off"] else int(coupon["amount_off"])


def delete_coupon(world: World, coupon: Obj) -> Obj:
    """Nobody gets it any more; who has it keeps it."""
    coupon.update(valid=False, _deleted=True)
    world.store.put(coupon)
    world.emit("coupon.deleted", coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def usable_coupon(world: World, coupon_id: str, param: str) -> Obj:
    """A coupon that may be given to somebody now."""
    coupon = world.get("coupon", coupon_id, param=param)
    if coupon.get("_deleted"):
        raise MissingObject("coupon", coupon_id, param=param)
    spent = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    late = coupon["redeem_by"] is not None and coupon["redeem_by"] <= world.now()
    if spent or late:
        raise InvalidRequest(f"Coupon expired: {coupon_id}", param=param, code="coupon_expired")
    return coupon


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"Invalid decimal: {text}", param="percent_off") from None
    if not 0 < value <= 100:
        raise InvalidRequest("percent_off must be above 0 and at most 100.", param="percent_off")
    return value
