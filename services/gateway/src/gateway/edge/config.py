"""The whole of Envoy's configuration: listener, clusters, admin, overload."""

from __future__ import annotations

import ipaddress
from typing import Any

from contracts.base import SERVICES
from gateway.edge.filters import http_filters
from gateway.edge.replies import local_reply_config
from gateway.edge.routes import route_config
from gateway.edge.settings import EdgeSettings

MAX_CONNECTIONS = 10_000
UPSTREAM_IDLE_SECONDS = 60
"""Below the 75 s after which the services' server closes an idle connection, so that none is used while it closes."""

_TYPE = "type.googleapis.com/envoy.extensions"


def render(settings: EdgeSettings) -> dict[str, Any]:
    """The configuration as Envoy's bootstrap document."""
    return {
        "admin": {"address": _address(settings.envoy_admin_host, settings.envoy_admin_port)},
        "static_resources": {
            "listeners": [_listener(settings)],
            "clusters": [
                *(_cluster(service, *settings.upstream(service)) for service in SERVICES),
                _cluster("authz", *settings.upstream("gateway"), max_requests=4096),
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


def _listener(settings: EdgeSettings) -> dict[str, Any]:
    return {
        "name": "edge",
        "address": _address(settings.edge_host, settings.edge_port),
        "per_connection_buffer_limit_bytes": 131_072,
        "filter_chains": [
            {
                "filters": [
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": _connections(settings)}
                ]
            }
        ],
    }


def _connections(settings: EdgeSettings) -> dict[str, Any]:
    return {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        # The peer is the client: whatever X-Forwarded-For it sent, the last entry is the address we saw.
        "use_remote_address": True,
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
        "local_reply_config": local_reply_config(settings),
        "access_log": [_access_log(settings)],
        "route_config": route_config(settings),
        "http_filters": http_filters(settings),
    }


def _access_log(settings: EdgeSettings) -> dict[str, Any]:
    fields = {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        # Without its query: links in mails carry their token there.
        "path": "%PATH(NQ)%",
        "status": "%RESPONSE_CODE%",
        "detail": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "ms": "%DURATION%",
        "upstream_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
        "service": "%UPSTREAM_CLUSTER%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
    }
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{_TYPE}.access_loggers.file.v3.FileAccessLog",
            "path": str(settings.edge_access_log),
            "log_format": {"json_format": fields},
        },
    }


def _cluster(name: str, host: str, port: int, max_requests: int = 1024) -> dict[str, Any]:
    thresholds = [
        {"priority": "DEFAULT", "max_connections": max_requests, "max_requests": max_requests, "max_retries": 16}
    ]
    return {
        "name": name,
        "type": "STATIC" if _is_address(host) else "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}],
        },
        "circuit_breakers": {"thresholds": thresholds},
        # A replica that fails five times in a row rests; the last half is never taken out.
        "outlier_detection": {
            "consecutive_gateway_failure": 5,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
            "enforcing_consecutive_5xx": 0,
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


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
