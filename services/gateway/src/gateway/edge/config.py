"""The whole of Envoy's configuration: listener, clusters, admin, overload."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from contracts.base import SERVICES
from gateway.edge import metrics, tls
from gateway.edge.filters import http_filters
from gateway.edge.replies import local_reply_config
from gateway.edge.routes import route_config
from gateway.edge.settings import EdgeSettings
from gateway.edge.tracing import CLUSTER as COLLECTOR
from gateway.edge.tracing import collector, tracing

MAX_CONNECTIONS = 10_000
MAX_REQUESTS = 1024
"""To one service at a time, and as many may wait; past that the circuit is open and the edge answers 503 at once."""
MAILED_PATH = "/api/invites/"
UPSTREAM_IDLE_SECONDS = 60
"""Below the 75 s after which the services' server closes an idle connection, so that none is used while it closes."""

_TYPE = "type.googleapis.com/envoy.extensions"
_READINESS = {
    "timeout": "1s",
    "interval": "1s",
    "no_traffic_interval": "1s",
    "unhealthy_interval": "0.25s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    "http_health_check": {"path": "/readyz"},
}
"""A replica that goes says so first, and one that is back is used at once."""


def render(settings: EdgeSettings, *, secrets: Path = Path(tls.CERTIFICATE_FILE)) -> dict[str, Any]:
    """The configuration as Envoy's bootstrap document.

    Args:
        secrets: where `tls.secret` is written, when there is a certificate.
    """
    listeners = [_listener(settings, secrets)]
    if settings.tls:
        listeners.append(_quic_listener(settings, secrets))
    if settings.edge_metrics_port:
        listeners.append(metrics.listener(settings))
    return {
        # Reading a certificate by file needs a name; `--service-node` and `--service-cluster` win.
        "node": {"id": "bidwright-edge", "cluster": "bidwright"},
        "admin": {"address": _address(settings.envoy_admin_host, settings.envoy_admin_port)},
        "static_resources": {
            "listeners": listeners,
            "clusters": [
                *(_cluster(service, settings.upstream(service)) for service in SERVICES),
                _cluster("authz", settings.upstream("gateway"), max_requests=4096),
                _collector(settings),
                *([metrics.cluster(settings)] if settings.edge_metrics_port else []),
            ],
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{_TYPE}.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": MAX_CONNECTIONS,
                    },
                }
            ]
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _listener(settings: EdgeSettings, secrets: Path) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [_http(settings, "AUTO")]}
    if settings.tls:
        chain["transport_socket"] = tls.tcp_socket(secrets)
    return {
        "name": "edge",
        "address": _address(settings.edge_host, settings.edge_port),
        "per_connection_buffer_limit_bytes": 131_072,
        "filter_chains": [chain],
    }


def _quic_listener(settings: EdgeSettings, secrets: Path) -> dict[str, Any]:
    address = _address(settings.edge_host, settings.edge_port)
    address["socket_address"]["protocol"] = "UDP"
    return {
        "name": "edge-quic",
        "address": address,
        "udp_listener_config": {"quic_options": {}, "downstream_socket_config": {"prefer_gro": True}},
        "filter_chains": [{"filters": [_http(settings, "HTTP3")], "transport_socket": tls.quic_socket(secrets)}],
    }


def _http(settings: EdgeSettings, codec: str) -> dict[str, Any]:
    connections = _connections(settings) | {"codec_type": codec}
    if codec == "HTTP3":
        connections["http3_protocol_options"] = {}
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}


def _client_address(settings: EdgeSettings) -> dict[str, Any]:
    """Whose address counts as the client's. What reaches the gateway is this address alone, see `filters`."""
    if not settings.trusted_proxies:
        return {"use_remote_address": True}
    networks = [{"address_prefix": address, "prefix_len": bits} for address, bits in settings.trusted_proxies]
    return {
        "use_remote_address": False,
        "original_ip_detection_extensions": [
            {
                "name": "envoy.http.original_ip_detection.xff",
                "typed_config": {
                    "@type": f"{_TYPE}.http.original_ip_detection.xff.v3.XffConfig",
                    "xff_trusted_cidrs": {"cidrs": networks},
                },
            }
        ],
    }


def _connections(settings: EdgeSettings) -> dict[str, Any]:
    return {
        **_client_address(settings),
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        # One spelling of a path, so that the route, the gateway and the service see the same one.
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": "75s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http_protocol_options": {"accept_http_10": False},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 262_144,
            "initial_connection_window_size": 1_048_576,
        },
        "max_request_headers_kb": 32,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "310s",
        "delayed_close_timeout": "1s",
        "drain_timeout": "5s",
        "tracing": tracing(settings),
        "local_reply_config": local_reply_config(settings),
        "access_log": _access_log(settings),
        "route_config": route_config(settings),
        "http_filters": http_filters(settings),
    }


def _access_log(settings: EdgeSettings) -> list[dict[str, Any]]:
    """A line for each request, without what links in mails carry: the query, and what follows /api/invites/."""
    secret = {"name": ":path", "string_match": {"prefix": MAILED_PATH}}
    # A request that cannot be parsed has no path, and is logged all the same.
    others = secret | {"invert_match": True, "treat_missing_header_as_empty": True}
    return [
        _lines(settings, "%PATH(NQ)%", {"header_filter": {"header": others}}),
        _lines(settings, f"{MAILED_PATH}...", {"header_filter": {"header": secret}}),
    ]


def _lines(settings: EdgeSettings, path: str, when: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "path": path,
        "status": "%RESPONSE_CODE%",
        "detail": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "ms": "%DURATION%",
        "upstream_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
        "service": "%UPSTREAM_CLUSTER%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "request_id": "%RESP(X-REQUEST-ID)%",
        "trace_id": "%TRACE_ID%",
    }
    return {
        "name": "envoy.access_loggers.file",
        "filter": when,
        "typed_config": {
            "@type": f"{_TYPE}.access_loggers.file.v3.FileAccessLog",
            "path": str(settings.edge_access_log),
            "log_format": {"json_format": fields},
        },
    }


def _cluster(name: str, replicas: tuple[tuple[str, int], ...], max_requests: int | None = None) -> dict[str, Any]:
    max_requests = max_requests or MAX_REQUESTS
    thresholds = [
        {
            "priority": "DEFAULT",
            "max_connections": max_requests,
            "max_requests": max_requests,
            "max_retries": 16,
            "max_pending_requests": max_requests,
        }
    ]
    by_name = not all(_is_address(host) for host, _ in replicas)
    return {
        "name": name,
        "type": "STRICT_DNS" if by_name else "STATIC",
        # With one replica there is nothing to choose, and Envoy would wait for the first answer before it listens.
        "health_checks": [_READINESS] if by_name or len(replicas) > 1 else [],
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _address(host, port)}} for host, port in replicas]}
            ],
        },
        "circuit_breakers": {"thresholds": thresholds},
        # A replica that answers five times in a row that it cannot rests; the last half is never taken out. One that
        # cannot be reached is left to the question for its readiness: it may be back sooner.
        "outlier_detection": {
            "consecutive_gateway_failure": 5,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
            "enforcing_consecutive_5xx": 0,
            "split_external_local_origin_errors": True,
            "enforcing_consecutive_local_origin_failure": 0,
            "enforcing_local_origin_success_rate": 0,
            "successful_active_health_check_uneject_host": False,
            "enforcing_consecutive_gateway_failure": 100,
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": f"{UPSTREAM_IDLE_SECONDS}s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _collector(settings: EdgeSettings) -> dict[str, Any]:
    found = collector(settings)
    cluster = _cluster(COLLECTOR, found) | {"health_checks": []}  # it is none of ours, and has no /readyz
    if settings.otel_exporter_otlp_endpoint.startswith("https:"):
        cluster["transport_socket"] = tls.client_socket(found[0][0])
    return cluster


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
