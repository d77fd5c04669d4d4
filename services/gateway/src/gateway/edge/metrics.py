"""A listener of its own for Prometheus: the admin page, which can do more than tell, stays where it is."""

from __future__ import annotations

from typing import Any, Final

from gateway.edge.settings import EdgeSettings

CLUSTER: Final = "admin"
PATH: Final = "/metrics"
_STATS: Final = "/stats/prometheus"
_TYPE: Final = "type.googleapis.com/envoy.extensions.filters"


def listener(settings: EdgeSettings) -> dict[str, Any]:
    """Answers `GET /metrics` with Envoy's own figures, and nothing else."""
    route = {
        "match": {"path": PATH, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
        "route": {"cluster": CLUSTER, "prefix_rewrite": _STATS, "timeout": "5s"},
    }
    connections = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "metrics",
        "route_config": {"virtual_hosts": [{"name": "metrics", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}}
        ],
    }
    address = {"address": settings.edge_metrics_host, "port_value": settings.edge_metrics_port}
    return {
        "name": "metrics",
        "address": {"socket_address": address},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}]}
        ],
    }


def cluster(settings: EdgeSettings) -> dict[str, Any]:
    """Envoy's own admin page, as an upstream."""
    address = {"address": settings.envoy_admin_host, "port_value": settings.envoy_admin_port}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": address}}}]}]
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": endpoints},
    }
