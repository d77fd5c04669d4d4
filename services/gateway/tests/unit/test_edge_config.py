"""Envoy's configuration: what the settings ask for, and what Envoy itself says of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.routes import ROUTES
from devstack import binaries
from gateway.edge.__main__ import main
from gateway.edge.config import render
from gateway.edge.headers import content_security_policy, security_headers
from gateway.edge.settings import EdgeSettings


def connections(**settings: Any) -> dict[str, Any]:
    listener = render(EdgeSettings(**settings))["static_resources"]["listeners"][0]
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def app_routes(**settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connections(**settings)["route_config"]["virtual_hosts"][0]["routes"]
    return found


class TestRender:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"public_base_url": "https://bid.example.org", "allowed_hosts": "bid.example.org,.example.org"},
            {"debug": True, "allowed_hosts": "*"},
            {"cors_allowed_origins": "https://one.example,https://two.example"},
            {"upstreams": {"gateway": "gateway:8000", "ai": "ai.bidwright.svc:80"}},
            {"edge_trusted_proxies": "10.0.0.0/8, 2001:db8::/32"},
            {"edge_verdict_cache": False},
            {"edge_metrics_port": 9902, "edge_metrics_host": "0.0.0.0"},
            {"upstreams": {"billing": "127.0.0.1:1,127.0.0.1:2", "ai": "ai-1:80, ai-2:80"}},
            {"otel_exporter_otlp_endpoint": "http://127.0.0.1:4318", "otel_traces_sampler": "always_off"},
            {"otel_exporter_otlp_endpoint": "https://otel.example.org"},
            {"csp_script_src": "https://cdn.example/a;b,'sha256-x%'", "csp_allow_inline_styles": True},
        ],
    )
    def test_envoy_accepts_it(self, settings: dict[str, Any], tmp_path: Path) -> None:
        file = tmp_path / "envoy.json"
        file.write_text(json.dumps(render(EdgeSettings(**settings))))
        argv = [str(binaries.require("envoy")), "--mode", "validate", "-c", str(file), "--log-level", "warn"]
        checked = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "eprecated" not in checked.stderr

    def test_forged_headers_go_before_anyone_is_asked(self) -> None:
        names = [item["name"] for item in connections()["http_filters"]]
        order = ["envoy.filters.http.header_mutation", "envoy.filters.http.ext_authz", "envoy.filters.http.router"]
        assert [name for name in names if name in order] == order
        assert names[-1] == order[-1]

    def test_the_edge_stays_closed_when_the_gateway_is_away(self) -> None:
        [asks] = [item for item in connections()["http_filters"] if item["name"] == "envoy.filters.http.ext_authz"]
        ask = asks["typed_config"]["extension_config"]
        assert ask["typed_config"]["failure_mode_allow"] is False
        assert "with_request_body" not in ask["typed_config"]

    def test_only_public_routes_are_not_asked_about(self) -> None:
        unasked = {
            next(iter(route["match"].values()))
            for route in app_routes()
            if "envoy.filters.http.ext_authz" in route.get("typed_per_filter_config", {})
        }
        public = {route.prefix for route in ROUTES if route.public}
        assert unasked == public | {"/", "/app", "/favicon.ico", "/favicon.svg", "/robots.txt"}

    def test_every_route_of_the_table_is_there_in_its_order(self) -> None:
        prefixes = [route["match"].get("path_separated_prefix") for route in app_routes()]
        for route in ROUTES:
            if route.prefix not in ("/healthz", "/readyz"):
                assert route.prefix in prefixes

    def test_streams_have_no_end_but_an_idle_limit(self) -> None:
        streams = [route for route in app_routes() if "safe_regex" in route["match"]]
        assert streams
        assert all(route["route"]["timeout"] == "0s" and "idle_timeout" in route["route"] for route in streams)


class TestHeaders:
    def test_hsts_is_for_https_in_production(self) -> None:
        https = {"public_base_url": "https://bid.example.org"}
        assert "max-age=31536000" in security_headers(EdgeSettings(**https))["strict-transport-security"]
        assert "strict-transport-security" not in security_headers(EdgeSettings(**https, secure_hsts_seconds=0))
        assert "strict-transport-security" not in security_headers(EdgeSettings())

    def test_the_policy_allows_what_is_listed_and_nothing_inline(self) -> None:
        policy = content_security_policy(EdgeSettings(csp_connect_src="https://api.example, https://b.example"))
        assert "connect-src 'self' https://api.example https://b.example" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "'unsafe-inline'" in content_security_policy(EdgeSettings(csp_allow_inline_styles=True))


class TestSettings:
    @pytest.mark.parametrize("wrong", [{"allowed_hosts": "*"}, {"upstreams": {"ai": "nowhere"}}, {"edge_port": 0}])
    def test_bad_ones_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            EdgeSettings(**wrong)

    def test_a_bad_one_is_one_line_that_names_the_key(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("EDGE_PORT", "x")
        assert main([]) == 2
        error = capsys.readouterr().err
        assert error.startswith("edge: EDGE_PORT: ")
        assert error.count("\n") == 1
