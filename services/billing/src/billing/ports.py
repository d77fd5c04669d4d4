"""What billing needs of the payment provider. `stripe.py` is the one that production has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from billing.domain import SubscriptionState


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought: `price` is our name of it."""

    price: str
    quantity: int
    promotion_code: str | None
    is_plan: bool

    def as_metadata(self) -> dict[str, str]:
        """As it is noted at the provider, to be recognised there."""
        return {
            "order": "plan" if self.is_plan else "bundle",
            "price": self.price,
            "quantity": str(self.quantity),
            "promotion_code": self.promotion_code or "",
        }

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, str]) -> Order | None:
        """The order that was noted; None where none of ours was."""
        quantity = metadata.get("quantity", "")
        if "order" not in metadata or not quantity.isdecimal():
            return None
        promotion_code = metadata.get("promotion_code") or None
        return cls(metadata.get("price", ""), int(quantity), promotion_code, metadata["order"] == "plan")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A hosted page on which the org buys something."""

    session_id: str
    url: str
    order: Order | None


@dataclass(frozen=True, slots=True)
class Plans:
    """What the provider knows of a customer's plans."""

    running: bool
    any_before: bool


@dataclass(frozen=True, slots=True)
class SeatsPreview:
    """What a change of the seats costs; amounts are in the currency's smallest unit, tax included."""

    seats: int
    currency: str
    amount_due_now: int
    credit: int
    """What is given back for the rest of the period; it pays for invoices to come."""
    next_invoice_amount: int
    """What the next whole period costs, before any credit."""
    next_invoice_at: datetime | None
    prorated_at: datetime | None
    """The moment that the amounts count from; None when nothing is prorated."""


@dataclass(frozen=True, slots=True)
class InvoiceSummary:
    """An invoice as a person looks for it; `total` is in the currency's smallest unit."""

    invoice_id: str
    number: str | None
    status: str | None
    currency: str
    total: int
    created: datetime
    hosted_url: str | None
    pdf_url: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription in the provider's list."""

    state: SubscriptionState
    org_id: str | None
    """As it is noted there."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that the provider keeps; `body` is what it posts, or posted, as a webhook."""

    event_id: str
    created: datetime
    body: bytes


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """A part of a list, and where the next one begins; None after the last."""

    items: Sequence[T]
    cursor: str | None


class Signatures(Protocol):
    """Tells real webhooks from forged ones."""

    def verify(self, payload: bytes, header: str | None) -> None:
        """Raises InvalidSignature."""


class Payments(Protocol):
    """Every call raises BillingUnavailable when the provider cannot be reached, PaymentRejected when it says no."""

    async def create_customer(self, *, org_id: UUID, name: str, email: str) -> str:
        """Makes the org's customer and returns its id; made twice at once, it is one."""

    async def plans(self, customer_id: str) -> Plans:
        """Whether the customer has a plan now, and whether they ever had one."""

    async def open_checkouts(self, customer_id: str) -> Sequence[Checkout]:
        """The hosted pages on which the customer could still pay."""

    async def close_checkout(self, session_id: str) -> None:
        """Makes a hosted page useless; one that was just paid, or is closed already, stays as it is."""

    async def create_checkout(
        self,
        *,
        org_id: UUID,
        customer_id: str,
        order: Order,
        trial_days: int,
        automatic_tax: bool,
        success_url: str,
        cancel_url: str,
    ) -> Checkout:
        """Opens the hosted page for an order."""

    async def create_portal(self, *, customer_id: str, return_url: str) -> str:
        """The address of the page where the org changes cards and sees invoices."""

    async def subscription(self, subscription_id: str) -> tuple[SubscriptionState, Mapping[str, str]]:
        """The subscription as it is now, and its metadata."""

    async def list_subscriptions(self, *, cursor: str | None, customer_id: str | None = None) -> ListPage[Listed]:
        """Every subscription that is not cancelled, a hundred at a time; or one customer's."""

    async def list_events(self, *, types: Sequence[str], since: datetime, cursor: str | None) -> ListPage[StoredEvent]:
        """The events of these types since then, the newest first, a hundred at a time."""

    async def set_cancel_at_period_end(self, subscription_id: str, cancel: bool) -> SubscriptionState:
        """Ends the subscription with its period, or takes that back."""

    async def cancel_now(self, subscription_id: str) -> SubscriptionState:
        """Ends the subscription at once."""

    async def preview_seats(self, subscription_id: str, seats: int) -> SeatsPreview:
        """What another number of seats would cost; changes nothing."""

    async def set_seats(self, subscription_id: str, seats: int, *, prorated_at: datetime | None) -> SubscriptionState:
        """Changes the number of seats; the rest of the period is billed or credited at once."""

    async def invoices(self, customer_id: str) -> Sequence[InvoiceSummary]:
        """The customer's latest invoices, newest first."""
