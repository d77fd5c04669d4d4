"""Traces at the edge: every request gets a `traceparent` (W3C Trace Context), its own or a new one.

Spans are sent only when there is a collector; without one the header alone ties the log lines of all parts together.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.edge.settings import EdgeSettings

CLUSTER: Final = "otlp"
EXPORT_TIMEOUT_SECONDS: Final = 2

_TYPE: Final = "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig"


def tracing(settings: EdgeSettings) -> dict[str, Any]:
    """The connection manager's `tracing`. A client's own trace context wins over the sampling here."""
    endpoint = settings.otel_exporter_otlp_endpoint or "http://none"
    tracer: dict[str, Any] = {
        "@type": _TYPE,
        "service_name": "bidwright-edge",
        "http_service": {
            "http_uri": {
                "uri": f"{endpoint.rstrip('/')}/v1/traces",
                "cluster": CLUSTER,
                "timeout": f"{EXPORT_TIMEOUT_SECONDS}s",
            }
        },
    }
    percent = {"value": round(100 * settings.trace_ratio, 4)}
    return {
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": tracer},
        "random_sampling": percent,
        "client_sampling": {"value": 0},
        "spawn_upstream_span": False,
        # The path carries what links in mails carry, so a span has no more of it than the access log.
        "max_path_tag_length": 0,
    }


def collector(settings: EdgeSettings) -> tuple[tuple[str, int], ...]:
    """Host and port of the collector; nothing without one, which Envoy needs no less as a cluster."""
    if not settings.otel_exporter_otlp_endpoint:
        return ()
    parts = urlsplit(settings.otel_exporter_otlp_endpoint)
    return ((str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)),)
