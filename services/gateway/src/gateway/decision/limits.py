"""Limits: what a request counts against, and the local stand-in for when Valkey is away.

A window opens with its first request and lasts a minute; requests past the limit are not counted, so that exactly
`limit` pass in it however many arrive at once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

WINDOW_SECONDS: Final = 60
MAX_LOCAL_WINDOWS: Final = 50_000
SINGLE_WRITE_KEY: Final = "ai_dbg_single_write:"

AiClass = Literal["none", "ai", "plan", "write"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one request in one window."""

    limit: int
    left: int
    resets_in_ms: int
    passed: bool

    @property
    def reset_seconds(self) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, -(-self.resets_in_ms // 1000))


class _Rates(Protocol):
    @property
    def debug(self) -> bool: ...
    @property
    def ai_enforce_rate_limit_debug(self) -> bool: ...
    @property
    def api_rate_per_min_free(self) -> int: ...
    @property
    def api_rate_per_min_pro(self) -> int: ...
    @property
    def api_rate_per_min_enterprise(self) -> int: ...
    @property
    def api_rate_per_min_anon(self) -> int: ...
    @property
    def ai_rate_per_min_free(self) -> int: ...
    @property
    def ai_rate_per_min_pro(self) -> int: ...
    @property
    def ai_rate_per_min_enterprise(self) -> int: ...
    @property
    def ai_plan_rate_per_min_free(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """The numbers per tier, per minute, for a user in an org."""

    api: Mapping[str, int]
    ai: Mapping[str, int]
    plan_free: int
    anonymous: int
    enforce_ai: bool
    """False in DEBUG, unless AI_ENFORCE_RATE_LIMIT_DEBUG asks for it."""
    single_write: bool
    """DEBUG only: the second write within a minute is refused, so that a test can see a 429."""

    @classmethod
    def from_settings(cls, settings: _Rates) -> LimitPolicy:
        """The policy of a set of settings."""
        enforced_in_debug = settings.debug and settings.ai_enforce_rate_limit_debug
        return cls(
            api={
                "free": settings.api_rate_per_min_free,
                "pro": settings.api_rate_per_min_pro,
                "enterprise": settings.api_rate_per_min_enterprise,
            },
            ai={
                "free": settings.ai_rate_per_min_free,
                "pro": settings.ai_rate_per_min_pro,
                "enterprise": settings.ai_rate_per_min_enterprise,
            },
            plan_free=settings.ai_plan_rate_per_min_free,
            anonymous=settings.api_rate_per_min_anon,
            enforce_ai=not settings.debug or settings.ai_enforce_rate_limit_debug,
            single_write=enforced_in_debug and settings.ai_rate_per_min_pro == 1,
        )

    def api_limit(self, tier: str) -> int:
        """For every route."""
        return self.api.get(tier, self.api["free"])

    def ai_limit(self, tier: str, ai_class: AiClass) -> int:
        """For the AI POSTs; 0 where the plan gate answers instead."""
        if tier == "free" and ai_class == "plan":
            return self.plan_free
        return self.ai.get(tier, self.ai["free"])


@dataclass
class LocalWindows:
    """Windows in this process's memory: bounded, the least recently used go first."""

    max_windows: int = MAX_LOCAL_WINDOWS
    monotonic: Callable[[], float] = time.monotonic
    _windows: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def take(self, key: str, limit: int, window_seconds: int = WINDOW_SECONDS) -> Taken:
        """Counts one request, unless the limit is reached."""
        now = self.monotonic()
        count, ends = self._windows.pop(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + window_seconds
        passed = count < limit
        count += passed
        self._windows[key] = (count, ends)
        while len(self._windows) > self.max_windows:
            self._windows.popitem(last=False)
        return Taken(limit, max(0, limit - count), int((ends - now) * 1000), passed)

    def give_back(self, key: str) -> None:
        """Takes one request back."""
        if key in self._windows:
            count, ends = self._windows[key]
            self._windows[key] = (max(0, count - 1), ends)
