"""What can be said of a request without looking anything up."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.app import read_ask
from gateway.decision.requests import Ask, cookie_value
from gateway.errors import InvalidOrgId

ORG = "01920000-0000-7000-8000-000000000001"


def ask(method: str = "GET", path: str = "/api/me", query: str = "", **headers: str) -> Ask:
    return Ask(method, path, query, {name.replace("_", "-"): value for name, value in headers.items()})


class TestIsPublic:
    @pytest.mark.parametrize(
        ("method", "path", "public"),
        [
            ("POST", "/api/auth/login", True),
            ("POST", "/api/auth/register", True),
            ("GET", "/api/auth/oauth/google/start", True),
            ("POST", "/api/auth/passkeys/sign-in", True),
            ("POST", "/api/auth/passkeys/sign-in/options", True),
            ("POST", "/api/auth/passkeys/options", False),
            ("GET", "/api/auth/passkeys", False),
            ("GET", "/api/invites/abc", True),
            ("POST", "/api/invites/accept", False),
            ("GET", "/api/invites/", False),
            ("GET", "/api/invites/a/b", False),
            ("POST", "/api/auth/logout", False),
            ("GET", "/api/auth/sessions", False),
            ("GET", "/api/auth/loginx", False),
            ("GET", "/api/proposals", False),
        ],
    )
    def test_only_what_leads_to_a_session(self, method: str, path: str, public: bool) -> None:
        assert ask(method, path).is_public is public


class TestAiClass:
    @pytest.mark.parametrize(
        ("method", "path", "kind"),
        [
            ("POST", "/api/ai/plan", "plan"),
            ("POST", "/api/ai/plan/", "plan"),
            ("POST", "/api/ai/write", "write"),
            ("POST", "/api/ai/revise", "ai"),
            ("POST", "/api/ai/jobs/1/retry", "ai"),
            ("POST", "/api/ai/jobs/1/cancel", "none"),
            ("GET", "/api/ai/jobs/1", "none"),
            ("GET", "/api/ai/plan", "none"),
        ],
    )
    def test_generation_counts_and_polling_does_not(self, method: str, path: str, kind: str) -> None:
        assert ask(method, path).ai_class == kind


class TestCredential:
    def test_a_key_wins_and_is_never_replaced_by_a_cookie(self) -> None:
        both = ask(authorization="Bearer bw_x", cookie="bidwright=c").credential(https=False)
        assert both
        assert both.is_key
        assert ask(authorization="Basic x", cookie="bidwright=c").credential(https=False) is None

    def test_over_https_only_the_host_cookie_counts(self) -> None:
        assert ask(cookie="bidwright=c").credential(https=True) is None
        found = ask(cookie="a=1; __Host-bidwright=c").credential(https=True)
        assert found
        assert found.token == "c"

    @given(st.text())
    def test_no_cookie_header_breaks_it(self, header: str) -> None:
        assert isinstance(cookie_value(header, "bidwright"), str)


class TestOrgId:
    def test_the_header_names_it(self) -> None:
        assert ask(x_org_id=ORG).org_id() == UUID(ORG)
        assert ask().org_id() is None

    @pytest.mark.parametrize(
        "value", ["", "x", ORG + "0", f"{ORG},{ORG}", "{" + ORG + "}", ORG.replace("-", ""), "é" * 36]
    )
    def test_a_malformed_one_is_refused(self, value: str) -> None:
        with pytest.raises(InvalidOrgId):
            ask(x_org_id=value).org_id()

    def test_the_query_counts_for_event_streams_only(self) -> None:
        events = "/api/ai/jobs/1/events"
        assert ask(path=events, query=f"org_id={ORG}").org_id() == UUID(ORG)
        assert ask(path="/api/proposals", query="org_id=x").org_id() is None
        for query in ("org_id=", "org_id=x", f"org_id={ORG}&org_id={ORG[:-1]}2"):
            with pytest.raises(InvalidOrgId):
                ask(path=events, query=query).org_id()


class TestOriginAllowed:
    ALLOWED = frozenset({"https://app.example.org"})

    @pytest.mark.parametrize(
        ("headers", "allowed"),
        [
            ({}, None),
            ({"origin": "https://app.example.org"}, True),
            ({"origin": "http://localhost:8080", "host": "localhost:8080"}, True),
            ({"origin": "https://localhost:8080", "host": "localhost:8080"}, False),
            ({"origin": "http://localhost:8081", "host": "localhost:8080"}, False),
            ({"origin": "null"}, False),
            ({"origin": ""}, False),
            ({"origin": "http://[", "host": "["}, False),
            ({"sec-fetch-site": "same-origin"}, True),
            ({"sec-fetch-site": "none"}, False),
            ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
        ],
    )
    def test_only_our_own_pages(self, headers: dict[str, str], allowed: bool | None) -> None:
        assert Ask("POST", "/api/me", "", headers).origin_allowed(self.ALLOWED) is allowed


class TestClientAddress:
    def test_only_what_the_edge_wrote_counts(self) -> None:
        assert ask(x_forwarded_for="1.2.3.4, 10.0.0.1").client_address == "10.0.0.1"
        assert ask().client_address == "unknown"

    def test_an_ipv6_network_counts_as_one(self) -> None:
        one, other = ask(x_forwarded_for="2001:db8::1"), ask(x_forwarded_for="2001:db8:0:0:ffff::2")
        assert one.client_address == other.client_address == "2001:db8::"
        assert ask(x_forwarded_for="2001:db8:0:1::1").client_address != one.client_address
        assert ask(x_forwarded_for="rub:bish").client_address == "unknown"


class TestReadAsk:
    def test_repeated_headers_are_joined(self) -> None:
        scope = {
            "method": "GET",
            "path": "/authz/api/me",
            "query_string": b"",
            "headers": [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x-org-id", b"x"), (b"x-org-id", b"y")],
        }
        found = read_ask(scope)
        assert found.path == "/api/me"
        assert found.headers == {"cookie": "a=1; b=2", "x-org-id": "x,y"}
