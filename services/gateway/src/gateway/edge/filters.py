"""The HTTP filters, in order. The order is the security: strip, cap, ask, compress, route."""

from __future__ import annotations

from typing import Any

from common.identity import HEADER
from gateway.edge.headers import as_mutations, security_headers
from gateway.edge.replies import upload_body_max_bytes
from gateway.edge.routes import BODY_SMALL, COMPRESSOR, CORS, ELSEWHERE, EXT_AUTHZ
from gateway.edge.settings import EdgeSettings
from gateway.edge.verdicts import decision

AUTHZ_PREFIX = "/authz"
AUTHZ_TIMEOUT_SECONDS = 3
_TYPE = "type.googleapis.com/envoy.extensions"

ASKED_HEADERS = (
    "authorization",
    "cookie",
    "origin",
    "sec-fetch-site",
    "traceparent",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-org-id",
    "x-request-id",
)
LIMIT_HEADERS = ("ratelimit", "ratelimit-policy", "x-ai-rate-limit", "x-ai-rate-remaining")
REFUSAL_HEADERS = (*LIMIT_HEADERS, "content-type", "retry-after", "www-authenticate")
# Event streams are not among them: they must not wait in a compressor.
COMPRESSED_TYPES = r"(application/(javascript|json|problem.json)|image/svg|text/(css|html|java|plain)).*"


def http_filters(settings: EdgeSettings) -> list[dict[str, Any]]:
    """The chain of the one listener."""
    chain = [_headers(settings), _ready()]
    if settings.cors_origins:
        chain.append({"name": CORS, "typed_config": {"@type": f"{_TYPE}.filters.http.cors.v3.Cors"}})
    return [
        *chain,
        _body_limit(BODY_SMALL, settings.edge_body_max_bytes),
        _body_limit("bidwright.body_size_limit.upload", upload_body_max_bytes(settings)),
        *decision(settings, _ext_authz()),
        _compressor(),
        {
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": f"{_TYPE}.filters.http.router.v3.Router",
                "suppress_envoy_headers": True,
            },
        },
    ]


def _headers(settings: EdgeSettings) -> dict[str, Any]:
    """First on the way in: what only we may say is removed. Last on the way out: the security headers."""
    return {
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {
                "request_mutations": [
                    {"remove": HEADER},
                    {"remove_on_match": {"key_matcher": {"prefix": "x-bidwright-", "ignore_case": True}}},
                    {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-", "ignore_case": True}}},
                    # One address, ours to say: limits, sessions and logs of every service go by it.
                    _say("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
                    _say("x-forwarded-proto", "https" if settings.https else "http"),
                ],
                "response_mutations": [
                    {"remove": "server"},
                    *({"append": mutation} for mutation in as_mutations(security_headers(settings))),
                ],
            },
        },
    }


def _ready() -> dict[str, Any]:
    """/readyz says 503 by itself from the moment that the edge drains (`/healthcheck/fail`): no new work."""
    return {
        "name": "envoy.filters.http.health_check",
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.health_check.v3.HealthCheck",
            "pass_through_mode": True,
            "headers": [{"name": ":path", "string_match": {"exact": "/readyz"}}],
        },
    }


def _say(name: str, value: str) -> dict[str, Any]:
    return {"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def _body_limit(name: str, limit: int) -> dict[str, Any]:
    return {
        "name": name,
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.body_size_limit.v3.BodySizeLimit",
            "max_request_bytes": limit,
        },
    }


def _ext_authz() -> dict[str, Any]:
    return {
        "name": EXT_AUTHZ,
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "failure_mode_allow": False,
            "status_on_error": {"code": "ServiceUnavailable"},
            "allowed_headers": _exactly(ASKED_HEADERS),
            "http_service": {
                "server_uri": {"uri": "gateway", "cluster": "authz", "timeout": f"{AUTHZ_TIMEOUT_SECONDS}s"},
                "path_prefix": AUTHZ_PREFIX,
                "authorization_response": {
                    "allowed_upstream_headers": _exactly((HEADER,)),
                    "allowed_client_headers_on_success": _exactly(LIMIT_HEADERS),
                    "allowed_client_headers": _exactly(REFUSAL_HEADERS),
                },
                # The default back-off (25 to 250 ms and up) would be felt. `max_interval` is also the time that Envoy
                # gives each try here, so it must be as long as a decision may take at the very most.
                "retry_policy": {
                    "retry_on": "connect-failure,refused-stream,reset-before-request",
                    "num_retries": 2,
                    "retry_back_off": {"base_interval": "0.005s", "max_interval": f"{AUTHZ_TIMEOUT_SECONDS}s"},
                    **ELSEWHERE,
                },
            },
        },
    }


def _exactly(names: tuple[str, ...]) -> dict[str, Any]:
    return {"patterns": [{"exact": name, "ignore_case": True} for name in names]}


def _compressor() -> dict[str, Any]:
    return {
        "name": COMPRESSOR,
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.compressor.v3.Compressor",
            "compressor_library": {
                "name": "gzip",
                "typed_config": {
                    "@type": f"{_TYPE}.compression.gzip.compressor.v3.Gzip",
                    "memory_level": 5,
                    "compression_level": "COMPRESSION_LEVEL_4",
                    "window_bits": 13,
                },
            },
            "response_direction_config": {
                "common_config": {
                    "min_content_length": 1024,
                    "content_type_matcher": {"safe_regex": {"regex": COMPRESSED_TYPES}},
                },
                # A compressed answer would lose its strong ETag, which If-Match needs.
                "disable_on_etag_header": True,
            },
        },
    }
