"""The names of the service's own signals."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

STRIPE_DELIVERIES: Final = Counter(
    "bidwright_stripe_deliveries",
    "Webhooks received: accepted, duplicate, invalid_signature or invalid_payload",
    ["outcome"],
)
STRIPE_EVENTS_HANDLED: Final = Counter(
    "bidwright_stripe_events_handled", "Webhooks handled: applied, stale, ignored or parked", ["outcome", "reason"]
)
STRIPE_EVENT_SECONDS: Final = Histogram(
    "bidwright_stripe_event_seconds",
    "Seconds from a webhook's arrival to its effect; what is parked or ignored has none",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
STRIPE_EVENTS_WAITING: Final = Gauge("bidwright_stripe_events_waiting", "Webhooks that wait to be applied")
STRIPE_EVENTS_OLDEST: Final = Gauge("bidwright_stripe_events_oldest_seconds", "Age of the oldest waiting webhook")
STRIPE_EVENTS_PARKED: Final = Gauge("bidwright_stripe_events_parked", "Webhooks that wait for someone to look at them")
RECONCILE_RUNS: Final = Counter(
    "bidwright_stripe_reconcile_runs", "Comparisons with Stripe: done, partial or failed", ["outcome"]
)
RECONCILE_CHANGES: Final = Counter(
    "bidwright_stripe_reconcile_changes",
    "What a comparison with Stripe set right: missed_event, early_event (its webhook may be on its"
    " way) or subscription. More than a few mean that webhooks get lost",
    ["what"],
)
