"""Billing's refusals.

BidwrightError
  +  NotFound
     x  OrgGone                 404
  +  Unavailable
     x  BillingUnavailable      503
  +  InvalidRequest
     x  InvalidSignature        400
     x  InvalidPayload          400
  +  Conflict
     x  AlreadySubscribed       409
     x  NotSubscribed           409
     x  SeatsTaken              409
  +  ValidationFailed
     +  PaymentRejected         422
        x  UnknownToStripe      422
"""

from __future__ import annotations

from common.errors import Conflict, InvalidRequest, NotFound, Unavailable, ValidationFailed


class BillingUnavailable(Unavailable):
    """Payments are not available just now; nothing was charged. Try again in a moment."""

    error = "billing_unavailable"


class InvalidSignature(InvalidRequest):
    """The Stripe-Signature header does not fit this body and any of our secrets."""

    error = "invalid_signature"


class InvalidPayload(InvalidRequest):
    """The body is not a Stripe event."""

    error = "invalid_payload"


class OrgGone(NotFound):
    """This organisation was deleted."""


class AlreadySubscribed(Conflict):
    """This organisation already has a subscription; change its seats or plan instead of buying a second one."""

    def __init__(self) -> None:
        super().__init__(reason="already_subscribed")


class NotSubscribed(Conflict):
    """This organisation has no subscription to change."""

    def __init__(self) -> None:
        super().__init__(reason="not_subscribed")


class SeatsTaken(Conflict):
    """More people are members than that; remove some of them first."""

    def __init__(self, *, members: int) -> None:
        people = "person is a member" if members == 1 else "people are members"
        super().__init__(
            f"{members} {people} of this organisation, so it needs as many seats. Remove some of them first.",
            reason="seats_taken",
            seats_taken=members,
        )


class PaymentRejected(ValidationFailed):
    """Stripe did not accept this; see `errors`."""

    def __init__(self, message: str) -> None:
        super().__init__([{"field": "body", "message": message}], message)


class UnknownToStripe(PaymentRejected):
    """Stripe has no such object, in the account and mode that the key is of."""
