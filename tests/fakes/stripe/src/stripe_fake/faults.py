"""Bad weather on demand: what shall happen to the next deliveries."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_REORDER_STEP = 0.25


@dataclass
class Faults:
    """Counts of upcoming events that are still to be hit; each kind is spent by itself.

    drop: never sent. duplicate: sent twice. delay: sent `delay_seconds` late. reorder: the next that many go out last
    first, a quarter of a second apart.
    """

    drop: int = 0
    duplicate: int = 0
    delay: int = 0
    delay_seconds: float = 2.0
    reorder: int = 0

    def plan(self, now: float) -> list[float]:
        """When the next event's deliveries are due; empty when it is dropped."""
        if self.drop > 0:
            self.drop -= 1
            return []
        due = now
        if self.delay > 0:
            self.delay -= 1
            due += self.delay_seconds
        if self.reorder > 0:
            self.reorder -= 1
            due += self.reorder * _REORDER_STEP
        if self.duplicate > 0:
            self.duplicate -= 1
            return [due, due]
        return [due]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
