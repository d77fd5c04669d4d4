"""When a provider is asked again: full jitter, and the provider's own word where it gives one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

MILLISECONDS_HEADER = "retry-after-ms"
HEADER = "retry-after"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon.

    Args:
        attempts: of one provider, the first included.
        base_seconds: the first pause is at most this long, the next twice that, and so on.
        max_seconds: no pause is longer; a provider that asks for more is left for the next in the chain.
    """

    attempts: int
    base_seconds: float
    max_seconds: float
    draw: Callable[[float, float], float] = SystemRandom().uniform

    def pause(self, failures: int, retry_after: float | None) -> float | None:
        """Seconds before the next attempt after so many failures; None when there is to be none.

        A provider's `retry_after` is waited for in full, with a little jitter on top: all who were refused would
        come back in the same moment.
        """
        if failures >= self.attempts:
            return None
        if retry_after is not None:
            if retry_after > self.max_seconds:
                return None
            return retry_after + self.draw(0.0, self.base_seconds)
        return self.draw(0.0, min(self.max_seconds, self.base_seconds * 2 ** (failures - 1)))


def read_retry_after(headers: object, now: datetime | None = None) -> float | None:
    """Seconds that an answer's headers ask to wait for: `retry-after-ms`, or `retry-after` as seconds or a date."""
    get = getattr(headers, "get", None)
    if get is None:
        return None
    for name, unit in ((MILLISECONDS_HEADER, 0.001), (HEADER, 1.0)):
        value = str(get(name) or "").strip()
        try:
            if value and 0 <= (seconds := float(value) * unit) < float("inf"):
                return seconds
        except ValueError:
            pass
    try:
        moment = parsedate_to_datetime(str(get(HEADER) or ""))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
