"""Billing's refusals.

BidwrightError
  +  Unavailable
     x  BillingUnavailable      503
  +  InvalidRequest
     x  InvalidSignature        400
     x  InvalidPayload          400
  +  Conflict
     x  AlreadySubscribed       409
     x  NotSubscribed           409
  +  ValidationFailed
     x  PaymentRejected         422
"""

from __future__ import annotations

from common.errors import Conflict, InvalidRequest, Unavailable, ValidationFailed


class BillingUnavailable(Unavailable):
    """Payments are not available just now; nothing was charged. Try again in a moment."""

    error = "billing_unavailable"


class InvalidSignature(InvalidRequest):
    """The Stripe-Signature header does not fit this body and any of our secrets."""

    error = "invalid_signature"


class InvalidPayload(InvalidRequest):
    """The body is not a Stripe event."""

    error = "invalid_payload"


class AlreadySubscribed(Conflict):
    """This organisation already has a subscription; change its seats or plan instead of buying a second one."""


class NotSubscribed(Conflict):
    """This organisation has no subscription to change."""


class PaymentRejected(ValidationFailed):
    """Stripe did not accept this; see `errors`."""

    def __init__(self, message: str) -> None:
        super().__init__([{"field": "body", "message": message}], message)
