"""Who may do what: the roles of an org, and the scopes of its API keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.identity import Role

from .cast import ROLES, Cast, ask, nobody
from .problems import problem

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Act:
    """A request that some roles may make. Its body is wrong or its id unknown, so it changes little."""

    least: Role
    method: str
    path: str
    body: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, ids: dict[str, str]) -> str:
        return self.path.format(any=uuid4(), **ids)


WRONG: dict[str, Any] = {"surplus": True}
ACTS = (
    Act("viewer", "GET", "/api/usage"),
    Act("viewer", "GET", "/api/billing/offers"),
    Act("viewer", "GET", "/api/proposals"),
    Act("viewer", "GET", "/api/proposals/{proposal_id}/sections"),
    Act("viewer", "GET", "/api/proposals/{proposal_id}/compliance"),
    Act("viewer", "GET", "/api/proposals/{proposal_id}/check"),
    Act("viewer", "GET", "/api/sections/{section_id}"),
    Act("viewer", "GET", "/api/sections/{section_id}/revisions"),
    Act("viewer", "GET", "/api/sections/{section_id}/provenance"),
    Act("viewer", "GET", "/api/sections/{section_id}/citations"),
    Act("viewer", "GET", "/api/proposals/{proposal_id}/sections/removed"),
    Act("viewer", "GET", "/api/answers"),
    Act("viewer", "GET", "/api/answers/suggestions"),
    Act("viewer", "GET", "/api/answers/{answer_id}"),
    Act("viewer", "GET", "/api/exports/{export_id}/file"),
    Act("viewer", "GET", "/api/uploads/{upload_id}/file"),
    Act("viewer", "GET", "/api/uploads/{upload_id}/text"),
    Act("viewer", "GET", "/api/orgs/{org_id}"),
    Act("member", "POST", "/api/proposals", WRONG),
    Act("member", "PATCH", "/api/proposals/{any}", {"title": "x"}),
    Act("member", "DELETE", "/api/proposals/{any}"),
    Act("member", "POST", "/api/proposals/{any}/sections", {"title": "x"}),
    Act("member", "PUT", "/api/proposals/{any}/requirements/{any}", {"section_ids": []}),
    Act("member", "PATCH", "/api/sections/{any}", {"text": "x"}),
    Act("member", "DELETE", "/api/sections/{any}"),
    Act("member", "POST", "/api/sections/{any}/approve"),
    Act("member", "DELETE", "/api/sections/{any}/approve"),
    Act("member", "PUT", "/api/proposals/{any}/sections/order", {"section_ids": []}),
    Act("member", "POST", "/api/sections/{any}/restore"),
    Act("member", "POST", "/api/answers", WRONG),
    Act("member", "PATCH", "/api/answers/{any}", {"answer": "x"}),
    Act("member", "PUT", "/api/answers/{any}/uses/{any}"),
    Act("member", "DELETE", "/api/answers/{any}"),
    Act("member", "POST", "/api/ai/plan", WRONG),
    Act("member", "POST", "/api/ai/write", WRONG),
    Act("member", "POST", "/api/ai/revise", WRONG),
    Act("member", "POST", "/api/ai/format", WRONG),
    Act("member", "POST", "/api/ai/jobs/{any}/cancel"),
    Act("member", "POST", "/api/ai/jobs/{any}/retry"),
    Act("member", "POST", "/api/exports", WRONG),
    Act("member", "DELETE", "/api/exports/{any}"),
    Act("member", "POST", "/api/exports/{any}/cancel"),
    Act("member", "POST", "/api/exports/{any}/retry"),
    Act("admin", "PUT", "/api/exports/template", WRONG),
    Act("admin", "DELETE", "/api/exports/template"),
    Act("member", "POST", "/api/uploads", WRONG),
    Act("member", "DELETE", "/api/uploads/{any}"),
    Act("admin", "GET", "/api/audit"),
    Act("admin", "GET", "/api/keys"),
    Act("admin", "POST", "/api/keys", {"name": "x", "scopes": ["org:read"]}),
    Act("admin", "DELETE", "/api/keys/{any}"),
    Act("admin", "PATCH", "/api/orgs/{org_id}", {"name": "Eldermoor Energy"}),
    Act("admin", "GET", "/api/orgs/{org_id}/invites"),
    Act("admin", "POST", "/api/orgs/{org_id}/invites", {"email": "a-guest@example.com", "role": "viewer"}),
    Act("admin", "DELETE", "/api/orgs/{org_id}/invites/{any}"),
    Act("admin", "PATCH", "/api/orgs/{org_id}/members/{any}", {"role": "viewer"}),
    Act("admin", "DELETE", "/api/orgs/{org_id}/members/{any}"),
    Act("admin", "GET", "/api/billing/subscription"),
    Act("admin", "GET", "/api/billing/invoices"),
    Act("admin", "POST", "/api/billing/checkout", WRONG),
    Act("admin", "POST", "/api/billing/portal"),
    Act("admin", "POST", "/api/billing/cancel", WRONG),
    Act("admin", "POST", "/api/billing/resume"),
    Act("admin", "PATCH", "/api/billing/seats", WRONG),
    Act("admin", "POST", "/api/billing/seats/preview", WRONG),
    Act("owner", "POST", "/api/orgs/{org_id}/transfer", {"user_id": "01a20c4e-0000-7000-8000-000000000000"}),
)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", ACTS, ids=str)
def test_a_role_may_do_what_those_below_it_may(cast: Cast, ids: dict[str, str], act: Act, role: Role) -> None:
    answer = ask(cast.of(role), act.method, act.url(ids), json=act.body)
    if ROLES.index(role) < ROLES.index(act.least):
        problem(answer, 403, "role_forbidden")
    else:
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500, answer.text


def test_only_the_owner_deletes_an_org(cast: Cast) -> None:
    for role in ROLES[:-1]:
        problem(ask(cast.of(role), "DELETE", f"/api/orgs/{cast.owner.org_id}"), 403, "role_forbidden")
    made = cast.owner.call("POST", "/api/orgs", json={"name": "Short-lived"})
    assert ask(cast.owner, "DELETE", f"/api/orgs/{made['id']}").status_code == 204
    problem(ask(cast.owner, "GET", "/api/usage", {"X-Org-ID": made["id"]}), 403, "org_forbidden")


class TestLifting:
    """Nobody lifts themselves, nor anyone to their own place."""

    def test_an_admin_makes_no_admin(self, cast: Cast, ids: dict[str, str]) -> None:
        member = cast.member.call("GET", "/api/me")["user"]["id"]
        url = f"/api/orgs/{ids['org_id']}/members/{member}"
        problem(ask(cast.admin, "PATCH", url, json={"role": "admin"}), 403, "role_forbidden")
        problem(ask(cast.admin, "PATCH", url, json={"role": "owner"}), 422, "validation_failed")

    def test_an_admin_does_not_touch_the_owner(self, cast: Cast, ids: dict[str, str]) -> None:
        url = f"/api/orgs/{ids['org_id']}/members/{ids['user_id']}"
        for answer in (ask(cast.admin, "PATCH", url, json={"role": "viewer"}), ask(cast.admin, "DELETE", url)):
            assert answer.status_code in (403, 409), answer.text

    def test_a_member_does_not_lift_themselves(self, cast: Cast, ids: dict[str, str]) -> None:
        own = cast.member.call("GET", "/api/me")["user"]["id"]
        answer = ask(cast.member, "PATCH", f"/api/orgs/{ids['org_id']}/members/{own}", json={"role": "admin"})
        problem(answer, 403, "role_forbidden")


# ---------------------------------------------------------------------- keys

SCOPES: dict[str, list[tuple[str, str]]] = {
    "org:read": [("GET", "/api/me"), ("GET", "/api/orgs/{org_id}"), ("GET", "/api/orgs/{org_id}/members")],
    "billing:read": [
        ("GET", "/api/usage"),
        ("GET", "/api/billing/offers"),
        ("GET", "/api/billing/subscription"),
        ("GET", "/api/billing/invoices"),
    ],
    "proposals:read": [("GET", "/api/proposals"), ("GET", "/api/sections/{section_id}"), ("GET", "/api/answers")],
    "proposals:write": [
        ("POST", "/api/proposals"),
        ("PATCH", "/api/sections/{section_id}"),
        ("POST", "/api/answers"),
    ],
    "ai:use": [("POST", "/api/ai/plan"), ("GET", "/api/ai/jobs/{job_id}"), ("GET", "/api/ai/metrics/summary")],
    "exports:read": [
        ("GET", "/api/exports"),
        ("GET", "/api/exports/{export_id}/file"),
        ("GET", "/api/exports/{export_id}/manifest"),
        ("GET", "/api/exports/template"),
        ("POST", "/api/exports/verify"),
    ],
    "exports:write": [("POST", "/api/exports"), ("DELETE", "/api/exports/{any}")],
    "uploads:read": [("GET", "/api/uploads"), ("GET", "/api/uploads/{upload_id}/text")],
    "uploads:write": [("POST", "/api/uploads"), ("DELETE", "/api/uploads/{any}")],
}
NEVER = (
    ("POST", "/api/orgs", {"name": "x"}),
    ("PATCH", "/api/orgs/{org_id}", {"name": "x"}),
    ("DELETE", "/api/orgs/{org_id}", None),
    ("POST", "/api/orgs/{org_id}/invites", {"email": "x@example.com"}),
    ("POST", "/api/keys", {"name": "x", "scopes": ["org:read"]}),
    ("GET", "/api/keys", None),
    ("GET", "/api/audit", None),
    ("GET", "/api/auth/sessions", None),
    ("DELETE", "/api/auth/sessions", None),
    ("PATCH", "/api/me", {"name": "x"}),
    ("DELETE", "/api/me", None),
    ("POST", "/api/billing/checkout", {"price": "pro_monthly"}),
    ("POST", "/api/billing/portal", None),
    ("POST", "/api/billing/cancel", None),
    ("POST", "/api/billing/seats/preview", {"seats": 2}),
)
"""What needs a person, whatever scopes a key has."""

KeyMaker = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def key_with(cast: Cast) -> KeyMaker:
    """A client with an API key of the owner's."""

    def make(*scopes: str, **more: Any) -> httpx.Client:
        made = cast.owner.call("POST", "/api/keys", json={"name": "robot", "scopes": list(scopes), **more})
        client = nobody(cast.base_url)
        client.headers["Authorization"] = f"Bearer {made['key']}"
        return client

    return make


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_needs_the_scope_and_no_other(key_with: KeyMaker, ids: dict[str, str], scope: str) -> None:
    with key_with(scope) as enough, key_with(*(other for other in SCOPES if other != scope)) as lacking:
        for method, path in SCOPES[scope]:
            url = path.format(any=uuid4(), **ids)
            body = WRONG if method in ("POST", "PATCH") else None
            answer = enough.request(method, url, json=body)
            assert answer.status_code not in (401, 403), f"{method} {url}: {answer.text}"
            assert answer.status_code < 500, answer.text
            problem(lacking.request(method, url, json=body), 403, "scope_forbidden")


@pytest.mark.parametrize(("method", "path", "body"), NEVER)
def test_a_key_never_does_what_needs_a_person(
    key_with: KeyMaker, ids: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    with key_with(*SCOPES) as key:
        problem(key.request(method, path.format(**ids), json=body), 403, "scope_forbidden")


class TestAKeysReach:
    def test_it_is_its_own_org_alone(self, cast: Cast, key_with: KeyMaker) -> None:
        personal = cast.owner.call("GET", "/api/me")["orgs"][0]["id"]
        with key_with(*SCOPES) as key:
            assert key.get("/api/usage").json()["scope"]["org_id"] == cast.owner.org_id
            problem(key.get("/api/usage", headers={"X-Org-ID": personal}), 403, "org_forbidden")
            problem(key.get(f"/api/orgs/{personal}"), 404, "not_found")
            assert [org["id"] for org in key.get("/api/me").json()["orgs"]] == [cast.owner.org_id]

    def test_it_needs_no_origin(self, key_with: KeyMaker) -> None:
        with key_with("proposals:write") as key:
            answer = key.post("/api/proposals", json={}, headers={"Origin": "https://elsewhere.example"})
            problem(answer, 422, "validation_failed")

    def test_it_ends_when_it_is_revoked(self, cast: Cast, key_with: KeyMaker) -> None:
        with key_with("org:read") as key:
            assert key.get("/api/me").status_code == 200
            newest = max(cast.owner.call("GET", "/api/keys?limit=100")["items"], key=lambda item: str(item["id"]))
            assert newest["last_used_at"] is not None
            cast.owner.call("DELETE", f"/api/keys/{newest['id']}")
            problem(key.get("/api/me"), 401, "unauthenticated")

    def test_it_ends_on_its_day(self, key_with: KeyMaker) -> None:
        with key_with("org:read", expires_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat()) as key:
            assert key.get("/api/me").status_code == 200
            time.sleep(1.1)
            problem(key.get("/api/me"), 401, "unauthenticated")

    def test_it_is_made_for_the_future_only(self, cast: Cast) -> None:
        past = {"name": "late", "scopes": ["org:read"], "expires_at": "2020-01-01T00:00:00Z"}
        problem(ask(cast.owner, "POST", "/api/keys", json=past), 422, "validation_failed")

    def test_its_secret_is_shown_once(self, cast: Cast, key_with: KeyMaker) -> None:
        with key_with("org:read") as key:
            secret = key.headers["Authorization"].removeprefix("Bearer ")
            assert secret.startswith("bw_")
            assert secret not in ask(cast.owner, "GET", "/api/keys?limit=100").text
