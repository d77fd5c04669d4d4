"""Billing on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StrictBool, StringConstraints

from billing.domain import PriceName
from common.bodies import RequestBody


class Scope(BaseModel):
    """Which org this is about."""

    org_id: UUID
    name: str
    personal: bool


class LimitsView(BaseModel):
    """What the tier allows; null where there is no cap. Sizes are bytes."""

    active_cap: int | None = Field(description="Proposals ever made, on free")
    monthly_cap: int | None = Field(description="Proposals in a period")
    extras: int = Field(description="Bundle credits that are left; used once the cap is reached")
    seats: int | None
    ai_per_minute: int | None
    ai_daily: int | None
    ai_monthly_tokens: int | None
    storage_bytes: int | None
    upload_max_bytes: int


class UsageCounters(BaseModel):
    """What was used."""

    active: int
    created_this_period: int
    seats: int
    ai_requests_today: int
    ai_tokens_this_month: int
    storage_bytes: int


class Period(BaseModel):
    """The month that `monthly_cap` counts in."""

    start: datetime
    end: datetime


class SubscriptionSummary(BaseModel):
    """The plan that the org pays for."""

    price: str | None
    seats: int | None
    cancel_at_period_end: bool
    current_period_end: datetime | None
    discount: str | None


class UsageView(BaseModel):
    """`GET /api/usage`."""

    scope: Scope
    tier: Literal["free", "pro", "enterprise"]
    status: str
    grace_ends_at: datetime | None
    limits: LimitsView
    usage: UsageCounters
    period: Period
    can_create_proposal: bool
    reason: Literal["active_cap_reached", "monthly_cap_reached"] | None
    subscription: SubscriptionSummary | None


class CheckoutRequest(RequestBody):
    """What to buy. `seats` counts for plans only."""

    price: PriceName
    seats: int | None = Field(default=None, ge=1, le=1000, strict=True)
    promotion_code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None


class CheckoutView(BaseModel):
    """Where to send the person now."""

    url: str
    session_id: str


class PortalView(BaseModel):
    """Where to send the person now."""

    url: str


class CancelRequest(RequestBody):
    """`immediate` ends the plan now instead of with its period."""

    immediate: StrictBool = False


class SeatsPreviewRequest(RequestBody):
    """The number of seats to be."""

    seats: int = Field(ge=1, le=1000, strict=True)


class SeatsRequest(SeatsPreviewRequest):
    """The new number of seats; with `prorated_at` of a preview, which counts for 15 minutes, at the price it showed."""

    prorated_at: AwareDatetime | None = None


class SeatsPreviewView(BaseModel):
    """What the change would cost; amounts are in the currency's smallest unit, tax included."""

    seats: int
    currency: str
    amount_due_now: int = Field(description="For the rest of the period, paid with the change")
    credit: int = Field(description="Given back for the rest of the period; it pays for invoices to come")
    next_invoice_amount: int = Field(description="For the next whole period, before any credit")
    next_invoice_at: datetime | None
    prorated_at: datetime | None = Field(description="The moment that the amounts count from, if they do")


class OffersView(BaseModel):
    """What can be bought here."""

    available: bool = Field(description="Whether payments are set up")
    prices: list[PriceName]
    trial_days: int = Field(description="Of an org's first plan")


class SubscriptionView(SubscriptionSummary):
    """`GET /api/billing/subscription`."""

    status: str


class InvoiceView(BaseModel):
    """An invoice; `total` is in the currency's smallest unit."""

    id: str
    number: str | None
    status: str | None
    currency: str
    total: int
    created: datetime
    hosted_url: str | None
    pdf_url: str | None


class Received(BaseModel):
    """What Stripe is told once its event is committed."""

    received: Literal[True] = True
