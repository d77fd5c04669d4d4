"""The edge: what every answer carries, the pages, and the runbook's smoke checks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

import httpx
import pytest

from devstack.running import RunningStack

from .cast import Cast, ask
from .problems import problem

pytestmark = pytest.mark.e2e

ANSWERS = (
    ("GET", "/", 200),
    ("GET", "/app", 200),
    ("GET", "/app/deep/link", 200),
    ("GET", "/app/assets/missing.js", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/api/docs", 200),
    ("GET", "/api/openapi.json", 200),
    ("HEAD", "/healthz", 200),
    ("HEAD", "/readyz", 200),
    ("HEAD", "/app", 200),
    ("HEAD", "/api/docs", 200),
    ("HEAD", "/api/openapi.json", 200),
    ("GET", "/api/usage", 401),
    ("GET", "/api/usage/", 401),
    ("POST", "/api/auth/login", 422),
    ("GET", "/api/invites/unknown", 404),
    ("POST", "/api/stripe/webhook", 400),
    ("GET", "/nowhere", 404),
    ("PUT", "/api/auth/login", 405),
)


class TestEveryAnswer:
    @pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
    def test_it_carries_the_security_headers(
        self, anonymous: httpx.Client, method: str, path: str, status: int
    ) -> None:
        answer = anonymous.request(method, path, json={} if method == "POST" else None)
        assert answer.status_code == status, answer.text
        policy = {
            name: values
            for name, *values in (rule.split() for rule in answer.headers["content-security-policy"].split(";"))
        }
        assert policy["default-src"] == ["'self'"]
        assert policy["script-src"] == ["'self'"]
        assert policy["style-src"] == ["'self'"]
        assert policy["object-src"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin", "strict-origin-when-cross-origin")
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers

    def test_a_signed_in_one_and_a_file_carry_them_too(self, cast: Cast, ids: dict[str, str]) -> None:
        for path in ("/api/me", f"/api/exports/{ids['export_id']}/file", f"/api/uploads/{ids['upload_id']}/file"):
            answer = ask(cast.owner, "GET", path)
            assert answer.status_code == 200, answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-request-id"]
            assert "public" not in answer.headers["cache-control"]
            assert path == "/api/me" or "sandbox" in answer.headers["content-security-policy"]

    def test_each_request_has_an_id_of_its_own(self, anonymous: httpx.Client) -> None:
        assert len({anonymous.get("/healthz").headers["x-request-id"] for _ in range(3)}) == 3

    def test_another_host_is_misdirected(self, anonymous: httpx.Client) -> None:
        problem(anonymous.get("/api/usage", headers={"Host": "evil.example"}), 421, "misdirected")
        assert anonymous.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


class TestPages:
    def test_deep_links_load_the_app(self, anonymous: httpx.Client) -> None:
        page = anonymous.get("/app")
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        for path in ("/app/", "/app/deep/link", "/app/proposals/1?tab=2"):
            assert anonymous.get(path).text == page.text, path

    def test_assets_are_kept_for_ever(self, anonymous: httpx.Client) -> None:
        page = anonymous.get("/app").text
        script = "/app/assets/" + page.partition("/app/assets/")[2].partition('"')[0]
        answer = anonymous.get(script)
        assert answer.status_code == 200, script
        assert "immutable" in answer.headers["cache-control"]

    def test_a_missing_asset_is_missing(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/app/assets/missing-1234.js")
        problem(answer, 404, "not_found")
        assert "immutable" not in answer.headers["cache-control"]

    def test_nothing_above_the_app_is_served(self, anonymous: httpx.Client) -> None:
        for path in (
            "/app/%2e%2e/pyproject.toml",
            "/app/..%2fpyproject.toml",
            "/app/assets/%2e%2e/%2e%2e/package.json",
        ):
            answer = anonymous.get(path)
            assert "bidwright-web" not in answer.text, path
            assert "tool.ruff" not in answer.text, path

    def test_the_root_is_a_small_page(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/")
        assert answer.headers["content-type"].startswith("text/html")
        assert 'href="/app"' in answer.text

    def test_the_reference_lists_the_api(self, anonymous: httpx.Client) -> None:
        assert "/api/proposals" in anonymous.get("/api/docs").text


class TestTheRunbooksSmokeChecks:
    def test_alive(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_ready_names_each_dependency(self, anonymous: httpx.Client) -> None:
        said = anonymous.get("/readyz").json()
        assert said["status"] == "ok"
        assert set(said["dependencies"]) == {"gateway", "billing", "ai", "exports", "uploads"}

    def test_usage_with_and_without_an_org(self, cast: Cast) -> None:
        team, personal = cast.owner.call("GET", "/api/usage"), cast.owner.http.get("/api/usage").json()
        assert team["tier"] == "enterprise"
        assert personal["tier"] == "free"
        wanted = {
            "scope": {"org_id", "name", "personal"},
            "limits": {
                *("active_cap", "monthly_cap", "extras", "seats", "ai_per_minute", "ai_daily", "ai_monthly_tokens"),
                *("storage_bytes", "upload_max_bytes"),
            },
            "usage": {
                *("active", "created_this_period", "seats", "ai_requests_today", "ai_tokens_this_month"),
                "storage_bytes",
            },
            "period": {"start", "end"},
        }
        for usage in (team, personal):
            for name, fields in wanted.items():
                assert set(usage[name]) == fields, name
            rest = {"tier", "status", "grace_ends_at", "can_create_proposal", "reason", "subscription"}
            assert set(usage) == {*wanted, *rest}
        assert personal["subscription"] is None
        assert set(team["subscription"]) == {
            *("price", "seats", "cancel_at_period_end", "current_period_end", "discount"),
        }

    def test_a_stripe_event(self, stack: RunningStack, anonymous: httpx.Client) -> None:
        event = _event()
        signed = {"Stripe-Signature": _signature(event, stack.env["STRIPE_WEBHOOK_SECRET"])}
        for _ in range(2):  # the same again has no second effect
            answer = anonymous.post("/api/stripe/webhook", content=event, headers=signed)
            assert answer.status_code == 200, answer.text

    def test_a_stripe_event_that_is_not_signed(self, stack: RunningStack, anonymous: httpx.Client) -> None:
        event, secret = _event(), stack.env["STRIPE_WEBHOOK_SECRET"]
        bad = {
            "none": {},
            "another secret": {"Stripe-Signature": _signature(event, "whsec_other")},
            "another body": {"Stripe-Signature": _signature(event + b" ", secret)},
            "six minutes old": {"Stripe-Signature": _signature(event, secret, at=time.time() - 360)},
            "two minutes ahead": {"Stripe-Signature": _signature(event, secret, at=time.time() + 120)},
            "nonsense": {"Stripe-Signature": "t=x,v1=y"},
            "bytes": {"Stripe-Signature": b"t=1,v1=\xff"},
        }
        for name, headers in bad.items():
            answer = anonymous.post("/api/stripe/webhook", content=event, headers=httpx.Headers(headers))
            assert answer.status_code == 400, f"{name}: {answer.text}"
            problem(answer, 400, "invalid_signature")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"id": "evt_1"}', b"[" * 100_000])
    def test_a_signed_body_that_is_no_event(self, stack: RunningStack, anonymous: httpx.Client, body: bytes) -> None:
        signed = {"Stripe-Signature": _signature(body, stack.env["STRIPE_WEBHOOK_SECRET"])}
        answer = anonymous.post("/api/stripe/webhook", content=body, headers=signed)
        problem(answer, 400, "invalid_payload")


def _event() -> bytes:
    """An event of a kind that changes nothing."""
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": "customer.created",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"id": "cus_smoke", "object": "customer"}},
    }
    return json.dumps(event).encode()


def _signature(body: bytes, secret: str, *, at: float | None = None) -> str:
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"
