"""A circuit breaker: after so many failures in a row nothing is asked for a while, then one question tries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Breaker:
    """The state of one provider in this process. Times are of a monotonic clock, in seconds.

    Args:
        failures_to_open: so many in a row open it.
        open_seconds: how long it stays open before one call may try.
    """

    failures_to_open: int
    open_seconds: float
    failures: int = 0
    opened_at: float | None = None
    is_trying: bool = False

    def allows(self, now: float) -> bool:
        """Whether a call may be made; when it says yes, say how the call ended."""
        if self.opened_at is None:
            return True
        if self.is_trying or now < self.opened_at + self.open_seconds:
            return False
        self.is_trying = True
        return True

    def succeeded(self) -> None:
        """The provider answered: closed, whatever was before."""
        self.failures = 0
        self.opened_at = None
        self.is_trying = False

    def failed(self, now: float) -> None:
        """One more failure; the call that tried an open one opens it anew."""
        self.failures += 1
        if self.is_trying or self.failures >= self.failures_to_open:
            self.opened_at = now
        self.is_trying = False

    def abandoned(self) -> None:
        """The call ended without a word about the provider (it was cancelled): another one may try."""
        self.is_trying = False

    def is_open(self, now: float) -> bool:
        """Whether calls are refused now; asking changes nothing."""
        return self.opened_at is not None and (self.is_trying or now < self.opened_at + self.open_seconds)
