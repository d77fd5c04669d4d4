"""Valkey as the fast copy of the facts and the place where limits are counted. Everything in it may be lost."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision import scripts
from gateway.decision.facts import Caller, Counted, Facts, Place
from gateway.decision.limits import AiClass, LimitPolicy, Taken

T = TypeVar("T")

FACT_LIFE_MS: Final = 30_000
TOMBSTONE_MS: Final = 5_000
"""Longer than any read of PostgreSQL that could bring an old fact back, see LOOKUP_TIMEOUT_SECONDS."""
ANSWER_TIMEOUT_SECONDS: Final = 0.5
CONNECT_TIMEOUT_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 1.0
MAX_CONNECTIONS: Final = 32

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


def open_client(url: str) -> Redis:
    """A pooled client that fails fast: whoever asks has PostgreSQL behind it."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=ANSWER_TIMEOUT_SECONDS,
        socket_timeout=ANSWER_TIMEOUT_SECONDS,
        socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


class FactStore:
    """The scripts, with a breaker: after a failure Valkey is left alone for a second."""

    def __init__(self, client: Redis, policy: LimitPolicy, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._policy = policy
        self._monotonic = monotonic
        self._away_until = 0.0
        self._was_away = False
        self._decide = client.register_script(scripts.DECIDE)
        self._remember = client.register_script(scripts.REMEMBER)
        self._take = client.register_script(scripts.TAKE)
        telemetry.VALKEY_UP.set(1)

    async def decide(self, key: str, *, now: float, org_id: str, ai_class: AiClass) -> tuple[Facts, Counted] | None:
        """Facts and limits in one round trip; None when something is not known here.

        Raises:
            PermissionError: a key for another org than its own.
            ValkeyAway: it does not answer.
        """
        args = [f"{now:.3f}", org_id, *self._numbers(ai_class)]
        found = await self._ask(lambda: self._decide(keys=[key], args=args))
        if found[0] == "forbidden":
            raise PermissionError
        if found[0] != "known":
            return None
        user, home, session, scopes, email, name, ends = found[1]
        caller = Caller(user, home, session, scopes, email, name, float(ends))
        return Facts(caller, Place(*found[2])), _counted(found[3])

    async def remember(self, key: str, facts: Facts, *, ai_class: AiClass) -> Counted:
        """Keeps what PostgreSQL said, unless it was changed a moment ago, and counts the request. Raises ValkeyAway."""
        caller, place = facts.caller, facts.place
        keys = [key, member_key(caller.user_id, place.org_id), org_key(place.org_id)]
        args = [
            str(FACT_LIFE_MS),
            *(caller.user_id, caller.home_org_id, caller.session_id, caller.scopes, caller.email, caller.name),
            f"{caller.ends_at:.3f}",
            *(place.org_id, place.role, place.tier, place.org_name),
            *self._numbers(ai_class),
        ]
        return _counted(await self._ask(lambda: self._remember(keys=keys, args=args)))

    async def take(self, key: str, limit: int) -> Taken:
        """Counts one in a window of its own, unless the limit is reached. Raises ValkeyAway."""
        passed, left, resets_in_ms, _ = await self._ask(lambda: self._take(keys=[key], args=[str(limit)]))
        return Taken(limit, left, resets_in_ms, bool(passed))

    async def give_back(self, key: str) -> None:
        """Takes one back. Raises ValkeyAway."""
        await self._ask(lambda: self._client.decr(key))

    async def forget(self, keys: Sequence[str]) -> None:
        """Drops facts, and keeps them from coming back for a moment. Raises ValkeyAway."""

        async def bury() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                for key in keys:
                    pipe.delete(key)
                    pipe.hset(key, "gone", "1")
                    pipe.pexpire(key, TOMBSTONE_MS)
                await pipe.execute()

        await self._ask(bury)

    async def ping(self) -> None:
        """Raises when Valkey does not answer."""
        await self._client.get("bw:ping")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def _numbers(self, ai_class: AiClass) -> list[str]:
        policy = self._policy
        tiers = ("free", "pro", "enterprise")
        counts = policy.enforce_ai and ai_class != "none"
        return [
            *(str(policy.api_limit(tier)) for tier in tiers),
            *(str(policy.ai_limit(tier, ai_class)) for tier in tiers),
            str(int(counts)),
            str(int(policy.single_write and ai_class == "write")),
        ]

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        if self._monotonic() < self._away_until:
            raise ValkeyAway
        try:
            answer = await question()
        except (TimeoutError, RedisError, OSError) as error:
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


def _counted(numbers: Sequence[Any]) -> Counted:
    api_passed, api_left, api_ms, api_limit, ai_passed, ai_left, ai_ms, ai_limit = (int(number) for number in numbers)
    ai = None if ai_passed < 0 else Taken(ai_limit, ai_left, ai_ms, bool(ai_passed))
    return Counted(Taken(api_limit, api_left, api_ms, bool(api_passed)), ai)
