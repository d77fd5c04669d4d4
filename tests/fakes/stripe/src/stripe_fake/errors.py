"""Refusals in Stripe's own shape.

StripeError
 +- InvalidRequest      400 invalid_request_error
 |   +- MissingObject   404 in a path, 400 in a parameter; code resource_missing
 +- Unauthorised        401
 +- CardDeclined        402 card_error
 +- IdempotencyMismatch 400 idempotency_error
"""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """Something Stripe would refuse; `body()` is what the SDK turns into its own exception."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class InvalidRequest(StripeError):
    """The request cannot be carried out as it stands."""


class MissingObject(InvalidRequest):
    """No such object."""

    def __init__(self, kind: str, object_id: str, *, param: str | None = None) -> None:
        super().__init__(f"No such {kind}: '{object_id}'", param=param or "id", code="resource_missing")
        self.status = 404 if param is None else 400


class Unauthorised(StripeError):
    """No API key, or one that is not a secret key."""

    status = 401


class CardDeclined(StripeError):
    """The bank said no."""

    status = 402
    type = "card_error"

    def __init__(self, message: str, *, decline_code: str, code: str = "card_declined") -> None:
        super().__init__(message, code=code)
        self.decline_code = decline_code

    def body(self) -> dict[str, Any]:
        answer = super().body()
        answer["error"]["decline_code"] = self.decline_code
        return answer


class IdempotencyMismatch(StripeError):
    """The same key came with other parameters."""

    type = "idempotency_error"
