"""Billing's tables. Every one belongs to an org, except what must be found before the org is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The metadata that the migrations must equal."""

    type_annotation_map = {
        str: Text,
        int: BigInteger,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


class Account(Base):
    """An org as billing knows it, and the entitlement that was last published."""

    __tablename__ = "accounts"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    personal: Mapped[bool]
    stripe_customer_id: Mapped[str | None]
    first_failed_at: Mapped[datetime | None]
    """When the payment that is still owed first failed."""
    last_paid_at: Mapped[datetime | None]
    """A failure that Stripe dates before this is old news."""
    extras_granted: Mapped[int] = mapped_column(default=0)
    tier: Mapped[str]
    status: Mapped[str]
    limits: Mapped[dict[str, Any]]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    grace_ends_at: Mapped[datetime | None]
    entitlements_version: Mapped[int] = mapped_column(default=0)
    subscription_version: Mapped[int] = mapped_column(default=0)
    credits_version: Mapped[int] = mapped_column(default=0)
    payment_version: Mapped[int] = mapped_column(default=0)
    usage_version: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Subscription(Base):
    """A Stripe subscription of the org; `as_of` is the moment that Stripe's report speaks of."""

    __tablename__ = "subscriptions"

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    status: Mapped[str]
    price: Mapped[str | None]
    seats: Mapped[int | None]
    cancel_at_period_end: Mapped[bool]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    discount: Mapped[str | None]
    as_of: Mapped[datetime]


class SubscriptionHistory(Base):
    """What Stripe has reported of a subscription (`billing.history`), from which its row above is worked out."""

    __tablename__ = "subscription_histories"

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    reports: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class InvoicePayment(Base):
    """When an invoice first failed, and when it was settled (paid, voided, written off), whichever came first."""

    __tablename__ = "invoice_payments"

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    subscription_id: Mapped[str | None]
    failed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class CreditGrant(Base):
    """A paid bundle; its primary key is why it is credited once."""

    __tablename__ = "credit_grants"

    source: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    credits: Mapped[int]
    granted_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProposalCount(Base):
    """A proposal that was ever made; it stays when the proposal is deleted."""

    __tablename__ = "proposal_counts"

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    created_at: Mapped[datetime]
    charged_to: Mapped[str]
    active: Mapped[bool]


class GenerationCount(Base):
    """An AI request that was accepted, and the tokens that it cost."""

    __tablename__ = "generation_counts"

    generation_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    accepted_at: Mapped[datetime]
    tokens: Mapped[int]


class StorageCount(Base):
    """What a service's files take up of the org's storage."""

    __tablename__ = "storage_counts"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    bytes_used: Mapped[int]


class Member(Base):
    """Who takes a seat."""

    __tablename__ = "members"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)


class UsageThreshold(Base):
    """A threshold that was told; its primary key is why it is told once."""

    __tablename__ = "usage_thresholds"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    cap: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    threshold: Mapped[int] = mapped_column(primary_key=True)
    cap_limit: Mapped[int] = mapped_column(primary_key=True, server_default=text("0"))
    reached_at: Mapped[datetime]


class ErasedOrg(Base):
    """An org that is gone: what still arrives about it leaves nothing here. Its id is all that is kept."""

    __tablename__ = "erased_orgs"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]


class StripeCustomer(Base):
    """Which org a Stripe customer is; read before the org is known."""

    __tablename__ = "stripe_customers"

    stripe_customer_id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]


class StripeSubscription(Base):
    """Which org a Stripe subscription is of, and a digest of what is known of it; compared across all orgs."""

    __tablename__ = "stripe_subscriptions"

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    digest: Mapped[str]
    ended: Mapped[bool]
    checked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was last compared with Stripe, or changed."""


class Reconciliation(Base):
    """How far a comparison with Stripe has come, so that it can go on elsewhere, and when it is due again."""

    __tablename__ = "reconciliations"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """By the server's clock; while one runs, when another may take it over."""
    since: Mapped[datetime | None]
    newest: Mapped[datetime | None]
    cursor: Mapped[str | None]


class Review(Base):
    """When an org's entitlement must be looked at again, because time alone changes it."""

    __tablename__ = "reviews"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]


class StripeEvent(Base):
    """A webhook as it came: committed before Stripe is told 200, applied afterwards, once."""

    __tablename__ = "stripe_events"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    created: Mapped[datetime]
    body: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    org_id: Mapped[UUID | None]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """`applied`, `stale`, `ignored` or `parked`."""
    reason: Mapped[str | None]
    """Why it is parked or was ignored: a code of `billing.service.verdicts`."""
    error: Mapped[str | None]
