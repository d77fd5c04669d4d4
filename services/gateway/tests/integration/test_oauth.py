"""Signing in with another provider, through Envoy, against a small real provider."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from .authenticator import Authenticator
from .openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, Person, running_provider

PASSWORD = "correct horse battery"
PROVIDERS = ["google", "github", "facebook"]
COOKIE = "bidwright"
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def provider_process() -> Iterator[OpenIdProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway_settings(provider_process: OpenIdProvider) -> dict[str, str]:
    return {
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "GITHUB_CLIENT_ID": CLIENT_ID,
        "GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "FACEBOOK_APP_ID": CLIENT_ID,
        "FACEBOOK_APP_SECRET": CLIENT_SECRET,
        "OAUTH_GOOGLE_ISSUER": provider_process.issuer,
        "OAUTH_GITHUB_ISSUER": provider_process.issuer,
        "OAUTH_FACEBOOK_ISSUER": provider_process.issuer,
        "OAUTH_TIMEOUT_SECONDS": "2",
    }


@pytest.fixture
def provider(provider_process: OpenIdProvider) -> OpenIdProvider:
    """The provider without faults, and someone new before its screen."""
    provider_process.denies, provider_process.fault, provider_process.lax = False, "", False
    provider_process.person = someone()
    provider_process.asked.clear()
    return provider_process


def someone(email: str | None = None, **more: Any) -> Person:
    return Person(str(secrets.randbits(50)), email or f"{uuid4().hex[:12]}@example.org", **more)


async def depart(browser: httpx.AsyncClient, name: str = "google", path: str = "/proposals") -> str:
    """To the provider and back; returns the address at which the browser arrives, without going there."""
    answer = await browser.get(f"/api/auth/oauth/{name}/start", params={"next": path})
    assert answer.status_code == 302, answer.text
    async with httpx.AsyncClient(trust_env=False) as at_the_provider:
        answer = await at_the_provider.get(answer.headers["location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def sign_in(browser: httpx.AsyncClient, name: str = "google", path: str = "/proposals") -> httpx.Response:
    return await browser.get(await depart(browser, name, path))


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_the_providers_that_are_set_up_are_named(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/auth/providers")).json() == {"providers": PROVIDERS}


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_new_person_is_signed_in_with_an_org_of_their_own(
    stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider, name: str
) -> None:
    answer = await sign_in(browser, name)
    assert (answer.status_code, answer.headers.get("location")) == (302, f"{stack.base_url}/app/proposals"), answer.text
    me = (await browser.get("/api/me")).json()
    assert (me["user"]["email"], me["user"]["has_password"]) == (provider.person.email, False)
    assert [(org["personal"], org["role"], org["tier"]) for org in me["orgs"]] == [(True, "owner", "free")]
    [identity] = (await browser.get("/api/auth/identities")).json()["items"]
    assert (identity["provider"], identity["email"]) == (name, provider.person.email)
    actions = {row["action"] for row in (await browser.get("/api/audit")).json()["items"]}
    assert {"user.registered", "identity.linked"} <= actions


async def test_the_second_time_it_is_the_same_person_also_with_another_address(
    stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
) -> None:
    await sign_in(browser)
    first = (await browser.get("/api/me")).json()["user"]["id"]
    provider.person = Person(provider.person.subject, "unverified@example.org", verified=False)
    async with stack.client() as other:
        assert (await sign_in(other)).status_code == 302
        assert (await other.get("/api/me")).json()["user"]["id"] == first
        rows = (await other.get("/api/audit", params={"action": "session.created"})).json()["items"]
        assert rows[0]["detail"]["provider"] == "google"


async def test_the_way_there_has_a_challenge_a_state_and_for_openid_a_nonce(
    browser: httpx.AsyncClient, provider: OpenIdProvider
) -> None:
    for name in PROVIDERS:
        await depart(browser, name)
    for asked in provider.asked:
        assert asked["code_challenge_method"] == "S256"
        assert min(len(asked["code_challenge"]), len(asked["state"])) == 43
    assert ["nonce" in asked for asked in provider.asked] == [True, False, False]
    assert len({asked["state"] for asked in provider.asked}) == 3


async def test_the_browser_is_known_by_a_cookie_that_no_script_reads(
    browser: httpx.AsyncClient, provider: OpenIdProvider
) -> None:
    answer = await browser.get("/api/auth/oauth/google/start")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie


class TestTheState:
    async def test_of_twenty_that_come_back_with_it_at_once_one_is_signed_in(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        provider.lax = True
        back = await depart(browser)
        before = provider.exchanged
        headers = {"cookie": f"bidwright-oauth={browser.cookies['bidwright-oauth']}"}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as racers:
            answers = await asyncio.gather(*(racers.get(back, headers=headers) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [302] + [400] * 19
        assert sum(f"{COOKIE}=" in answer.headers.get("set-cookie", "") for answer in answers) == 1
        assert provider.exchanged == before + 1

    async def test_is_of_no_use_in_another_browser(
        self, stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        back = await depart(browser)
        async with stack.client() as other:
            assert refused(await other.get(back)) == (400, "invalid_oauth_state")
            await depart(other)
            assert refused(await other.get(back)) == (400, "invalid_oauth_state")
            assert COOKIE not in other.cookies

    async def test_is_of_no_use_with_another_provider(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        provider.lax = True
        back = (await depart(browser)).replace("/oauth/google/", "/oauth/github/")
        assert refused(await browser.get(back)) == (400, "invalid_oauth_state")

    async def test_is_too_old_after_ten_minutes(
        self, stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        back = await depart(browser)
        await age_states(stack)
        assert refused(await browser.get(back)) == (400, "invalid_oauth_state")

    @pytest.mark.parametrize(
        "query", ["", "?state=", "?code=x", "?state=x&code=y", "?state=%00&code=%ff", f"?state={'x' * 5000}&code=y"]
    )
    async def test_that_is_not_ours_is_refused(self, browser: httpx.AsyncClient, query: str) -> None:
        await browser.get("/api/auth/oauth/google/start")
        answer = await browser.get(f"/api/auth/oauth/google/callback{query}")
        assert refused(answer) == (400, "invalid_oauth_state")

    async def test_is_used_up_by_a_code_that_is_wrong(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        back = await depart(browser)
        state = parse_qs(urlsplit(back).query)["state"][0]
        wrong = await browser.get("/api/auth/oauth/google/callback", params={"state": state, "code": "guessed"})
        assert refused(wrong) == (400, "invalid_oauth_state")
        assert refused(await browser.get(back)) == (400, "invalid_oauth_state")


async def age_states(stack: Any) -> None:
    import psycopg

    url = stack.env["DATABASE_URL"].replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("UPDATE oauth_states SET expires_at = expires_at - interval '11 minutes'")


class TestLinking:
    async def test_a_verified_address_signs_in_to_the_account_that_has_it(
        self, stack: Any, person: dict[str, Any], provider: OpenIdProvider
    ) -> None:
        provider.person = someone(person["user"]["email"].upper())
        async with stack.client() as other:
            assert (await sign_in(other)).status_code == 302
            assert (await other.get("/api/me")).json()["user"]["id"] == person["user"]["id"]

    @pytest.mark.parametrize("name", ["google", "github"])
    async def test_an_unverified_address_does_not(
        self, stack: Any, person: dict[str, Any], provider: OpenIdProvider, name: str
    ) -> None:
        provider.person = someone(person["user"]["email"], verified=False)
        async with stack.client() as other:
            assert refused(await sign_in(other, name)) == (403, "email_unverified")
            assert COOKIE not in other.cookies

    async def test_no_address_at_all_does_not(self, browser: httpx.AsyncClient, provider: OpenIdProvider) -> None:
        provider.person.email = None
        assert refused(await sign_in(browser, "facebook")) == (403, "email_unverified")

    async def test_who_registered_the_address_before_without_verifying_it_gets_nothing(
        self, stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        email = provider.person.email
        async with stack.client() as attacker:
            await attacker.post("/api/auth/register", json={"email": email, "password": PASSWORD, "name": "Eve"})
            token = await stack.mailed_token(email)
            assert (await sign_in(browser)).status_code == 302
            login = await attacker.post("/api/auth/login", json={"email": email, "password": PASSWORD})
            verify = await attacker.post("/api/auth/email/verify", json={"token": token})
            assert (refused(login), refused(verify)) == ((401, "unauthenticated"), (400, "invalid_token"))
            assert (await browser.delete("/api/me")).status_code == 204
            late = await attacker.post("/api/auth/email/verify", json={"token": token})
            assert refused(late) == (400, "invalid_token")

    async def test_one_person_in_two_browsers_at_once_becomes_one_account(
        self, stack: Any, provider: OpenIdProvider
    ) -> None:
        async with stack.client() as one, stack.client() as two, stack.client() as three:
            browsers = [(one, "google"), (two, "google"), (three, "github")]
            backs = [await depart(browser, name) for browser, name in browsers]
            pairs = zip(browsers, backs, strict=True)
            answers = await asyncio.gather(*(browser.get(back) for (browser, _), back in pairs))
            assert [answer.status_code for answer in answers] == [302] * 3
            assert len({(await browser.get("/api/me")).json()["user"]["id"] for browser, _ in browsers}) == 1

    async def test_an_erased_person_comes_back_as_a_new_one(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        await sign_in(browser)
        first = (await browser.get("/api/me")).json()["user"]["id"]
        assert (await browser.delete("/api/me")).status_code == 204
        await sign_in(browser)
        assert (await browser.get("/api/me")).json()["user"]["id"] != first


class TestUnlinking:
    async def test_is_refused_when_it_is_the_only_way_in(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        await sign_in(browser)
        assert refused(await browser.delete("/api/auth/identities/google")) == (409, "conflict")
        assert len((await browser.get("/api/auth/identities")).json()["items"]) == 1

    async def test_leaves_the_other_ways_in(
        self, person: dict[str, Any], browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        provider.person = someone(person["user"]["email"])
        await sign_in(browser)
        assert (await browser.delete("/api/auth/identities/google")).status_code == 204
        assert (await browser.get("/api/auth/identities")).json()["items"] == []
        assert refused(await browser.delete("/api/auth/identities/google")) == (404, "not_found")
        rows = (await browser.get("/api/audit", params={"action": "identity.unlinked"})).json()["items"]
        assert [row["detail"] for row in rows] == [{"provider": "google"}]

    async def test_needs_a_session(self, browser: httpx.AsyncClient) -> None:
        assert (await browser.get("/api/auth/identities")).status_code == 401
        assert (await browser.delete("/api/auth/identities/google")).status_code == 401


class TestTheProvidersFaults:
    @pytest.mark.parametrize("fault", ["token_500", "token_hangs", "not_json"])
    async def test_are_told_as_such(self, browser: httpx.AsyncClient, provider: OpenIdProvider, fault: str) -> None:
        provider.fault = fault
        answer = await sign_in(browser)
        assert refused(answer) == (503, "provider_unavailable")
        assert "retry-after" in answer.headers

    @pytest.mark.parametrize(
        "fault", ["wrong_nonce", "no_nonce", "expired", "forged", "unsigned", "other_audience", "other_issuer"]
    )
    async def test_in_the_id_token_sign_nobody_in(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider, fault: str
    ) -> None:
        provider.fault = fault
        assert refused(await sign_in(browser)) == (400, "invalid_oauth_state")
        assert COOKIE not in browser.cookies

    async def test_who_says_no_is_not_signed_in(self, browser: httpx.AsyncClient, provider: OpenIdProvider) -> None:
        provider.denies = True
        assert refused(await sign_in(browser)) == (403, "oauth_denied")

    async def test_lead_a_person_back_to_the_sign_in_page(
        self, stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        provider.denies = True
        answer = await browser.get(await depart(browser), headers={"accept": "text/html,*/*"})
        where = (answer.status_code, answer.headers["location"])
        assert where == (302, f"{stack.base_url}/app/sign-in?problem=oauth_denied")


async def test_who_asks_for_a_second_factor_goes_on_with_their_passkey(
    stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider
) -> None:
    await sign_in(browser)
    device = Authenticator(origin=stack.base_url.replace("127.0.0.1", "localhost"))
    options = (await browser.post("/api/auth/passkeys/options")).json()
    await browser.post("/api/auth/passkeys", json={"name": "phone", "credential": device.create(options)})
    assert (await browser.patch("/api/me", json={"second_factor": True})).status_code == 200
    browser.cookies.clear()
    assert refused(await browser.get(await depart(browser))) == (403, "second_factor_required")
    answer = await browser.get(await depart(browser), headers={"accept": "text/html,*/*"})
    assert COOKIE not in browser.cookies
    page, _, fragment = answer.headers["location"].partition("#")
    assert page == f"{stack.base_url}/app/sign-in?next=/proposals"
    packed = fragment.removeprefix("second-step=")
    step = json.loads(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    body = {"credential": device.get(step["options"]), "ticket": step["ticket"]}
    assert (await browser.post("/api/auth/passkeys/sign-in", json=body)).status_code == 200
    assert (await browser.get("/api/me")).status_code == 200
    assert (await browser.post("/api/auth/passkeys/sign-in", json=body)).status_code == 401


async def test_a_provider_that_does_not_exist_is_not_found(browser: httpx.AsyncClient) -> None:
    for step in ("start", "callback"):
        assert refused(await browser.get(f"/api/auth/oauth/myspace/{step}")) == (404, "not_found")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/../api/me", "x"])
async def test_no_one_is_sent_elsewhere_afterwards(
    stack: Any, browser: httpx.AsyncClient, provider: OpenIdProvider, path: str
) -> None:
    assert (await sign_in(browser, path=path)).headers["location"] == f"{stack.base_url}/app/"


class TestRenewal:
    async def test_a_sign_in_ends_the_session_that_the_browser_had(
        self, browser: httpx.AsyncClient, provider: OpenIdProvider
    ) -> None:
        await sign_in(browser)
        former = browser.cookies[COOKIE]
        assert (await browser.get("/api/me")).status_code == 200
        await sign_in(browser)
        assert browser.cookies[COOKIE] != former
        assert len((await browser.get("/api/auth/sessions")).json()["items"]) == 1
        assert (await browser.get("/api/me")).status_code == 200
        browser.cookies.clear()
        assert (await browser.get("/api/me", headers={"cookie": f"{COOKIE}={former}"})).status_code == 401

    async def test_also_with_the_password(self, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
        body = {"email": person["user"]["email"], "password": PASSWORD}
        assert (await browser.post("/api/auth/login", json=body)).status_code == 200
        assert len((await browser.get("/api/auth/sessions")).json()["items"]) == 1
