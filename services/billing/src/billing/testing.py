"""For tests: webhooks as Stripe sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from common.ids import new_id

SECRET: Final = "whsec_test"  # noqa: S105  # of tests alone
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """A Stripe-Signature header, https://docs.stripe.com/webhooks#verify-manually."""
    stamp = int(at if at is not None else time.time())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def stripe_event(kind: str, obj: dict[str, Any], *, event_id: str | None = None, created: datetime = NOW) -> bytes:
    """A webhook's body."""
    return json.dumps(
        {
            "id": event_id or f"evt_{new_id()}",
            "object": "event",
            "type": kind,
            "created": int(created.timestamp()),
            "data": {"object": obj},
        }
    ).encode()


def subscription(org_id: UUID, *, status: str = "active", price: str = "price_pro", **changes: Any) -> dict[str, Any]:
    """A subscription as Stripe sends it."""
    return {
        "id": f"sub_{org_id}",
        "object": "subscription",
        "customer": f"cus_{org_id}",
        "status": status,
        "cancel_at_period_end": False,
        "metadata": {"org_id": str(org_id)},
        "items": {
            "object": "list",
            "data": [
                {
                    "id": "si_1",
                    "price": {"id": price},
                    "quantity": changes.pop("quantity", 2),
                    "current_period_start": int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()),
                    "current_period_end": int(datetime(2026, 12, 20, tzinfo=UTC).timestamp()),
                }
            ],
        },
        **changes,
    }
