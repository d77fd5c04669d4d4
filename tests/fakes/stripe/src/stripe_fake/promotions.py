"""Coupons and promotion codes, and what they take off a total."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms
from stripe_fake.errors import InvalidRequest
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
    coupon = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": forms.integer(params, "amount_off", default=0, low=1, high=99_999_999) if amount else None,
        "created": world.now(),
        "currency": forms.text(params, "currency"),
        "duration": forms.text(params, "duration") or "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": forms.merge_metadata({}, params),
        "name": forms.text(params, "name"),
        "percent_off": _percent(percent) if percent else None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }
    world.store.put(coupon)
    world.emit("coupon.created", coupon)
    return coupon


def create_code(world: World, params: dict[str, Any]) -> Obj:
    """A code that buyers type, for a coupon named by `promotion[coupon]`."""
    promotion = forms.mapping(params, "promotion")
    coupon = world.get("coupon", str(forms.text(promotion, "coupon", required=True)), param="promotion[coupon]")
    text = (forms.text(params, "code") or new_id("x", 8)[2:]).upper()
    if any(code["code"].upper() == text and code["active"] for code in world.store.all("promotion_code")):
        raise InvalidRequest(f"An active promotion code with `code: {text}` already exists.", param="code")
    code = {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": True,
        "code": text,
        "created": world.now(),
        "customer": forms.text(params, "customer"),
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": forms.merge_metadata({}, params),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    }
    world.store.put(code)
    world.emit("promotion_code.created", code)
    return code


def resolve(world: World, rows: list[dict[str, Any]]) -> list[Obj]:
    """The `discounts` of a checkout session: at most one coupon or promotion code."""
    if len(rows) > 1:
        raise InvalidRequest("You may only specify one coupon or promotion code.", param="discounts")
    found = []
    for row in rows:
        code_id, coupon_id = forms.text(row, "promotion_code"), forms.text(row, "coupon")
        if code_id:
            code = world.get("promotion_code", code_id, param="discounts[0][promotion_code]")
            coupon_id = code["promotion"]["coupon"]
        world.get("coupon", str(coupon_id), param="discounts[0][coupon]")
        found.append({"coupon": coupon_id, "promotion_code": code_id})
    return found


def taken_off(world: World, discounts: list[Obj], amount: int) -> int:
    """How much the discounts take off an amount; never more than it."""
    left = amount
    for discount in discounts:
        coupon = world.get("coupon", discount["coupon"])
        left -= round(left * coupon["percent_off"] / 100) if coupon["percent_off"] else coupon["amount_off"]
    return amount - max(left, 0)


def grant(world: World, subscription_id: str, customer_id: str, row: Obj) -> str:
    """Give a subscription the discount that its checkout had; returns the discount's id."""
    discount = {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": customer_id,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": row["promotion_code"],
        "source": {"coupon": row["coupon"], "type": "coupon"},
        "start": world.now(),
        "subscription": subscription_id,
        "subscription_item": None,
    }
    return str(world.store.put(discount)["id"])


def use(world: World, subscription: Obj, amount: int) -> int:
    """What the discounts take off this bill; those for one bill only are gone afterwards."""
    found = [world.get("discount", discount_id) for discount_id in subscription["discounts"]]
    off = taken_off(world, [{"coupon": row["source"]["coupon"]} for row in found], amount)
    subscription["discounts"] = [
        row["id"] for row in found if world.get("coupon", row["source"]["coupon"])["duration"] != "once"
    ]
    return off


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"Invalid decimal: {text}", param="percent_off") from None
    if not 0 < value <= 100:
        raise InvalidRequest("percent_off must be above 0 and at most 100.", param="percent_off")
    return value
