"""The names of the service's own signals."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

GENERATIONS = Counter("bidwright_ai_generations", "AI requests that ended", ["kind", "status", "model"])
GENERATION_SECONDS = Histogram(
    "bidwright_ai_generation_seconds",
    "Seconds from the start of an AI request to its end",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
TOKENS = Counter("bidwright_ai_tokens", "Tokens charged", ["kind", "model"])
