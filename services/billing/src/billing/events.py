"""What billing publishes, made from its rows. Each call takes the next version of its aggregate."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from billing.models import Account, CreditGrant, Subscription
from common.db import UnitOfWork
from contracts.billing import (
    CapName,
    CreditsGranted,
    EntitlementsChanged,
    Limits,
    OrgErased,
    PaymentFailed,
    SubscriptionChanged,
    UsageThresholdReached,
    UserErased,
)

SubscriptionNews = Literal["cancel_scheduled", "ended"]


def entitlements_changed(uow: UnitOfWork, account: Account) -> None:
    """Tells everyone what the org may do from now on."""
    account.entitlements_version += 1
    uow.publish(
        EntitlementsChanged.model_validate(
            {
                "org_id": account.org_id,
                "version": account.entitlements_version,
                "tier": account.tier,
                "status": account.status,
                "limits": Limits.model_validate(account.limits),
                "extras_granted": account.extras_granted,
                "period_start": account.period_start,
                "period_end": account.period_end,
                "grace_ends_at": account.grace_ends_at,
            }
        )
    )


def subscription_changed(
    uow: UnitOfWork, account: Account, subscription: Subscription, news: SubscriptionNews | None = None
) -> None:
    """Tells what is known of the org's subscription now."""
    account.subscription_version += 1
    uow.publish(
        SubscriptionChanged(
            org_id=account.org_id,
            version=account.subscription_version,
            subscription_id=subscription.subscription_id,
            status=subscription.status,
            price=subscription.price,
            seats=subscription.seats,
            cancel_at_period_end=subscription.cancel_at_period_end,
            current_period_end=subscription.period_end,
            news=news,
        )
    )


def credits_granted(uow: UnitOfWork, account: Account, grant: CreditGrant) -> None:
    """Tells that a bundle was credited."""
    account.credits_version += 1
    uow.publish(
        CreditsGranted(
            org_id=account.org_id,
            version=account.credits_version,
            credits=grant.credits,
            extras_granted=account.extras_granted,
            source=grant.source,
        )
    )


def payment_failed(
    uow: UnitOfWork, account: Account, *, invoice_id: str, failed_at: datetime, grace_ends_at: datetime
) -> None:
    """Tells that a payment failed, and until when the tier is kept."""
    account.payment_version += 1
    uow.publish(
        PaymentFailed(
            org_id=account.org_id,
            version=account.payment_version,
            invoice_id=invoice_id,
            failed_at=failed_at,
            grace_ends_at=grace_ends_at,
        )
    )


def usage_threshold_reached(
    uow: UnitOfWork,
    account: Account,
    *,
    cap: CapName,
    threshold: int,
    used: int,
    limit: int,
    extras_left: int,
    period: tuple[datetime, datetime],
) -> None:
    """Tells that usage has come to a threshold of a cap."""
    account.usage_version += 1
    uow.publish(
        UsageThresholdReached.model_validate(
            {
                "org_id": account.org_id,
                "version": account.usage_version,
                "cap": cap,
                "threshold": threshold,
                "used": used,
                "limit": limit,
                "extras_left": extras_left,
                "tier": account.tier,
                "period_start": period[0],
                "period_end": period[1],
            }
        )
    )


def org_erased(uow: UnitOfWork, account: Account, erased_at: datetime) -> None:
    """The receipt for an org's erasure."""
    uow.publish(OrgErased(org_id=account.org_id, version=1, erased_at=erased_at))


def user_erased(uow: UnitOfWork, org_id: UUID, user_id: UUID, erased_at: datetime) -> None:
    """The receipt for a person's erasure."""
    uow.publish(UserErased(org_id=org_id, version=1, user_id=user_id, erased_at=erased_at))
