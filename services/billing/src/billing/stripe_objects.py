"""What we read of Stripe's objects, parsed at the border: from a webhook's body or from the API alike.

The field names are those of API version 2026-10-28.endive, which the SDK pins: https://docs.stripe.com/api.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from billing.domain import ENDED_STATUSES, PriceBook, SubscriptionState
from billing.errors import InvalidPayload
from billing.history import Report

T = TypeVar("T")


def _id_of(value: Any) -> Any:
    """Stripe gives an id, or the object itself when it was expanded."""
    return value.get("id") if isinstance(value, dict) else value


Reference = Annotated[str | None, BeforeValidator(_id_of)]


# PostgreSQL's text holds no NUL.
Id = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _List(_Object, Generic[T]):
    data: list[T] = Field(default_factory=list)


class _Price(_Object):
    id: str


class _Item(_Object):
    price: _Price | None = None
    quantity: int | None = None
    current_period_start: AwareDatetime | None = None
    current_period_end: AwareDatetime | None = None


class _Coupon(_Object):
    name: str | None = None
    id: str


class _DiscountSource(_Object):
    coupon: Annotated[_Coupon | str | None, Field(union_mode="left_to_right")] = None


class _Discount(_Object):
    source: _DiscountSource | None = None


MAX_QUANTITY = 100_000
"""Of seats or bundles. Checkout takes a hundredth of it; more was mistyped by someone, and would be believed."""


def is_plausible(quantity: int | None) -> bool:
    """Whether so many of something can have been bought; None is a price that is not counted."""
    return quantity is None or 0 < quantity <= MAX_QUANTITY


class Subscription(_Object):
    """https://docs.stripe.com/api/subscriptions/object"""

    id: Id
    customer: Reference = None
    status: Id
    currency: str | None = None
    cancel_at_period_end: bool = False
    items: _List[_Item] = Field(default_factory=_List[_Item])
    metadata: dict[str, str] = Field(default_factory=dict)
    discounts: list[_Discount | str] = Field(default_factory=list)
    # Where they were before API version 2025-03-31.basil: a webhook endpoint keeps the version it was made with.
    current_period_start: AwareDatetime | None = None
    current_period_end: AwareDatetime | None = None

    def state(self, prices: PriceBook) -> SubscriptionState:
        """What matters of it here; of several items, the one with a price of ours."""
        named = [(item, prices.name_of(item.price.id if item.price else None)) for item in self.items.data]
        item, price = next(((item, name) for item, name in named if name), named[0] if named else (_Item(), None))
        return SubscriptionState(
            subscription_id=self.id,
            customer_id=self.customer,
            status=self.status,
            price=price,
            seats=self._seats(item.quantity),
            cancel_at_period_end=self.cancel_at_period_end,
            period_start=item.current_period_start or self.current_period_start,
            period_end=item.current_period_end or self.current_period_end,
            discount=self._discount(),
        )

    def _seats(self, quantity: int | None) -> int | None:
        return None if self.status in ENDED_STATUSES and not is_plausible(quantity) else quantity

    def _discount(self) -> str | None:
        for discount in self.discounts:
            if isinstance(discount, _Discount) and discount.source and isinstance(discount.source.coupon, _Coupon):
                return discount.source.coupon.name or discount.source.coupon.id
        return None


class CheckoutSession(_Object):
    """https://docs.stripe.com/api/checkout/sessions/object"""

    id: Id
    mode: str
    payment_status: str
    currency: str | None = None
    customer: Reference = None
    subscription: Reference = None
    invoice: Reference = None
    client_reference_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    url: str | None = None


class _SubscriptionDetails(_Object):
    subscription: Reference = None
    metadata: dict[str, str] | None = None
    subscription_proration_date: AwareDatetime | None = None


class _Parent(_Object):
    subscription_details: _SubscriptionDetails | None = None


class _PriceDetails(_Object):
    price: Reference = None


class _Pricing(_Object):
    price_details: _PriceDetails | None = None


class _Line(_Object):
    quantity: int | None = None
    pricing: _Pricing | None = None
    price: Reference = None
    """Where the price was before API version 2025-03-31.basil."""


class Invoice(_Object):
    """https://docs.stripe.com/api/invoices/object"""

    id: Id
    customer: Reference = None
    status: str | None = None
    number: str | None = None
    currency: str = ""
    total: int = 0
    created: AwareDatetime
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    metadata: dict[str, str] | None = None
    parent: _Parent | None = None
    subscription: Reference = None
    """Where the subscription was before API version 2025-03-31.basil."""
    lines: _List[_Line] = Field(default_factory=_List[_Line])

    @property
    def subscription_id(self) -> str | None:
        """The subscription that it is for."""
        details = self.parent.subscription_details if self.parent else None
        return (details.subscription if details else None) or self.subscription

    @property
    def all_metadata(self) -> dict[str, str]:
        """Its own metadata, and its subscription's under it."""
        details = self.parent.subscription_details if self.parent else None
        return {**((details.metadata if details else None) or {}), **(self.metadata or {})}

    def prices(self) -> list[tuple[str, int]]:
        """Price ids and quantities of its lines."""
        found = []
        for line in self.lines.data:
            details = line.pricing.price_details if line.pricing else None
            price = (details.price if details else None) or line.price
            if price:
                found.append((price, 1 if line.quantity is None else line.quantity))
        return found


class InvoicePreview(_Object):
    """https://docs.stripe.com/api/invoices/create_preview"""

    currency: str
    amount_due: int
    total: int
    parent: _Parent | None = None

    @property
    def prorated_at(self) -> datetime | None:
        """The moment that its prorations count from; None when nothing is prorated."""
        details = self.parent.subscription_details if self.parent else None
        return details.subscription_proration_date if details else None


class _EventData(_Object):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None


class Event(_Object):
    """https://docs.stripe.com/api/events/object"""

    id: Id
    type: Id
    created: AwareDatetime
    account: str | None = None
    livemode: bool | None = None
    data: _EventData

    @classmethod
    def parse(cls, body: bytes) -> Event:
        """The event in a webhook's body; raises InvalidPayload."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise InvalidPayload from error

    def report(self, subscription: Subscription, prices: PriceBook) -> Report:
        """What the event tells of its subscription, and of what it was before where it does."""
        return Report(
            report_id=self.id,
            created=self.created,
            state=subscription.state(prices),
            before=self._before(prices) if self.data.previous_attributes is not None else None,
        )

    def _before(self, prices: PriceBook) -> SubscriptionState | None:
        try:
            return Subscription.model_validate(_overlaid(self.data.object, self.data.previous_attributes or {})).state(
                prices
            )
        except ValidationError:
            return None


def _overlaid(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """An object as it was, from what it is and the old values of what has changed (of hashes, only their changes)."""
    return {
        **now,
        **{
            key: _overlaid(now[key], value) if isinstance(value, dict) and isinstance(now.get(key), dict) else value
            for key, value in before.items()
        },
    }
