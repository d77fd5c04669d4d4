"""Promotion codes: what a buyer types, or a seller names, to have a coupon."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms, promotions
from stripe_fake.errors import InvalidRequest, StripeError
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_EXPIRED = "This code has expired."
_INVALID = "This code is invalid."


def create(world: World, params: dict[str, Any]) -> Obj:
    """A code for the coupon that `promotion[coupon]` names."""
    promotion = forms.mapping(params, "promotion")
    coupon_id = str(forms.text(promotion, "coupon", required=True))
    coupon = promotions.usable_coupon(world, coupon_id, "promotion[coupon]")
    text = (forms.text(params, "code") or new_id("x", 8)[2:]).upper()
    if any(code["code"].upper() == text and code["active"] for code in world.store.all("promotion_code")):
        raise InvalidRequest(f"An active promotion code with `code: {text}` already exists.", param="code")
    limits = forms.mapping(params, "restrictions")
    code = {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": forms.boolean(params, "active", default=True),
        "code": text,
        "created": world.now(),
        "customer": forms.text(params, "customer"),
        "expires_at": forms.optional_integer(params, "expires_at", low=1, high=2**40),
        "livemode": False,
        "max_redemptions": forms.optional_integer(params, "max_redemptions", low=1, high=2**31),
        "metadata": forms.merge_metadata({}, params),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": forms.boolean(limits, "first_time_transaction"),
            "minimum_amount": forms.optional_integer(limits, "minimum_amount", low=1, high=99_999_999),
            "minimum_amount_currency": forms.text(limits, "minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    world.store.put(code)
    world.emit("promotion_code.created", code)
    return code


def update(world: World, code: Obj, params: dict[str, Any]) -> Obj:
    """Switch it off or on."""
    code["active"] = forms.boolean(params, "active", default=code["active"])
    code["metadata"] = forms.merge_metadata(code["metadata"], params)
    world.store.put(code)
    world.emit("promotion_code.updated", code)
    return code


def resolve(world: World, rows: list[dict[str, Any]], customer_id: str | None = None) -> list[Obj]:
    """The `discounts` of a request: at most one coupon or promotion code, which may be used now."""
    if len(rows) > 1:
        raise InvalidRequest("You may only specify one coupon or promotion code.", param="discounts")
    found = []
    for row in rows:
        code_id, coupon_id = forms.text(row, "promotion_code"), forms.text(row, "coupon")
        if code_id:
            code = world.get("promotion_code", code_id, param="discounts[0][promotion_code]")
            _check(world, code, customer_id)
            coupon_id = code["promotion"]["coupon"]
        promotions.usable_coupon(world, str(coupon_id), "discounts[0][coupon]")
        found.append({"coupon": coupon_id, "promotion_code": code_id})
    return found


def typed(world: World, text: str, customer_id: str | None, amount: int) -> list[Obj]:
    """The discount for what a buyer typed, or the refusal that they read."""
    wanted = text.strip().upper()
    code = next((row for row in world.store.all("promotion_code") if row["code"].upper() == wanted), None)
    if code is None:
        raise InvalidRequest(_INVALID, param="promotion_code")
    _check(world, code, customer_id)
    least = code["restrictions"]["minimum_amount"]
    if least is not None and amount < least:
        raise InvalidRequest("This code needs a larger order.", param="promotion_code")
    coupon_id = code["promotion"]["coupon"]
    try:
        promotions.usable_coupon(world, coupon_id, "promotion_code")
    except StripeError:
        raise InvalidRequest(_EXPIRED, param="promotion_code") from None
    return [{"coupon": coupon_id, "promotion_code": code["id"]}]


def _check(world: World, code: Obj, customer_id: str | None) -> None:
    spent = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    late = code["expires_at"] is not None and code["expires_at"] <= world.now()
    if late or spent:
        raise InvalidRequest(_EXPIRED, param="discounts[0][promotion_code]", code="promotion_code_expired")
    if not code["active"] or code["customer"] not in (None, customer_id):
        raise InvalidRequest(_INVALID, param="discounts[0][promotion_code]")
    bought = any(row["customer"] == customer_id and row["amount_paid"] for row in world.store.all("invoice"))
    if code["restrictions"]["first_time_transaction"] and customer_id and bought:
        raise InvalidRequest(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            param="discounts[0][promotion_code]",
        )


def retire(world: World) -> None:
    """Switch off the codes that nobody can use any more, as Stripe does by itself."""
    for code in world.store.all("promotion_code"):
        spent = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
        late = code["expires_at"] is not None and code["expires_at"] <= world.now()
        gone = world.get("coupon", code["promotion"]["coupon"]).get("_deleted")
        if code["active"] and (spent or late or gone):
            world.store.put({**code, "active": False})
