"""What other services' events say that happened in an org, as audit rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from contracts import Event
from contracts.billing import CreditsGranted, PaymentFailed, SubscriptionChanged
from contracts.exports import ExportDeleted, ExportFailed, ExportFinished


@dataclass(frozen=True, slots=True)
class Change:
    """An audit row to be."""

    action: str
    target: str
    detail: dict[str, Any] = field(default_factory=dict)
    asked_by: UUID | None = None


def _subscription(event: SubscriptionChanged) -> Change:
    return Change(
        "billing.subscription_changed",
        event.subscription_id or "",
        {
            "status": event.status,
            "price": event.price,
            "seats": event.seats,
            "cancel_at_period_end": event.cancel_at_period_end,
        },
    )


def _credits(event: CreditsGranted) -> Change:
    detail = {"credits": event.credits, "extras_granted": event.extras_granted}
    return Change("billing.credits_granted", event.source, detail)


def _payment(event: PaymentFailed) -> Change:
    return Change("billing.payment_failed", event.invoice_id, {"grace_ends_at": event.grace_ends_at.isoformat()})


def _export_finished(event: ExportFinished) -> Change:
    detail = {
        "proposal_id": str(event.proposal_id),
        "format": event.format,
        "proposal_revision": event.proposal_revision,
        "sha256": event.sha256,
    }
    return Change("export.finished", str(event.export_id), detail, event.requested_by)


def _export_failed(event: ExportFailed) -> Change:
    detail = {"proposal_id": str(event.proposal_id), "format": event.format, "error": event.error}
    return Change("export.failed", str(event.export_id), detail, event.requested_by)


def _export_deleted(event: ExportDeleted) -> Change:
    detail = {"proposal_id": str(event.proposal_id), "format": event.format}
    return Change("export.deleted", str(event.export_id), detail)


CHANGES: Final[Mapping[type[Event], Callable[[Any], Change]]] = {
    SubscriptionChanged: _subscription,
    CreditsGranted: _credits,
    PaymentFailed: _payment,
    ExportFinished: _export_finished,
    ExportFailed: _export_failed,
    ExportDeleted: _export_deleted,
}
