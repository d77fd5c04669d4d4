"""Who listens to what: NATS grants and durable consumers are made from this table.

A service subscribes to whole entities, because `version` counts every fact of an aggregate: one who missed some of
them could not tell a gap from a fact it did not ask for.
"""

from __future__ import annotations

from typing import Final

SUBSCRIPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "gateway": (
        "billing.entitlements",
        "billing.subscription",
        "billing.credits",
        "billing.payment",
        "billing.usage",
        "billing.org",
        "billing.user",
        "ai.org",
        "ai.user",
        "exports.export",
        "exports.org",
        "exports.user",
        "uploads.org",
        "uploads.user",
    ),
    "billing": (
        "gateway.org",
        "gateway.user",
        "gateway.member",
        "ai.proposal",
        "ai.generation",
        "uploads.storage",
        "exports.storage",
    ),
    "ai": ("gateway.org", "gateway.user", "billing.entitlements", "uploads.file"),
    "exports": ("gateway.org", "gateway.user", "billing.entitlements", "ai.proposal", "ai.section", "uploads.storage"),
    "uploads": ("gateway.org", "gateway.user", "billing.entitlements", "exports.storage"),
}
"""By consumer: the `service.entity` pairs whose every fact it receives."""


def filter_subjects(service: str) -> list[str]:
    """The subjects of the service's durable consumer on the EVENTS stream."""
    return [f"events.{entity}.>" for entity in SUBSCRIPTIONS[service]]
