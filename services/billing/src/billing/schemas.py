"""Billing on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StringConstraints

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


class SeatsRequest(RequestBody):
    """The new number of seats."""

    seats: int = Field(ge=1, le=1000, strict=True)


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
