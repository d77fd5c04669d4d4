"""The decision: who is it, which org, how fast. Allowed with a signed identity, or refused with a reason."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from common.clock import Clock
from common.errors import BidwrightError, NotFound, RateLimited, Unauthenticated, Unavailable
from common.identity import HEADER
from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision.facts import Counted, Facts
from gateway.decision.leases import LEASE_HEADER, UNSPENT_HEADER, VERDICT_HEADER, read_unspent, verdict
from gateway.decision.limits import WINDOW_SECONDS, AiClass, LimitPolicy, LocalWindows, Taken
from gateway.decision.lookup import Lookup
from gateway.decision.requests import Ask, Credential
from gateway.decision.signer import Signer
from gateway.decision.valkey import FactStore, ValkeyAway, api_key_key, session_key
from gateway.errors import OrgForbidden, OriginForbidden
from gateway.tokens import hash_token

LIMIT_REMAINING: Final = "x-ai-rate-remaining"

_FROM_VALKEY: Final = telemetry.LOOKUPS.labels("valkey")

log = get_logger()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What Envoy is told; by its configuration each header goes on to the service, back to the caller or to itself."""

    headers: dict[str, str]


class Decider:
    """Decides. One for a process.

    Args:
        https: whether browsers use the `__Host-` cookie.
        allowed_origins: whose pages may write with a cookie, beside those of the host that was asked.
    """

    def __init__(
        self,
        *,
        store: FactStore,
        lookup: Lookup,
        signer: Signer,
        policy: LimitPolicy,
        clock: Clock,
        https: bool,
        allowed_origins: frozenset[str],
        local: LocalWindows | None = None,
    ) -> None:
        self._store = store
        self._lookup = lookup
        self._signer = signer
        self._policy = policy
        self._clock = clock
        self._https = https
        self._allowed_origins = allowed_origins
        self._local = local or LocalWindows()

    async def decide(self, ask: Ask) -> Allowed:
        """Raises the refusal (BidwrightError) that the client is to see."""
        audience = ask.audience
        if audience is None:
            raise NotFound
        if ask.is_public:
            return await self._decide_public(ask)
        credential = ask.credential(https=self._https)
        if credential is None:
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
        if ask.writes and not credential.is_key and not ask.origin_allowed(self._allowed_origins):
            raise OriginForbidden
        org_id = ask.org_id()
        if UNSPENT_HEADER in ask.headers:
            await self._give_back(ask.headers[UNSPENT_HEADER])
        facts, counted = await self._facts(ask, credential, "" if org_id is None else str(org_id))
        headers = limit_headers(counted, ask.ai_class, self._ai_limit(facts, ask.ai_class))
        if not counted.api.passed:
            raise RateLimited(retry_after=counted.api.reset_seconds, headers=headers)
        if counted.ai is not None and not counted.ai.passed:
            raise RateLimited(
                "Too many AI requests; wait and try again.", retry_after=counted.ai.reset_seconds, headers=headers
            )
        headers[HEADER] = self._signer.token(facts, audience)
        if counted.lease is not None:
            telemetry.LEASED.inc(counted.lease.requests)
            headers[VERDICT_HEADER] = verdict(facts, counted.api, counted.lease)
        return Allowed(headers)

    async def _decide_public(self, ask: Ask) -> Allowed:
        # Signing in changes whose browser this is, so another site's page may not do it either.
        if ask.writes and ask.origin_allowed(self._allowed_origins) is False:
            raise OriginForbidden
        taken = await self._take_anonymous(ask)
        return Allowed(limit_headers(Counted(taken, None), "none", 0))

    async def _facts(self, ask: Ask, credential: Credential, org_id: str) -> tuple[Facts, Counted]:
        token_hash = hash_token(credential.token)
        key = api_key_key(token_hash) if credential.is_key else session_key(token_hash)
        now = self._clock.now()
        try:
            found = await self._store.decide(
                key, now=now.timestamp(), org_id=org_id, ai_class=ask.ai_class, lease=LEASE_HEADER in ask.headers
            )
        except PermissionError:
            raise OrgForbidden from None
        except ValkeyAway:
            found = None
        if found is not None:
            _FROM_VALKEY.inc()
            return found
        facts = await self._from_postgres(ask, credential, token_hash, org_id)
        try:
            return facts, await self._store.remember(key, facts, ai_class=ask.ai_class)
        except ValkeyAway:
            return facts, self._count_locally(facts, ask.ai_class)

    async def _give_back(self, unspent: str) -> None:
        for user_id, org_id, lease in read_unspent(unspent):
            with suppress(ValkeyAway):
                await self._store.give_back_lease(user_id, org_id, lease)
                telemetry.LEASES_UNSPENT.inc(lease.requests)

    async def _from_postgres(self, ask: Ask, credential: Credential, token_hash: str, org_id: str) -> Facts:
        telemetry.LOOKUPS.labels("postgres").inc()
        try:
            caller, place = await self._lookup.find(
                token_hash, is_key=credential.is_key, org_id=org_id, now=self._clock.now()
            )
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            log.error("decision.lookup_failed", error=repr(error))
            raise Unavailable("Sign-in cannot be checked just now; try again in a moment.", retry_after=2) from error
        if caller is None:
            # Each wrong credential costs a lookup, so a stranger gets only so many; and so does who tries orgs.
            await self._take_anonymous(ask)
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
        if place is None:
            await self._take(f"bw:r:api:{caller.user_id}:{caller.home_org_id}", self._policy.api_limit("free"))
            raise OrgForbidden
        return Facts(caller, place)

    async def _take_anonymous(self, ask: Ask) -> Taken:
        return await self._take(f"bw:r:anon:{ask.client_address}", self._policy.anonymous)

    async def _take(self, key: str, limit: int) -> Taken:
        try:
            taken = await self._store.take(key, limit)
        except ValkeyAway:
            telemetry.LOCAL_LIMITS.inc()
            taken = self._local.take(key, limit)
        if not taken.passed:
            raise RateLimited(retry_after=taken.reset_seconds, headers=limit_headers(Counted(taken, None), "none", 0))
        return taken

    def _count_locally(self, facts: Facts, ai_class: AiClass) -> Counted:
        telemetry.LOCAL_LIMITS.inc()
        place = f"{facts.caller.user_id}:{facts.place.org_id}"
        api = self._local.take(f"bw:r:api:{place}", self._policy.api_limit(facts.place.tier))
        limit = self._ai_limit(facts, ai_class)
        if not api.passed or ai_class == "none" or not limit or not self._policy.enforce_ai:
            return Counted(api, None)
        return Counted(api, self._local.take(f"bw:r:ai:{place}", limit))

    def _ai_limit(self, facts: Facts, ai_class: AiClass) -> int:
        return self._policy.ai_limit(facts.place.tier, ai_class)


def limit_headers(counted: Counted, ai_class: AiClass, ai_limit: int) -> dict[str, str]:
    """The limits as the client sees them (IETF draft `RateLimit` fields, and the AI pair on AI routes)."""
    shown = [("api", counted.api)]
    if counted.ai is not None:
        shown.append(("ai", counted.ai))
    headers = {
        "ratelimit-policy": ", ".join(f'"{name}";q={taken.limit};w={WINDOW_SECONDS}' for name, taken in shown),
        "ratelimit": ", ".join(f'"{name}";r={taken.left};t={taken.reset_seconds}' for name, taken in shown),
    }
    if ai_class != "none":
        left = counted.ai.left if counted.ai is not None else ai_limit
        headers |= {"x-ai-rate-limit": str(ai_limit), LIMIT_REMAINING: str(left)}
    return headers


def outcome(error: BidwrightError | None) -> str:
    """The decision's label in the metrics."""
    return "allowed" if error is None else error.error
