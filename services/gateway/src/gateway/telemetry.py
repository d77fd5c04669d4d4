"""The names of the gateway's signals."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DECISIONS = Counter("gateway_decisions", "Decisions by outcome (`allowed`, or the error code)", ["outcome"])
DECISION_SECONDS = Histogram(
    "gateway_decision_seconds",
    "Seconds that a decision took",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
LOOKUPS = Counter("gateway_decision_lookups", "Where the facts of a decision came from", ["source"])
VALKEY_UP = Gauge("gateway_valkey_up", "1 while Valkey answers; 0 while decisions fall back to PostgreSQL")
LOCAL_LIMITS = Counter("gateway_local_limits", "Limits that were counted in this process because Valkey was away")
LEASED = Counter("gateway_leased_requests", "Requests counted up front, for the edge to let pass without asking")
LEASES_UNSPENT = Counter("gateway_unspent_requests", "Requests counted up front that the edge gave back")
FORGET_PENDING = Gauge("gateway_forget_pending", "Cached facts that must still be dropped from Valkey")
ERASURES_OPEN = Gauge("gateway_erasures_open", "Erasures that a service has not answered yet")
ERASURE_OLDEST = Gauge("gateway_erasure_oldest_seconds", "Age of the oldest open erasure; 0 when there is none")
MAILS = Counter("gateway_mails", "Mails handed over", ["kind", "outcome"])

# Log events.
VALKEY_LOST = "valkey.lost"
VALKEY_BACK = "valkey.back"
"""Facts and limits are read from Valkey again."""
EPHEMERAL_KEY = "identity.ephemeral_signing_key"
DEBUG_RELAXED = "debug.relaxed"
PROVIDER_FAILED = "oauth.provider_failed"
MAIL_SENT = "mail.sent"
MAIL_HELD_BACK = "mail.held_back"
PART_UNREACHABLE = "openapi.part_unreachable"
ERASURE_CLOSED = "erasure.closed"
"""Every service has erased its part."""
ERASURE_UNKNOWN = "erasure.unknown_receipt"
