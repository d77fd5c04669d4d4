"""The edge's memory of verdicts: a filter before `ext_authz` that lets a known caller's reads pass without asking."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from common.identity import HEADER
from contracts.routes import ROUTES
from gateway.edge.settings import EdgeSettings

LIFE_MS: Final = 1000
"""How long a verdict is used at most: half of the time in which a revocation must show."""
INTERNAL_HEADERS: Final = ("x-bidwright-lease", "x-bidwright-unspent")
"""Between the edge and the gateway only: taken off before a request goes on to a service."""
VERDICT_HEADER: Final = "x-bidwright-verdict"

_SPACE: Final = "bidwright.verdicts"
_UNCACHED: Final = ("/api/auth", "/api/invites")
"""Some of their paths are answered to anyone, without an identity."""
_TYPE: Final = "type.googleapis.com/envoy.extensions"


def decision(settings: EdgeSettings, ext_authz: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters that decide: the memory, where it is wanted, and the question."""
    if not settings.edge_verdict_cache:
        return [ext_authz]
    asks = ext_authz["typed_config"]
    service = asks["http_service"]
    asks["allowed_headers"]["patterns"] += _exactly(*INTERNAL_HEADERS)
    service["authorization_response"]["dynamic_metadata_from_headers"] = {
        "patterns": _exactly(HEADER, VERDICT_HEADER),
    }
    # Asked unless the memory has said no: without its word, as after an error in it, the gateway is asked.
    asks["filter_enabled_metadata"] = {
        "filter": _SPACE,
        "path": [{"key": "known"}, {"key": "ask"}],
        "value": {"bool_match": False},
        "invert": True,
    }
    memory = {
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": script()},
        },
    }
    return [memory, ext_authz]


def script() -> str:
    """The filter's source, with the routes in it."""
    audiences = {
        route.prefix.removeprefix("/api/"): route.service
        for route in ROUTES
        if not route.public and route.prefix not in _UNCACHED
    }
    table = ", ".join(f'{segment} = "{service}"' for segment, service in audiences.items())
    source = files("gateway.edge").joinpath("verdicts.lua").read_text(encoding="utf-8")
    return source.replace("--[[AUDIENCES]]", table).replace("--[[LIFE_MS]]", str(LIFE_MS))


def _exactly(*names: str) -> list[dict[str, Any]]:
    return [{"exact": name, "ignore_case": True} for name in names]
