"""What is asked: the original request as Envoy shows it, and what can be said of it without looking anything up."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from common.ids import parse_id
from contracts.routes import match_route
from gateway.decision.limits import AiClass
from gateway.errors import InvalidOrgId
from gateway.tokens import KEY_PREFIX, MAX_TOKEN_LENGTH

AUTHZ_PREFIX: Final = "/authz"
COOKIE_HTTP: Final = "bidwright"
COOKIE_HTTPS: Final = "__Host-bidwright"
IPV6_PREFIX: Final = 64
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_PUBLIC_PATHS: Final = frozenset(
    {
        "/api/auth/register",
        "/api/auth/login",
        "/api/auth/email/verify",
        "/api/auth/password/forgot",
        "/api/auth/password/reset",
        "/api/auth/providers",
        "/api/auth/passkeys/sign-in",
        "/api/auth/passkeys/sign-in/options",
    }
)
_OAUTH_PREFIX: Final = "/api/auth/oauth/"
_INVITES_PREFIX: Final = "/api/invites/"

_AI_PATHS: Final[dict[str, AiClass]] = {
    "/api/ai/plan": "plan",
    "/api/ai/write": "write",
    "/api/ai/revise": "ai",
    "/api/ai/format": "ai",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """What the caller shows: a session cookie or an API key."""

    token: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `headers` are lower-case; a repeated header's values are joined by a comma."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def audience(self) -> str | None:
        """The service that would answer; None when no route fits."""
        route = match_route(self.path)
        return route.service if route else None

    @property
    def is_public(self) -> bool:
        """Whether the gateway itself answers this to anyone: signing in, and what leads there."""
        if self.path in _PUBLIC_PATHS or self.path.startswith(_OAUTH_PREFIX):
            return True
        rest = self.path.removeprefix(_INVITES_PREFIX)
        return self.method in SAFE_METHODS and rest != self.path and bool(rest) and "/" not in rest

    @property
    def writes(self) -> bool:
        """Whether the method may change something."""
        return self.method not in SAFE_METHODS

    @property
    def ai_class(self) -> AiClass:
        """Which AI limit it counts against; polling and cancelling count against none."""
        if self.method != "POST":
            return "none"
        if self.path.startswith("/api/ai/jobs/") and self.path.endswith("/retry"):
            return "ai"
        return _AI_PATHS.get(self.path.rstrip("/"), "none")

    @property
    def client_address(self) -> str:
        """Whose requests count together: the address that the edge has written, or its network."""
        return countable(self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip())

    def credential(self, *, https: bool) -> Credential | None:
        """The API key, else the session cookie; None when there is neither, or it cannot be one of ours."""
        if "authorization" in self.headers:
            scheme, _, token = self.headers["authorization"].partition(" ")
            token = token.strip()
            fits = scheme.lower() == "bearer" and token.startswith(KEY_PREFIX) and len(token) <= MAX_TOKEN_LENGTH
            return Credential(token, is_key=True) if fits else None
        token = cookie_value(self.headers.get("cookie", ""), COOKIE_HTTPS if https else COOKIE_HTTP)
        return Credential(token, is_key=False) if 0 < len(token) <= MAX_TOKEN_LENGTH else None

    def org_id(self) -> UUID | None:
        """The org that is asked for, None when none is. Raises InvalidOrgId when it is malformed or asked for twice."""
        asked = [self.headers["x-org-id"]] if "x-org-id" in self.headers else []
        # A browser's EventSource cannot send headers.
        if self.method == "GET" and self.path.endswith("/events"):
            asked += parse_qs(self.query, keep_blank_values=True).get("org_id", [])
        if not asked:
            return None
        org_id = parse_id(asked[0].strip())
        if org_id is None or len(set(asked)) > 1:
            raise InvalidOrgId
        return org_id

    def origin_allowed(self, allowed: frozenset[str]) -> bool | None:
        """Whether the page that sent this may write; None when the request does not say where it comes from.

        A page of the host that was asked is ours: the edge answers for our own hosts only.
        """
        origin = self.headers.get("origin")
        if origin is not None:
            try:
                parts = urlsplit(origin)
            except ValueError:
                return False
            scheme = self.headers.get("x-forwarded-proto", "http")
            same_host = bool(parts.netloc) and parts.netloc == self.headers.get("host") and parts.scheme == scheme
            return same_host or origin in allowed
        site = self.headers.get("sec-fetch-site")
        return None if site is None else site == "same-origin"


def countable(address: str) -> str:
    """What limits per address go by: for IPv6 the /64, which one subscriber has to themselves."""
    if ":" not in address:
        return address or "unknown"
    try:
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
    except ValueError:
        return "unknown"


def cookie_value(header: str, name: str) -> str:
    """The first cookie of that name in a Cookie header, or nothing."""
    for part in header.split(";"):
        key, separator, value = part.strip().partition("=")
        if separator and key == name:
            return value
    return ""
