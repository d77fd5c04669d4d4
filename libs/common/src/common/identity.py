"""The signed identity: who asks, for which org, in which role and tier.

The gateway signs it (EdDSA JWS, RFC 7515 and RFC 8037) for one audience and for about a minute; each service verifies
it with the gateway's published keys before it does anything. A request without it came round the gateway: refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import Depends, Request

from common.errors import RoleForbidden, ScopeForbidden, Unauthenticated, Unavailable
from common.telemetry import get_logger

HEADER: Final = "x-bidwright-identity"
ISSUER: Final = "bidwright-gateway"
VERIFIED_AT_MOST: Final = 1024
"""Tokens that are remembered, some 2 KiB each."""
VERIFIED_SECONDS: Final = 30.0
"""How long; then the key that signed one is looked for again, as it may have been withdrawn."""
LEEWAY_SECONDS: Final = 5
JWKS_TIMEOUT_SECONDS: Final = 2.0
JWKS_MIN_INTERVAL_SECONDS: Final = 1.0
"""The keys are asked for at most this often, so that forged key ids cannot flood the gateway."""
KEYS_FRESH_SECONDS: Final = 60.0
"""Older keys are fetched again beside the request that uses one, so that a withdrawn key is forgotten."""
KEYS_STALE_SECONDS: Final = 120.0
"""Still older ones, of a service that had nothing to do, are fetched again before one is used."""

Role = Literal["viewer", "member", "admin", "owner"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From least to most; a role may do what those before it may."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of a request, as the gateway knows them."""

    user_id: UUID
    org_id: UUID
    role: Role
    tier: str = "free"
    scopes: frozenset[str] | None = None
    """None for a browser session, which may do whatever the role may."""
    session_id: UUID | None = None
    email: str = ""
    name: str = ""
    org_name: str = ""
    credential: str = ""
    """Which session or key it came with, as a revocation names it; see `common.revocations`."""
    issued_at: int = 0
    """Seconds since the epoch."""

    def has_role(self, least: Role) -> bool:
        """Whether the role is at least `least`."""
        return ROLES.index(self.role) >= ROLES.index(least)

    def has_scope(self, scope: str) -> bool:
        """Whether the caller's key, if it is a key, has the scope."""
        return self.scopes is None or scope in self.scopes


def sign(
    identity: Identity, *, audience: str, key: Ed25519PrivateKey, key_id: str, issued_at: int, ttl_seconds: int = 60
) -> str:
    """The identity as a compact JWS for one service. `issued_at` is in seconds since the epoch."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + ttl_seconds,
        "sub": str(identity.user_id),
        "org": str(identity.org_id),
        "role": identity.role,
        "tier": identity.tier,
        "email": identity.email,
        "name": identity.name,
        "org_name": identity.org_name,
        "cred": identity.credential,
    }
    if identity.scopes is not None:
        claims["scopes"] = sorted(identity.scopes)
    if identity.session_id is not None:
        claims["sid"] = str(identity.session_id)
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id})


@dataclass
class KeySet:
    """The gateway's public keys: fetched when an unknown key id turns up, and again with age.

    Keys that cannot be fetched again stay as they are: a gateway that is away lets nobody in anyway. Without a `url`
    the set is what it was made with.
    """

    url: str = ""
    keys: dict[str, Ed25519PublicKey] = field(default_factory=dict)
    _asked_at: float = float("-inf")
    _known_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refreshing: asyncio.Task[None] | None = None

    async def get(self, key_id: str) -> Ed25519PublicKey | None:
        """The key, or None when the gateway does not publish it. Raises Unavailable when no key could be had yet.

        An unknown key id waits for the next fetch that may be made, a second and the fetch's time-out at most: were it
        refused meanwhile, forged ones could have a new key refused during a rotation.
        """
        now = time.monotonic()
        if not self.url:
            return self.keys.get(key_id)
        age = now - self._known_at
        if key_id not in self.keys:
            await self._fetch_since(now, key_id)
        elif age >= KEYS_STALE_SECONDS:
            await self._refresh()
        elif age >= KEYS_FRESH_SECONDS and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._refresh())
        return self.keys.get(key_id)

    async def _fetch_since(self, moment: float, key_id: str) -> None:
        """Returns when the key is known, or a fetch was begun after the moment and has ended."""
        async with self._lock:
            if key_id in self.keys or self._asked_at >= moment:
                return
            await asyncio.sleep(self._asked_at + JWKS_MIN_INTERVAL_SECONDS - time.monotonic())
            await self._fetch()

    async def _refresh(self) -> None:
        async with self._lock:
            now = time.monotonic()
            if now - self._known_at >= KEYS_FRESH_SECONDS and now - self._asked_at >= JWKS_MIN_INTERVAL_SECONDS:
                await self._fetch()

    async def _fetch(self) -> None:
        self._asked_at = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=JWKS_TIMEOUT_SECONDS, trust_env=False) as client:
                response = await client.get(self.url)
                response.raise_for_status()
                published = jwt.PyJWKSet.from_dict(response.json())
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            log.warning("identity.keys_unreachable", url=self.url, error=str(error))
            if not self.keys:
                raise Unavailable("The sign-in keys cannot be reached just now; try again in a moment.") from error
            return
        self.keys = {str(key.key_id): key.key for key in published.keys}
        self._known_at = self._asked_at


class IdentityVerifier:
    """Verifies the signed identity for one service."""

    def __init__(self, audience: str, keys: KeySet) -> None:
        self._audience = audience
        self._keys = keys
        self._verified: dict[str, tuple[Identity, float]] = {}
        """The gateway sends the same token with a session's requests for part of a minute."""

    async def verify(self, token: str) -> Identity:
        """The identity inside; raises Unauthenticated when it is missing, forged, for another service or too old."""
        known, now = self._verified.get(token), time.time()
        if known is not None and now < known[1]:
            return known[0]
        identity, expires = await self._verify(token)
        if len(self._verified) >= VERIFIED_AT_MOST:
            self._verified.clear()
        self._verified[token] = (identity, min(expires, now + VERIFIED_SECONDS))
        return identity

    async def _verify(self, token: str) -> tuple[Identity, float]:
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._keys.get(key_id)
            if key is None:
                raise Unauthenticated
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=self._audience,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "sub", "org", "role"]},
            )
            if claims["role"] not in ROLES:
                raise Unauthenticated
            identity = Identity(
                user_id=UUID(claims["sub"]),
                org_id=UUID(claims["org"]),
                role=claims["role"],
                tier=str(claims.get("tier", "free")),
                scopes=frozenset(claims["scopes"]) if "scopes" in claims else None,
                session_id=UUID(claims["sid"]) if "sid" in claims else None,
                email=str(claims.get("email", "")),
                name=str(claims.get("name", "")),
                org_name=str(claims.get("org_name", "")),
                credential=str(claims.get("cred", "")),
                issued_at=int(claims["iat"]),
            )
            return identity, float(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated from error


async def current_identity(request: Request) -> Identity:
    """The verified caller of this request; raises Unauthenticated."""
    verifier: IdentityVerifier = request.app.state.identity_verifier
    identity = await verifier.verify(request.headers.get(HEADER, ""))
    structlog.contextvars.bind_contextvars(org_id=str(identity.org_id))
    return identity


def require(role: Role = "viewer", scope: str | None = None) -> Callable[..., Any]:
    """A FastAPI dependency: the caller, who has at least `role` and, with an API key, `scope`.

    Raises Unauthenticated, RoleForbidden or ScopeForbidden.
    """

    async def dependency(identity: Annotated[Identity, Depends(current_identity)]) -> Identity:
        if not identity.has_role(role):
            raise RoleForbidden
        if scope is not None and not identity.has_scope(scope):
            raise ScopeForbidden(f"This API key lacks the scope {scope}; make one that has it.")
        return identity

    return dependency
