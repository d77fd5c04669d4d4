"""The names of the service's own signals."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

GENERATIONS = Counter("bidwright_ai_generations", "AI requests that ended", ["kind", "status", "model"])
GENERATION_SECONDS = Histogram(
    "bidwright_ai_generation_seconds",
    "Seconds from the start of an AI request to its end",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
TOKENS = Counter("bidwright_ai_tokens", "Tokens charged", ["kind", "model"])
PROVIDER_CALLS = Counter(
    "bidwright_ai_provider_calls", "Calls to an AI provider by how they ended", ["provider", "outcome"]
)
PROVIDER_FIRST_TOKEN_SECONDS = Histogram(
    "bidwright_ai_provider_first_token_seconds",
    "Seconds from a call to the first piece of its answer",
    ["provider"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
PROVIDER_OPEN = Gauge(
    "bidwright_ai_provider_breaker_open", "1 while calls to the provider are held back after failures", ["provider"]
)
