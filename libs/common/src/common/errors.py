"""Refusals, as the client sees them.

    BidwrightError
      x  InvalidRequest          400
      x  Unauthenticated         401
      x  QuotaExceeded           402
      x  Forbidden               403
         +  RoleForbidden
         +  ScopeForbidden
      x  NotFound                404
      x  Conflict                409
         +  NotYetConsistent
      x  StaleRevision           412
      x  TooLarge                413
      x  UnsupportedMediaType    415
      x  UnsatisfiableRange      416
      x  ValidationFailed        422
      x  PreconditionRequired    428
      x  RateLimited             429
      x  Unavailable             503

A service subclasses these in its own `errors.py`: `error` is the stable code of the HTTP contract, and the first line
of the class docstring is the default `detail`, so write it to the person who will read it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar


class BidwrightError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    error: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.reason = reason
        self.headers = dict(headers or {})
        self.extra = extra
        super().__init__(self.detail)

    def problem(self, *, instance: str, request_id: str) -> dict[str, Any]:
        """The `application/problem+json` body (RFC 9457)."""
        body: dict[str, Any] = {
            "type": f"urn:bidwright:error:{self.error}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "error": self.error,
            "request_id": request_id,
        }
        if self.reason is not None:
            body["reason"] = self.reason
        return body | self.extra


class InvalidRequest(BidwrightError):
    """The request could not be understood."""

    status = 400
    error = "invalid_request"
    title = "Bad request"


class InvalidJSON(InvalidRequest):
    """The body is not valid JSON."""

    error = "invalid_json"


class InvalidCursor(InvalidRequest):
    """The cursor is not one that this list gave out; start again without it."""

    error = "invalid_cursor"


class Unauthenticated(BidwrightError):
    """Sign in, or send a valid API key."""

    status = 401
    error = "unauthenticated"
    title = "Not signed in"


class QuotaExceeded(BidwrightError):
    """Your plan does not allow more of this; upgrade to continue."""

    status = 402
    error = "quota_exceeded"
    title = "Quota exceeded"

    def __init__(
        self,
        detail: str | None = None,
        *,
        reason: str,
        limits: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            detail,
            reason=reason,
            headers={"X-Quota-Reason": reason},
            limits=dict(limits or {}),
            usage=dict(usage or {}),
        )


class Forbidden(BidwrightError):
    """You may not do this."""

    status = 403
    error = "forbidden"
    title = "Forbidden"


class RoleForbidden(Forbidden):
    """Your role in this organisation does not allow this; ask an admin."""

    error = "role_forbidden"


class ScopeForbidden(Forbidden):
    """This API key lacks the scope for this; make one that has it."""

    error = "scope_forbidden"


class NotFound(BidwrightError):
    """There is nothing here, or it is not yours to see."""

    status = 404
    error = "not_found"
    title = "Not found"


class Conflict(BidwrightError):
    """This does not fit the present state."""

    status = 409
    error = "conflict"
    title = "Conflict"


class NotYetConsistent(Conflict):
    """The newest change has not arrived here yet; try again in a moment."""

    error = "not_yet_consistent"

    def __init__(self, detail: str | None = None, *, retry_after: float = 1.0) -> None:
        super().__init__(
            detail, headers={"Retry-After": str(math.ceil(retry_after))}, retry_after=math.ceil(retry_after)
        )


class StaleRevision(BidwrightError):
    """Someone changed this since you loaded it; the answer carries the current text."""

    status = 412
    error = "stale_revision"
    title = "Changed meanwhile"


class TooLarge(BidwrightError):
    """The body is too large."""

    status = 413
    error = "body_too_large"
    title = "Too large"

    def __init__(self, detail: str | None = None, *, limit: int) -> None:
        super().__init__(detail, limit=limit)


class UnsupportedMediaType(BidwrightError):
    """Send the body as application/json."""

    status = 415
    error = "unsupported_media_type"
    title = "Unsupported media type"


class UnsatisfiableRange(BidwrightError):
    """The file ends before the range that you asked for."""

    status = 416
    error = "range_not_satisfiable"
    title = "Range not satisfiable"


class ValidationFailed(BidwrightError):
    """Some fields are missing or wrong; see `errors`."""

    status = 422
    error = "validation_failed"
    title = "Validation failed"

    def __init__(self, errors: list[dict[str, str]], detail: str | None = None) -> None:
        super().__init__(detail, errors=errors)


class PreconditionRequired(BidwrightError):
    """Send If-Match with the revision that you loaded, so that no one's change is overwritten."""

    status = 428
    error = "precondition_required"
    title = "Precondition required"


class RateLimited(BidwrightError):
    """Too many requests; wait and try again."""

    status = 429
    error = "rate_limited"
    title = "Too many requests"

    def __init__(
        self, detail: str | None = None, *, retry_after: float, headers: Mapping[str, str] | None = None
    ) -> None:
        seconds = max(1, math.ceil(retry_after))
        super().__init__(detail, headers={"Retry-After": str(seconds), **(headers or {})}, retry_after=seconds)


class Unavailable(BidwrightError):
    """This part is not available just now; try again in a moment."""

    status = 503
    error = "unavailable"
    title = "Unavailable"

    def __init__(self, detail: str | None = None, *, retry_after: float = 5.0) -> None:
        seconds = max(1, math.ceil(retry_after))
        super().__init__(detail, headers={"Retry-After": str(seconds)}, retry_after=seconds)
