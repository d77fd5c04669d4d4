"""Valkey as the fast copy of the facts and the place where limits are counted. Everything in it may be lost."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from common.revocations import key_reference, session_reference
from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision import scripts
from gateway.decision.facts import Caller, Counted, Facts, Lease, Place
from gateway.decision.limits import AiClass, LimitPolicy, Taken
from gateway.decision.multiplexed import Client, ReplyError, Script

FACT_LIFE_MS: Final = 30_000
TOMBSTONE_MS: Final = 5_000
"""Longer than any read of PostgreSQL that could bring an old fact back, see LOOKUP_TIMEOUT_SECONDS."""
RETRY_SECONDS: Final = 1.0
MAX_KEPT: Final = 10_000
TIERS: Final = ("free", "pro", "enterprise")
AI_CLASSES: Final[tuple[AiClass, ...]] = ("none", "ai", "plan", "write")

log = get_logger()


class ValkeyAway(Exception):
    """Valkey does not answer; decide without it."""


def session_key(token_hash: str) -> str:
    """Where a session's facts are."""
    return f"bw:s:{token_hash}"


def api_key_key(key_hash: str) -> str:
    """Where an API key's facts are."""
    return f"bw:k:{key_hash}"


def member_key(user_id: object, org_id: object) -> str:
    """Where a membership is."""
    return f"bw:m:{user_id}:{org_id}"


def org_key(org_id: object) -> str:
    """Where an org's name and tier are."""
    return f"bw:o:{org_id}"


def reference(key: str) -> str:
    """The same fact as a revocation names it."""
    _, kind, rest = key.split(":", 2)
    if kind == "s":
        return session_reference(rest)
    return key_reference(rest) if kind == "k" else f"{kind}:{rest}"


def window_key(user_id: object, org_id: object) -> str:
    """Where a user's requests in an org are counted."""
    return f"bw:r:api:{user_id}:{org_id}"


class FactStore:
    """The scripts, with a breaker: after a failure Valkey is left alone for a second."""

    def __init__(self, client: Client, policy: LimitPolicy, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._numbers = {ai_class: _numbers(policy, ai_class) for ai_class in AI_CLASSES}
        self._monotonic = monotonic
        self._away_until = 0.0
        self._was_away = False
        self._kept: dict[tuple[str, ...], Facts] = {}
        telemetry.VALKEY_UP.set(1)

    async def decide(
        self, key: str, *, now: float, org_id: str, ai_class: AiClass, lease: bool = False
    ) -> tuple[Facts, Counted] | None:
        """Facts and limits in one round trip; None when something is not known here.

        Args:
            lease: whether the edge would take a lease.

        Raises:
            PermissionError: a key for another org than its own.
            ValkeyAway: it does not answer.
        """
        args = (f"{now:.3f}", org_id, "1" if lease else "0", *self._numbers[ai_class])
        found = await self._run(scripts.DECIDE, (key,), args)
        if found[0] != "known":
            if found[0] == "forbidden":
                raise PermissionError
            return None
        return self._facts((*found[1:12], reference(key))), _counted(found[12:])

    async def remember(self, key: str, facts: Facts, *, ai_class: AiClass) -> Counted:
        """Keeps what PostgreSQL said, unless it was changed a moment ago, and counts the request. Raises ValkeyAway."""
        caller, place = facts.caller, facts.place
        keys = (key, member_key(caller.user_id, place.org_id), org_key(place.org_id))
        args = (
            str(FACT_LIFE_MS),
            *(caller.user_id, caller.home_org_id, caller.session_id, caller.scopes, caller.email, caller.name),
            f"{caller.ends_at:.3f}",
            *(place.org_id, place.role, place.tier, place.org_name),
            *self._numbers[ai_class],
        )
        return _counted(await self._run(scripts.REMEMBER, keys, args))

    async def take(self, key: str, limit: int) -> Taken:
        """Counts one in a window of its own, unless the limit is reached. Raises ValkeyAway."""
        passed, left, resets_in_ms, _ = await self._run(scripts.TAKE, (key,), (str(limit),))
        return Taken(limit, left, resets_in_ms, bool(passed))

    async def give_back(self, key: str) -> None:
        """Takes one back. Raises ValkeyAway."""
        await self._guarded(lambda: self._client.call("DECR", key))

    async def give_back_lease(self, user_id: str, org_id: str, lease: Lease) -> None:
        """Takes back what the edge did not spend, while its window lasts. Raises ValkeyAway."""
        args = (str(lease.requests), str(lease.window_ends_ms))
        await self._run(scripts.GIVE_BACK, (window_key(user_id, org_id),), args)

    async def forget(self, keys: Sequence[str]) -> None:
        """Drops facts, and keeps them from coming back for a moment. Raises ValkeyAway."""
        await self._run(scripts.BURY, tuple(keys), (str(TOMBSTONE_MS),))

    async def ping(self) -> None:
        """Raises when Valkey does not answer."""
        await self._client.call("GET", "bw:ping")

    async def close(self) -> None:
        """Closes the connection."""
        await self._client.close()

    def _facts(self, fields: tuple[str, ...]) -> Facts:
        """The same fields give the same object, so that a caller's facts are built once, not for each request."""
        kept = self._kept.get(fields)
        if kept is None:
            user, home, session, scopes, email, name, ends_at, *place, credential = fields
            caller = Caller(user, home, session, scopes, email, name, float(ends_at), credential)
            kept = Facts(caller, Place(*place))
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[fields] = kept
        return kept

    async def _run(self, script: Script, keys: tuple[str, ...], args: tuple[str, ...]) -> Any:
        return await self._guarded(lambda: self._client.run(script, keys, args))

    async def _guarded(self, question: Callable[[], Awaitable[Any]]) -> Any:
        if self._monotonic() < self._away_until:
            raise ValkeyAway
        try:
            answer = await question()
        except (TimeoutError, ReplyError, OSError) as error:
            self._away_until = self._monotonic() + RETRY_SECONDS
            if not self._was_away:
                self._was_away = True
                telemetry.VALKEY_UP.set(0)
                log.error(telemetry.VALKEY_LOST, error=repr(error), fallback="postgresql, limits per process")
            raise ValkeyAway from error
        if self._was_away:
            self._was_away = False
            telemetry.VALKEY_UP.set(1)
            log.info(telemetry.VALKEY_BACK)
        return answer


def _numbers(policy: LimitPolicy, ai_class: AiClass) -> tuple[str, ...]:
    """The limits as the scripts take them."""
    counts = policy.enforce_ai and ai_class != "none"
    return (
        *(str(policy.api_limit(tier)) for tier in TIERS),
        *(str(policy.ai_limit(tier, ai_class)) for tier in TIERS),
        str(int(counts)),
        str(int(policy.single_write and ai_class == "write")),
    )


def _counted(numbers: Sequence[int]) -> Counted:
    api_passed, api_left, api_ms, api_limit, ai_passed, ai_left, ai_ms, ai_limit, *leased = numbers
    ai = None if ai_passed < 0 else Taken(ai_limit, ai_left, ai_ms, bool(ai_passed))
    lease = Lease(*leased) if leased and leased[0] else None
    return Counted(Taken(api_limit, api_left, api_ms, bool(api_passed)), ai, lease)
