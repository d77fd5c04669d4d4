"""Products and prices, and the ones that stand ready at the start."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_PRESET_PRODUCTS = {
    "prod_pro": ("Bidwright Pro", "Plan, draft and revise with the AI, per seat."),
    "prod_enterprise": ("Bidwright Enterprise", "No monthly cap on proposals, higher limits, per seat."),
    "prod_bundle_1": ("1 extra proposal", "Used after the monthly cap; lasts until used."),
    "prod_bundle_10": ("10 extra proposals", "Used after the monthly cap; last until used."),
    "prod_bundle_25": ("25 extra proposals", "Used after the monthly cap; last until used."),
}
_PRESET_PRICES: dict[str, tuple[str, int, str | None]] = {
    "price_pro_monthly": ("prod_pro", 2900, "month"),
    "price_pro_yearly": ("prod_pro", 29000, "year"),
    "price_enterprise_monthly": ("prod_enterprise", 9900, "month"),
    "price_bundle_1": ("prod_bundle_1", 900, None),
    "price_bundle_10": ("prod_bundle_10", 7900, None),
    "price_bundle_25": ("prod_bundle_25", 17900, None),
}


def install_presets(world: World) -> None:
    """Make the preset products and prices where they are missing; no events, they have always been there."""
    for product_id, (name, description) in _PRESET_PRODUCTS.items():
        if world.store.get("product", product_id) is None:
            world.store.put(_product(world, product_id, name, description, {}))
    for price_id, (product_id, amount, interval) in _PRESET_PRICES.items():
        if world.store.get("price", price_id) is None:
            world.store.put(
                _price(world, price_id, product_id, amount, "usd", interval, lookup=price_id.removeprefix("price_"))
            )
    world.store.commit()


def _product(world: World, product_id: str, name: str, description: str | None, metadata: dict[str, str]) -> Obj:
    now = world.now()
    return {
        "id": product_id,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": metadata,
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }


def _price(
    world: World,
    price_id: str,
    product_id: str,
    amount: int,
    currency: str,
    interval: str | None,
    *,
    interval_count: int = 1,
    lookup: str | None = None,
    nickname: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Obj:
    recurring = {
        "interval": interval,
        "interval_count": interval_count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": price_id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": lookup,
        "metadata": metadata or {},
        "nickname": nickname,
        "product": product_id,
        "recurring": recurring if interval else None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if interval else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def plan_of(price: Obj) -> Obj:
    """The older `plan` object that a subscription item still carries beside its price."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def create_product(world: World, params: dict[str, Any]) -> Obj:
    name = forms.text(params, "name", required=True)
    product_id = forms.text(params, "id") or new_id("prod", 14)
    if world.store.find(product_id):
        raise InvalidRequest("Product already exists.", param="id", code="resource_already_exists")
    product = _product(
        world, product_id, str(name), forms.text(params, "description"), forms.merge_metadata({}, params)
    )
    world.store.put(product)
    world.emit("product.created", product)
    return product


def update_product(world: World, product: Obj, params: dict[str, Any]) -> Obj:
    for name in ("name", "description"):
        if name in params:
            product[name] = forms.text(params, name)
    product["active"] = forms.boolean(params, "active", default=product["active"])
    product["metadata"] = forms.merge_metadata(product["metadata"], params)
    product["updated"] = world.now()
    world.store.put(product)
    world.emit("product.updated", product)
    return product


def create_price(world: World, params: dict[str, Any]) -> Obj:
    product_id = str(forms.text(params, "product", required=True))
    world.get("product", product_id, param="product")
    lookup = forms.text(params, "lookup_key")
    if lookup and any(price["lookup_key"] == lookup for price in world.store.all("price")):
        raise InvalidRequest(f"A price already uses the lookup key `{lookup}`.", param="lookup_key")
    recurring = forms.mapping(params, "recurring")
    interval = forms.text(recurring, "interval", required=True) if recurring else None
    if interval not in (None, "day", "week", "month", "year"):
        raise InvalidRequest(
            "Invalid recurring[interval]: must be one of day, month, week, or year", param="recurring[interval]"
        )
    price = _price(
        world,
        new_id("price"),
        product_id,
        forms.integer(params, "unit_amount", default=0, low=0, high=99_999_999),
        str(forms.text(params, "currency", required=True)).lower(),
        interval,
        interval_count=forms.integer(recurring, "interval_count", default=1, low=1, high=36),
        lookup=lookup,
        nickname=forms.text(params, "nickname"),
        metadata=forms.merge_metadata({}, params),
    )
    world.store.put(price)
    world.emit("price.created", price)
    return price


def update_price(world: World, price: Obj, params: dict[str, Any]) -> Obj:
    price["active"] = forms.boolean(params, "active", default=price["active"])
    for name in ("nickname", "lookup_key"):
        if name in params:
            price[name] = forms.text(params, name)
    price["metadata"] = forms.merge_metadata(price["metadata"], params)
    world.store.put(price)
    world.emit("price.updated", price)
    return price


def usable_price(world: World, price_id: str, param: str) -> Obj:
    """A price that may be sold now."""
    price = world.get("price", price_id, param=param)
    if not price["active"]:
        raise InvalidRequest("The price specified is inactive. This field only accepts active prices.", param=param)
    return price
