"""Nobody gets anything without a session or a key, and nobody gets round the gateway."""

from __future__ import annotations

import uuid

import httpx
import pytest

from devstack.running import RunningStack

from .cast import Cast, ask, nobody
from .operations import OPERATIONS, PUBLIC, Operation, each
from .problems import problem

pytestmark = pytest.mark.e2e

CLOSED = tuple(operation for operation in OPERATIONS if not operation.is_public)
IDENTITY = "x-bidwright-identity"


def test_the_public_operations_are_all_documented() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS if operation.is_public} == PUBLIC


class TestWithoutASession:
    @each(CLOSED)
    def test_it_is_a_401(self, anonymous: httpx.Client, operation: Operation) -> None:
        answer = anonymous.request(operation.method, operation.url(), json={} if operation.takes_json else None)
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Cookie": "bidwright=nonsense"},
            {"Cookie": "bidwright=" + "x" * 5000},
            {"Authorization": "Bearer bw_nonsense"},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Basic dXNlcjpwYXNz"},
            {"Authorization": b"Bearer bw_\xff"},
        ],
        ids=["cookie", "long cookie", "key", "bearer", "basic", "bytes"],
    )
    def test_a_bad_credential_is_as_good_as_none(self, anonymous: httpx.Client, headers: dict[str, str]) -> None:
        problem(anonymous.get("/api/usage", headers=headers), 401, "unauthenticated")

    def test_a_session_beside_a_bad_key_does_not_count(self, cast: Cast) -> None:
        answer = ask(cast.owner, "GET", "/api/usage", headers={"Authorization": "Bearer bw_nonsense"})
        problem(answer, 401, "unauthenticated")


class TestRoundTheGateway:
    @each(CLOSED)
    def test_a_service_refuses_it(self, stack: RunningStack, cast: Cast, operation: Operation) -> None:
        """At the service's own port, where the cookie is worth nothing."""
        with httpx.Client(base_url=stack.env[f"{operation.service.upper()}_URL"]) as service:
            body = {} if operation.takes_json else None
            session = {
                "Cookie": f"bidwright={cast.owner.http.cookies['bidwright']}",
                "X-Org-ID": cast.owner.org_id or "",
            }
            for headers in ({}, session, {IDENTITY: "nonsense"}, {IDENTITY: _unsigned()}):
                answer = service.request(operation.method, operation.url(), json=body, headers=headers)
                problem(answer, 401, "unauthenticated")

    @pytest.mark.parametrize("service", ["billing", "ai", "exports", "uploads"])
    def test_a_service_has_only_these_open_doors(self, stack: RunningStack, service: str) -> None:
        with httpx.Client(base_url=stack.env[f"{service.upper()}_URL"]) as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/readyz").json()["status"] == "ok"
            assert client.get("/metrics").status_code == 200
            assert client.get("/openapi.json").json()["info"]["title"]
            for path in ("/", "/docs", "/redoc", "/authz/api/usage", "/app"):
                assert client.get(path).status_code == 404, path

    def test_the_edge_does_not_show_what_is_for_inside(self, anonymous: httpx.Client) -> None:
        inside = (
            "/metrics",
            "/openapi.json",
            "/authz/api/usage",
            "/edge/readyz",
            "/.well-known/jwks.json",
            "/internal",
        )
        for path in inside:
            problem(anonymous.get(path), 404, "not_found")


class TestAForgedIdentity:
    def test_it_opens_nothing(self, anonymous: httpx.Client) -> None:
        for path in ("/api/usage", "/api/proposals", "/api/me"):
            problem(anonymous.get(path, headers={IDENTITY: _unsigned()}), 401, "unauthenticated")

    def test_it_changes_nothing(self, cast: Cast) -> None:
        said = [(IDENTITY, _unsigned()), (IDENTITY.upper(), "x"), ("X-Bidwright-Org", str(cast.owner.org_id))]
        org = [("X-Org-ID", str(cast.stranger.org_id))]
        answer = cast.stranger.http.get("/api/usage", headers=httpx.Headers([*said, *org]))
        assert answer.status_code == 200, answer.text
        assert answer.json()["scope"]["org_id"] == cast.stranger.org_id

    def test_it_does_not_reach_a_service_where_nobody_is_asked(self, anonymous: httpx.Client) -> None:
        """The gateway is not asked about the webhook and the public routes, and it is stripped there all the same."""
        answer = anonymous.post("/api/stripe/webhook", content=b"{}", headers={IDENTITY: _unsigned()})
        problem(answer, 400, "invalid_signature")


class TestTheOrigin:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {},
        ],
        ids=str,
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/api/proposals"), ("PATCH", "/api/me"), ("DELETE", "/api/auth/sessions"), ("POST", "/api/keys")],
    )
    def test_another_sites_page_cannot_write(self, cast: Cast, method: str, path: str, headers: dict[str, str]) -> None:
        with nobody(cast.base_url) as browser:
            browser.cookies.set("bidwright", cast.owner.http.cookies["bidwright"])
            body = None if method == "DELETE" else {}
            problem(browser.request(method, path, json=body, headers=headers), 403, "origin_forbidden")

    def test_another_sites_page_cannot_sign_in(self, anonymous: httpx.Client) -> None:
        answer = anonymous.post("/api/auth/login", json={}, headers={"Origin": "https://evil.example"})
        problem(answer, 403, "origin_forbidden")

    def test_our_own_page_may_write(self, cast: Cast) -> None:
        with nobody(cast.base_url) as browser:
            browser.cookies.set("bidwright", cast.owner.http.cookies["bidwright"])
            for headers in ({"Origin": cast.base_url}, {"Sec-Fetch-Site": "same-origin"}):
                problem(browser.post("/api/orgs", json={}, headers=headers), 422, "validation_failed")


class TestTheOrg:
    @pytest.mark.parametrize(
        "said", ["", "x", "null", "0", "9" * 400, "01a20c4e-d845-75f1-871c"], ids=lambda said: said[:9]
    )
    def test_a_malformed_one_is_a_400(self, cast: Cast, said: str) -> None:
        problem(ask(cast.owner, "GET", "/api/usage", headers={"X-Org-ID": said}), 400, "invalid_org_id")

    def test_two_are_a_400(self, cast: Cast) -> None:
        both = f"{cast.owner.org_id},{cast.stranger.org_id}"
        problem(ask(cast.owner, "GET", "/api/usage", headers={"X-Org-ID": both}), 400, "invalid_org_id")

    @pytest.mark.parametrize("path", ["/api/usage", "/api/proposals", "/api/exports", "/api/uploads", "/api/keys"])
    def test_a_foreign_one_and_an_unknown_one_get_the_same_answer(self, cast: Cast, path: str) -> None:
        answers = [
            problem(ask(cast.stranger, "GET", path, headers={"X-Org-ID": org}), 403, "org_forbidden")
            for org in (str(cast.owner.org_id), str(uuid.uuid4()))
        ]
        for answer in answers:
            del answer["request_id"]
        assert answers[0] == answers[1]

    def test_without_one_it_is_the_personal_org(self, cast: Cast) -> None:
        usage = cast.owner.http.get("/api/usage").json()
        assert usage["scope"]["personal"] is True
        assert usage["tier"] == "free"
        assert cast.owner.call("GET", "/api/usage")["scope"]["org_id"] == cast.owner.org_id


def _unsigned() -> str:
    """A token of the right form: an owner of everything, signed by nobody."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from common.identity import Identity, sign

    identity = Identity(user_id=uuid.uuid4(), org_id=uuid.uuid4(), role="owner", tier="enterprise")
    token = sign(identity, audience="ai", key=Ed25519PrivateKey.generate(), key_id="forged", issued_at=2_000_000_000)
    assert jwt.get_unverified_header(token)["kid"] == "forged"
    return token
