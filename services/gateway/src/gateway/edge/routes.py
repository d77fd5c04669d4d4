"""Routes, from the one route table: which path goes where, how long it may take, and whether the gateway is asked."""

from __future__ import annotations

import re
from typing import Any

from contracts.routes import ROUTES, Route
from gateway.edge.replies import UPLOAD_PATHS
from gateway.edge.settings import EdgeSettings
from gateway.edge.verdicts import INTERNAL_HEADERS, limits_of_the_known

EXT_AUTHZ = "envoy.filters.http.ext_authz"
BODY_SMALL = "bidwright.body_size_limit.default"
COMPRESSOR = "envoy.filters.http.compressor"
CORS = "envoy.filters.http.cors"

TIMEOUT_SECONDS = {"gateway": 15, "ai": 300, "exports": 180, "uploads": 300}
"""Longest honest answer of a service: ai and exports may be asked to answer with the result instead of a job."""
DEFAULT_TIMEOUT_SECONDS = 30
STREAM_IDLE_SECONDS = 120
"""A stream sends a comment every few seconds; silence for this long means that its sender is gone."""

EXPORT_PATH = "/api/audit/export"
STATIC_PATHS = ("/", "/favicon.ico", "/favicon.svg", "/robots.txt")
SECRET_PREFIXES = ("/api/auth", "/api/me", "/api/keys", "/api/invites")
"""Answers with secrets beside what a caller chose: compressing them would leak them (BREACH)."""

ELSEWHERE: dict[str, Any] = {
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}
"""Trying again, another replica is asked where there is one."""

_TUS = ("tus-resumable", "upload-length", "upload-offset")
_CORS_ASKED = ("last-event-id", "prefer", "x-org-id", *_TUS, "upload-metadata", "upload-checksum")
_CORS_TOLD = ("retry-after", "x-request-id", *_TUS, "upload-expires")
_FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
_EXT_AUTHZ_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
_COMPRESSOR_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.CompressorPerRoute"
_CORS_POLICY = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"


def route_config(settings: EdgeSettings) -> dict[str, Any]:
    """The route configuration: our hosts, and a refusal for every other."""
    hosts = [f"*{host}" if host.startswith(".") else host for host in settings.hosts]
    app: dict[str, Any] = {
        "name": "app",
        "domains": hosts,
        "routes": _app_routes(),
        "request_headers_to_remove": list(INTERNAL_HEADERS),
        # What a service does not say otherwise about is one person's, and to be asked for again.
        "response_headers_to_add": [
            {"header": {"key": "cache-control", "value": "private, no-cache"}, "append_action": "ADD_IF_ABSENT"},
            *(limits_of_the_known() if settings.edge_verdict_cache else ()),
        ],
    }
    if settings.cors_origins:
        app["typed_per_filter_config"] = {CORS: _cors_policy(settings)}
    virtual_hosts = [app]
    if "*" not in hosts:
        # Health checks name the address that they connect to, so they are answered for any host.
        refused = [_health_route(), _ready_route(), _refusal({"prefix": "/"}, 421)]
        virtual_hosts.append({"name": "other", "domains": ["*"], "routes": refused})
    return {
        "name": "edge",
        "virtual_hosts": virtual_hosts,
        "ignore_port_in_host_matching": True,
        "validate_clusters": True,
    }


def _app_routes() -> list[dict[str, Any]]:
    routes = [_health_route(), _ready_route()]
    routes += [_stream_route(route) for route in ROUTES if route.service not in ("gateway", "billing")]
    for path in UPLOAD_PATHS:
        service = next(route.service for route in ROUTES if path.startswith(route.prefix))
        routes.append(_file_route(path, service))
    routes.append(_long_answer(EXPORT_PATH, "gateway"))
    routes += [_service_route(route) for route in ROUTES if route.prefix not in ("/healthz", "/readyz")]
    routes += [_unasked({"path": path}) for path in STATIC_PATHS]
    routes.append(_unasked({"path_separated_prefix": "/app"}))
    routes.append(_refusal({"prefix": "/"}, 404))
    return routes


def _forward(service: str, timeout_seconds: int) -> dict[str, Any]:
    return {
        "cluster": service,
        "timeout": f"{timeout_seconds}s",
        # Only what never reached the service is tried again, so no write can happen twice.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 2,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            **ELSEWHERE,
        },
    }


def _service_route(route: Route) -> dict[str, Any]:
    built: dict[str, Any] = {
        "match": {"path_separated_prefix": route.prefix},
        "route": _forward(route.service, _timeout(route.service)),
    }
    per_filter = _unasked_filters() if route.public else {}
    if route.prefix in SECRET_PREFIXES:
        per_filter[COMPRESSOR] = {"@type": _COMPRESSOR_PER_ROUTE, "disabled": True}
    if per_filter:
        built["typed_per_filter_config"] = per_filter
    return built


def _stream_route(route: Route) -> dict[str, Any]:
    """Server-sent events: no end, but not silent for ever."""
    forward = _forward(route.service, 0) | {"idle_timeout": f"{STREAM_IDLE_SECONDS}s"}
    return {"match": {"safe_regex": {"regex": f"{re.escape(route.prefix)}/(.+/)?events"}}, "route": forward}


def _long_answer(path: str, service: str) -> dict[str, Any]:
    """An answer as long as what was asked for: no end, but not silent for ever."""
    return {
        "match": {"path": path},
        "route": _forward(service, 0) | {"idle_timeout": f"{STREAM_IDLE_SECONDS}s"},
    }


def _file_route(prefix: str, service: str) -> dict[str, Any]:
    return {
        "match": {"path_separated_prefix": prefix},
        "route": _forward(service, _timeout(service)),
        "typed_per_filter_config": {BODY_SMALL: {"@type": _FILTER_CONFIG, "disabled": True}},
    }


def _health_route() -> dict[str, Any]:
    return _unasked({"path": "/healthz"})


def _ready_route() -> dict[str, Any]:
    # /readyz of the gateway's own port is its own; the edge's sums all services.
    built = _unasked({"path": "/readyz"})
    built["route"]["prefix_rewrite"] = "/edge/readyz"
    return built


def _unasked(match: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": match,
        "route": _forward("gateway", _timeout("gateway")),
        "typed_per_filter_config": _unasked_filters(),
    }


def _refusal(match: dict[str, Any], status: int) -> dict[str, Any]:
    return {"match": match, "direct_response": {"status": status}, "typed_per_filter_config": _unasked_filters()}


def _unasked_filters() -> dict[str, Any]:
    return {EXT_AUTHZ: {"@type": _EXT_AUTHZ_PER_ROUTE, "disabled": True}}


def _cors_policy(settings: EdgeSettings) -> dict[str, Any]:
    return {
        "@type": _CORS_POLICY,
        "allow_origin_string_match": [{"exact": origin} for origin in settings.cors_origins],
        "allow_methods": "GET, POST, PUT, PATCH, DELETE",
        "allow_headers": ", ".join(("authorization", "content-type", "if-match", "idempotency-key", *_CORS_ASKED)),
        "expose_headers": ", ".join(("etag", "location", "ratelimit", "ratelimit-policy", *_CORS_TOLD)),
        "allow_credentials": True,
        "max_age": "600",
    }


def _timeout(service: str) -> int:
    return TIMEOUT_SECONDS.get(service, DEFAULT_TIMEOUT_SECONDS)
