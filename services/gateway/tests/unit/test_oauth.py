"""The rules of signing in with another provider."""

from __future__ import annotations

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError
from joserfc.errors import BadSignatureError

from common.errors import BidwrightError
from gateway.errors import InvalidOAuthState, OAuthDenied, ProviderUnavailable
from gateway.oauth.domain import person_name, primary_email, safe_next, verified_email
from gateway.oauth.refusals import refusal_of, translated


class TestSafeNext:
    @pytest.mark.parametrize("path", ["/", "/proposals", "/proposals/1?tab=text#end", "/a/b.c/~d", "/x?to=../y"])
    def test_a_path_of_the_app_is_kept(self, path: str) -> None:
        assert safe_next(path) == path

    @pytest.mark.parametrize(
        "path",
        [
            None,
            "",
            "proposals",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/../api/me",
            "/a/%2e%2E/%2e%2e/api",
            "/a/..%2f..%5c../api",
            "/a\r\nset-cookie: x=y",
            "/a\tb",
            "/\u00e9",
            "/a b",
            "/" + "x" * 1000,
        ],
    )
    def test_anything_that_could_lead_elsewhere_becomes_the_first_page(self, path: str | None) -> None:
        assert safe_next(path) == "/"


class TestVerifiedEmail:
    def test_it_is_spelt_as_we_store_it(self) -> None:
        assert verified_email("Ada@Example.ORG", verified=True) == "ada@example.org"

    @pytest.mark.parametrize("email", [None, "", "nobody", 7, ["a@example.org"], "a@b@c", "a\x00@example.org"])
    def test_what_is_no_address_is_none(self, email: object) -> None:
        assert verified_email(email, verified=True) is None

    def test_an_unverified_one_is_none(self) -> None:
        assert verified_email("ada@example.org", verified=False) is None


class TestPrimaryEmail:
    def test_the_primary_one_is_taken(self) -> None:
        other = {"email": "b@example.org", "primary": False, "verified": True}
        primary = {"email": "a@example.org", "primary": True, "verified": True}
        assert primary_email([other, primary]) == "a@example.org"

    def test_an_unverified_primary_one_is_not_replaced_by_another(self) -> None:
        other = {"email": "b@example.org", "primary": False, "verified": True}
        primary = {"email": "a@example.org", "primary": True, "verified": False}
        assert primary_email([other, primary]) is None


class TestPersonName:
    @pytest.mark.parametrize(
        ("given", "name"),
        [("  Grace  Hopper ", "Grace Hopper"), ("a\nb\x00c", "a b c"), ("", "grace"), (None, "grace"), ("\n", "grace")],
    )
    def test_it_is_one_line(self, given: str | None, name: str) -> None:
        assert person_name(given, "grace@example.org") == name

    def test_it_is_not_too_long(self) -> None:
        assert len(person_name("x" * 10_000, "grace@example.org")) == 200


class TestTranslated:
    @pytest.mark.parametrize(
        ("foreign", "ours"),
        [
            (httpx2.ConnectError("refused"), ProviderUnavailable),
            (httpx2.ReadTimeout("slow"), ProviderUnavailable),
            (TimeoutError(), ProviderUnavailable),
            (KeyError("id_token"), ProviderUnavailable),
            (ValueError("not JSON"), ProviderUnavailable),
            (OAuthError("invalid_grant"), InvalidOAuthState),
            (OAuthError("invalid_client"), ProviderUnavailable),
            (BadSignatureError(), InvalidOAuthState),
            (OAuthDenied(), OAuthDenied),
        ],
    )
    def test_each_foreign_error_becomes_one_of_ours(self, foreign: Exception, ours: type[BidwrightError]) -> None:
        with pytest.raises(ours), translated("google"):
            raise foreign


class TestRefusalOf:
    @pytest.mark.parametrize(
        ("code", "status"), [("access_denied", 403), ("server_error", 503), ("invalid_grant", 400), ("x" * 9000, 503)]
    )
    def test_a_code_of_the_protocol_has_its_refusal(self, code: str, status: int) -> None:
        assert refusal_of(code).status == status
