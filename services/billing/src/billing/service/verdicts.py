"""What becomes of an event: applied, or ignored, or parked for someone to look at, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from billing import domain
from billing.stripe_objects import is_plausible

Reason = Literal[
    "wrong_account", "wrong_mode", "unreadable", "foreign_currency", "unknown_customer", "org_conflict", "org_deleted",
    "unknown_at_stripe", "unknown_price", "bad_quantity", "error", "unknown_type",
]  # fmt: skip
"""Why an event is parked (or ignored: `unknown_type`, `org_deleted`); see the README for what to do about each."""
Outcome = Literal["applied", "stale", "ignored"]


class Parked(Exception):
    """This event must not be applied as it is; someone has to look at it."""

    def __init__(self, reason: Reason, detail: str, org_id: UUID | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.org_id = org_id

    @property
    def verdict(self) -> Verdict:
        """What is kept of it."""
        return Verdict("parked", self.reason, str(self), self.org_id)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event."""

    outcome: Outcome | Literal["parked"]
    reason: Reason | None = None
    detail: str | None = None
    org_id: UUID | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """What of the account changed, or in a dry run would change: before and after."""


def check_plan(state: domain.SubscriptionState, org_id: UUID) -> None:
    """Raises Parked for a running subscription that cannot be right."""
    if state.status in domain.ENDED_STATUSES:
        return
    if state.price not in domain.TIER_OF_PRICE:
        raise Parked("unknown_price", f"no plan of ours is among the prices of {state.subscription_id}", org_id)
    if not is_plausible(state.seats):
        raise Parked("bad_quantity", f"{state.seats} seats", org_id)
