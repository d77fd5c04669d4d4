"""What an adapter to a vendor is asked, and how it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from ai.providers.port import UNAVAILABLE, PromptRef, Usage

NO_KEY: Final = "none"
"""A server of one's own often wants no key; the SDKs want one to be set."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is sent: our words, and the material, in which every piece of data is marked as such."""

    ref: PromptRef
    system: str
    material: str
    boundary: str
    """Stands at both ends of each piece of data and in none of them; in an answer it is a leak."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema of the answer; None for text."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The vendor said that this was all."""

    model: str
    usage: Usage | None


class Why(Enum):
    """Why a call failed."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    CUT = "cut"
    GARBLED = "garbled"
    MISCONFIGURED = "misconfigured"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    DECLINED = "declined"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    UNUSABLE = "unusable"

    @property
    def may_retry(self) -> bool:
        """Whether the same provider may be asked again."""
        return self in _PASSING

    @property
    def counts(self) -> bool:
        """Whether it speaks against the provider's health."""
        return self in _PASSING or self is Why.MISCONFIGURED

    @property
    def code(self) -> str:
        """What the job says."""
        return _TOLD[self][0] if self in _TOLD else UNAVAILABLE

    @property
    def detail(self) -> str:
        """What the person reads."""
        return _TOLD[self][1] if self in _TOLD else NO_ANSWER


_PASSING: Final = frozenset({Why.UNREACHABLE, Why.TIMED_OUT, Why.RATE_LIMITED, Why.SERVER_ERROR, Why.CUT, Why.GARBLED})
NO_ANSWER: Final = (
    "The AI provider does not answer just now; your text is unchanged and nothing was charged. Try again in a moment."
)
_TOLD: Final = {
    Why.DECLINED: ("declined", "The model declined to write this; say it in other words, or write it yourself."),
    Why.TOO_LONG: ("too_long", "The text grew longer than one answer may be; ask for less."),
    Why.EMPTY: ("empty_result", "Nothing was written; your text is unchanged and nothing was charged."),
    Why.UNUSABLE: (
        "unusable_answer",
        "The model's answer could not be used, even after a second try; nothing was changed or charged.",
    ),
}
"""What the person is told of failures that are about their request: (code, detail)."""


class VendorError(Exception):
    """A call that failed. It says nothing of what was sent or received."""

    def __init__(self, why: Why, retry_after: float | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Options:
    """What every vendor is told.

    Args:
        connect_seconds: for the connection.
        silence_seconds: for each read; the chain's own limits are shorter or as long.
        max_output_tokens: where the vendor stops.
        is_deterministic: temperature 0 and a fixed seed where the vendor has them.
    """

    connect_seconds: float
    silence_seconds: float
    max_output_tokens: int
    is_deterministic: bool


class Vendor(Protocol):
    """One vendor's API."""

    name: str
    model: str

    def load(self) -> None:
        """Imports the SDK. It takes a while; run it in a thread."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
        """Text deltas, then Finished. A stream that ends otherwise raises VendorError."""

    async def aclose(self) -> None:
        """Closes its connections."""


_BY_STATUS = {
    400: Why.REJECTED, 401: Why.MISCONFIGURED, 402: Why.MISCONFIGURED, 403: Why.MISCONFIGURED, 404: Why.MISCONFIGURED,
    408: Why.TIMED_OUT, 409: Why.SERVER_ERROR, 413: Why.REJECTED, 422: Why.REJECTED, 425: Why.SERVER_ERROR,
    429: Why.RATE_LIMITED, 504: Why.TIMED_OUT,
}  # fmt: skip
OUT_OF_CREDIT = "insufficient_quota"


def why_of_status(status: int, code: str = "") -> Why:
    """What an HTTP status means, with the vendor's own code where it has one."""
    if code == OUT_OF_CREDIT:
        return Why.MISCONFIGURED  # waiting does not fill an account
    return _BY_STATUS.get(status, Why.SERVER_ERROR if status >= 500 else Why.REJECTED)
