"""What we read of Stripe's objects, parsed at the border: from a webhook's body or from the API alike.

The field names are those of API version 2026-10-28.endive, which the SDK pins: https://docs.stripe.com/api.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from billing.domain import PriceBook, SubscriptionState
from billing.errors import InvalidPayload

T = TypeVar("T")


def _id_of(value: Any) -> Any:
    """Stripe gives an id, or the object itself when it was expanded."""
    return value.get("id") if isinstance(value, dict) else value


Reference = Annotated[str | None, BeforeValidator(_id_of)]


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _List(_Object, Generic[T]):
    data: list[T] = Field(default_factory=list)


class _Price(_Object):
    id: str


class _Item(_Object):
    price: _Price | None = None
    quantity: int | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None


class _Coupon(_Object):
    name: str | None = None
    id: str


class _DiscountSource(_Object):
    coupon: Annotated[_Coupon | str | None, Field(union_mode="left_to_right")] = None


class _Discount(_Object):
    source: _DiscountSource | None = None


class Subscription(_Object):
    """https://docs.stripe.com/api/subscriptions/object"""

    id: str
    customer: Reference = None
    status: str
    cancel_at_period_end: bool = False
    items: _List[_Item] = Field(default_factory=_List[_Item])
    metadata: dict[str, str] = Field(default_factory=dict)
    discounts: list[_Discount | str] = Field(default_factory=list)

    def state(self, prices: PriceBook) -> SubscriptionState:
        """What matters of it here; of several items, the one with a price of ours."""
        named = [(item, prices.name_of(item.price.id if item.price else None)) for item in self.items.data]
        item, price = next(((item, name) for item, name in named if name), named[0] if named else (_Item(), None))
        return SubscriptionState(
            subscription_id=self.id,
            customer_id=self.customer,
            status=self.status,
            price=price,
            seats=item.quantity,
            cancel_at_period_end=self.cancel_at_period_end,
            period_start=item.current_period_start,
            period_end=item.current_period_end,
            discount=self._discount(),
        )

    def _discount(self) -> str | None:
        for discount in self.discounts:
            if isinstance(discount, _Discount) and discount.source and isinstance(discount.source.coupon, _Coupon):
                return discount.source.coupon.name or discount.source.coupon.id
        return None


class CheckoutSession(_Object):
    """https://docs.stripe.com/api/checkout/sessions/object"""

    id: str
    mode: str
    payment_status: str
    customer: Reference = None
    subscription: Reference = None
    invoice: Reference = None
    client_reference_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    url: str | None = None


class _SubscriptionDetails(_Object):
    subscription: Reference = None
    metadata: dict[str, str] | None = None


class _Parent(_Object):
    subscription_details: _SubscriptionDetails | None = None


class _PriceDetails(_Object):
    price: Reference = None


class _Pricing(_Object):
    price_details: _PriceDetails | None = None


class _Line(_Object):
    quantity: int | None = None
    pricing: _Pricing | None = None


class Invoice(_Object):
    """https://docs.stripe.com/api/invoices/object"""

    id: str
    customer: Reference = None
    status: str | None = None
    number: str | None = None
    currency: str = ""
    total: int = 0
    created: datetime
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    metadata: dict[str, str] | None = None
    parent: _Parent | None = None
    lines: _List[_Line] = Field(default_factory=_List[_Line])

    @property
    def subscription_id(self) -> str | None:
        """The subscription that it is for."""
        details = self.parent.subscription_details if self.parent else None
        return details.subscription if details else None

    @property
    def all_metadata(self) -> dict[str, str]:
        """Its own metadata, and its subscription's under it."""
        details = self.parent.subscription_details if self.parent else None
        return {**((details.metadata if details else None) or {}), **(self.metadata or {})}

    def prices(self) -> list[tuple[str, int]]:
        """Price ids and quantities of its lines."""
        found = []
        for line in self.lines.data:
            if line.pricing and line.pricing.price_details and line.pricing.price_details.price:
                found.append((line.pricing.price_details.price, line.quantity or 1))
        return found


class _EventData(_Object):
    object: dict[str, Any]


class Event(_Object):
    """https://docs.stripe.com/api/events/object"""

    id: str = Field(min_length=1, max_length=255)
    type: str = Field(min_length=1, max_length=255)
    created: datetime
    data: _EventData

    @classmethod
    def parse(cls, body: bytes) -> Event:
        """The event in a webhook's body; raises InvalidPayload."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise InvalidPayload from error
