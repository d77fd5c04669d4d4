"""Which service answers which path: the one table that Envoy's config and the gateway's decision are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Route:
    """A path prefix and the service behind it.

    A prefix matches whole path segments: `/api/usage` matches `/api/usage` and `/api/usage/x`, never `/api/usagex`.
    `public` routes are not asked about at the gateway's decision: they check their own caller (a signature, a token).
    """

    prefix: str
    service: str
    public: bool = False


ROUTES: Final[tuple[Route, ...]] = (
    Route("/api/stripe/webhook", "billing", public=True),
    Route("/api/usage", "billing"),
    Route("/api/billing", "billing"),
    Route("/api/proposals", "ai"),
    Route("/api/sections", "ai"),
    Route("/api/answers", "ai"),
    Route("/api/ai", "ai"),
    Route("/api/exports", "exports"),
    Route("/api/uploads", "uploads"),
    Route("/api/auth", "gateway"),
    Route("/api/me", "gateway"),
    Route("/api/orgs", "gateway"),
    Route("/api/invites", "gateway"),
    Route("/api/keys", "gateway"),
    Route("/api/audit", "gateway"),
    Route("/api/openapi.json", "gateway", public=True),
    Route("/api/docs", "gateway", public=True),
    Route("/healthz", "gateway", public=True),
    Route("/readyz", "gateway", public=True),
)
"""In order of match: the first that fits wins."""


def match_route(path: str) -> Route | None:
    """The route for a request path without its query, or None (answered 404 at the edge)."""
    for route in ROUTES:
        if path == route.prefix or path.startswith(route.prefix + "/"):
            return route
    return None
