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

LIMIT_HEADERS: Final = {"ratelimit": "x-bidwright-ratelimit", "ratelimit-policy": "x-bidwright-ratelimit-policy"}
"""What the memory says to a request that it lets pass, and what its answer carries it as."""
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
    memory = {
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": f"{_TYPE}.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": script()},
        },
    }
    return [memory, _unless_known(ext_authz)]


def limits_of_the_known() -> list[dict[str, Any]]:
    """Their answers' limits, as Envoy header options; on all other answers these say nothing."""
    return [
        {"header": {"key": name, "value": f"%REQ({said})%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, said in LIMIT_HEADERS.items()
    ]


def _unless_known(ext_authz: dict[str, Any]) -> dict[str, Any]:
    """The question, left out where the memory has said what the limits are: any value, and without one it is asked."""
    said = {
        "name": "said",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
            "header_name": LIMIT_HEADERS["ratelimit"],
        },
    }
    skip = {
        "name": "skip",
        "typed_config": {
            "@type": f"{_TYPE}.filters.common.matcher.action.v3.SkipFilter",
        },
    }
    return {
        "name": ext_authz["name"],
        "typed_config": {
            "@type": f"{_TYPE}.common.matching.v3.ExtensionWithMatcher",
            "extension_config": ext_authz,
            "xds_matcher": {
                "matcher_tree": {"input": said, "prefix_match_map": {"map": {'"': {"action": skip}}}},
            },
        },
    }


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
