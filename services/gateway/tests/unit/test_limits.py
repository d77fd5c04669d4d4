"""The limits, and the local stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.decision.facts import Counted
from gateway.decision.limits import LimitPolicy, LocalWindows, Taken
from gateway.decision.service import limit_headers


@dataclass
class Rates:
    debug: bool = False
    ai_enforce_rate_limit_debug: bool = False
    api_rate_per_min_free: int = 120
    api_rate_per_min_pro: int = 600
    api_rate_per_min_enterprise: int = 3000
    api_rate_per_min_anon: int = 60
    ai_rate_per_min_free: int = 0
    ai_rate_per_min_pro: int = 20
    ai_rate_per_min_enterprise: int = 60
    ai_plan_rate_per_min_free: int = 5


class TestLimitPolicy:
    def test_on_free_only_planning_is_limited(self) -> None:
        policy = LimitPolicy.from_settings(Rates())
        assert (policy.ai_limit("free", "plan"), policy.ai_limit("free", "write")) == (5, 0)
        assert (policy.ai_limit("pro", "plan"), policy.ai_limit("pro", "write")) == (20, 20)
        assert policy.api_limit("unheard of") == 120

    def test_debug_relaxes_ai_limits_unless_asked_not_to(self) -> None:
        assert LimitPolicy.from_settings(Rates()).enforce_ai
        assert not LimitPolicy.from_settings(Rates(debug=True)).enforce_ai
        assert LimitPolicy.from_settings(Rates(debug=True, ai_enforce_rate_limit_debug=True)).enforce_ai

    def test_the_single_write_guard_needs_all_three_keys(self) -> None:
        guarded = Rates(debug=True, ai_enforce_rate_limit_debug=True, ai_rate_per_min_pro=1)
        assert LimitPolicy.from_settings(guarded).single_write
        guarded.debug = False
        assert not LimitPolicy.from_settings(guarded).single_write


class TestLocalWindows:
    def test_exactly_the_limit_passes_and_the_window_ends(self) -> None:
        now = 100.0
        windows = LocalWindows(monotonic=lambda: now)
        assert [windows.take("a", 2).passed for _ in range(4)] == [True, True, False, False]
        assert windows.take("a", 2) == Taken(limit=2, left=0, resets_in_ms=60_000, passed=False)
        now = 160.0
        assert windows.take("a", 2).passed

    def test_it_is_bounded(self) -> None:
        windows = LocalWindows(max_windows=3)
        for number in range(10):
            windows.take(str(number), 1)
        assert len(windows._windows) == 3

    def test_what_is_given_back_can_be_taken_again(self) -> None:
        windows = LocalWindows()
        windows.take("a", 1)
        windows.give_back("a")
        windows.give_back("a")
        windows.give_back("never taken")
        assert windows.take("a", 1).passed
        assert not windows.take("a", 1).passed


class TestLimitHeaders:
    API = Taken(limit=600, left=599, resets_in_ms=59_001, passed=True)

    def test_they_follow_the_draft(self) -> None:
        assert limit_headers(Counted(self.API, None), "none", 0) == {
            "ratelimit-policy": '"api";q=600;w=60',
            "ratelimit": '"api";r=599;t=60',
        }

    def test_ai_answers_carry_their_own_pair(self) -> None:
        ai = Taken(limit=20, left=3, resets_in_ms=1, passed=True)
        headers = limit_headers(Counted(self.API, ai), "write", 20)
        assert (headers["x-ai-rate-limit"], headers["x-ai-rate-remaining"]) == ("20", "3")
        assert headers["ratelimit"] == '"api";r=599;t=60, "ai";r=3;t=1'
