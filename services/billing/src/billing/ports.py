"""What billing needs of the payment provider. `stripe.py` is the one that production has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from billing.domain import SubscriptionState


@dataclass(frozen=True, slots=True)
class Checkout:
    """A hosted page on which the org buys something."""

    session_id: str
    url: str


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


class Signatures(Protocol):
    """Tells real webhooks from forged ones."""

    def verify(self, payload: bytes, header: str | None) -> None:
        """Raises InvalidSignature."""


class Payments(Protocol):
    """Every call raises BillingUnavailable when the provider cannot be reached, PaymentRejected when it says no."""

    async def create_customer(self, *, org_id: UUID, name: str, email: str) -> str:
        """Makes the org's customer and returns its id; made twice at once, it is one."""

    async def create_checkout(
        self,
        *,
        org_id: UUID,
        customer_id: str,
        price: str,
        quantity: int,
        subscription: bool,
        promotion_code: str | None,
        success_url: str,
        cancel_url: str,
    ) -> Checkout:
        """Opens the hosted page for buying `price` (our name)."""

    async def create_portal(self, *, customer_id: str, return_url: str) -> str:
        """The address of the page where the org changes cards and sees invoices."""

    async def subscription(self, subscription_id: str) -> tuple[SubscriptionState, Mapping[str, str]]:
        """The subscription as it is now, and its metadata."""

    async def set_cancel_at_period_end(self, subscription_id: str, cancel: bool) -> SubscriptionState:
        """Ends the subscription with its period, or takes that back."""

    async def cancel_now(self, subscription_id: str) -> SubscriptionState:
        """Ends the subscription at once."""

    async def set_seats(self, subscription_id: str, seats: int) -> SubscriptionState:
        """Changes the number of seats, prorated."""

    async def invoices(self, customer_id: str) -> Sequence[InvoiceSummary]:
        """The customer's latest invoices, newest first."""
