"""From registration to a session, and out of it again."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.integration


async def test_who_follows_the_mailed_link_is_signed_in_with_an_org_of_their_own(
    person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    me = (await browser.get("/api/me")).json()
    assert me["user"] == person["user"]
    assert [(org["personal"], org["role"], org["tier"]) for org in me["orgs"]] == [(True, "owner", "free")]


async def test_a_taken_address_is_answered_like_a_new_one(stack: Any, person: dict[str, Any]) -> None:
    email = person["user"]["email"]
    async with stack.client() as stranger:
        body = {"email": email.upper(), "password": "another password", "name": "Eve"}
        answer = await stranger.post("/api/auth/register", json=body)
        assert (answer.status_code, answer.json()) == (202, {"status": "verify_email"})
        assert (await stack.mail(email, "already"))["links"][0].endswith("/app/sign-in")
        answer = await stranger.post("/api/auth/login", json={"email": email, "password": "another password"})
        assert answer.status_code == 401


async def test_a_link_works_once(stack: Any, browser: httpx.AsyncClient) -> None:
    email = f"{uuid4().hex}@example.org"
    await browser.post("/api/auth/register", json={"email": email, "password": PASSWORD, "name": "Ada"})
    token = await stack.mailed_token(email)
    answers = await asyncio.gather(*(browser.post("/api/auth/email/verify", json={"token": token}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_the_right_password_of_an_unverified_address_is_told_so(browser: httpx.AsyncClient) -> None:
    email = f"{uuid4().hex}@example.org"
    await browser.post("/api/auth/register", json={"email": email, "password": PASSWORD, "name": "Ada"})
    right = await browser.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    wrong = await browser.post("/api/auth/login", json={"email": email, "password": "not this one"})
    assert (right.status_code, right.json()["error"]) == (403, "email_unverified")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthenticated")


async def test_the_sixth_wrong_password_in_a_minute_is_throttled(stack: Any, person: dict[str, Any]) -> None:
    email = person["user"]["email"]
    async with stack.client() as stranger:
        body = {"email": email, "password": "wrong"}
        answers = await asyncio.gather(*(stranger.post("/api/auth/login", json=body) for _ in range(12)))
        assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"] == "login_throttled"
        assert 0 < int(refused.headers["retry-after"]) <= 60


async def test_many_right_passwords_are_not_throttled(stack: Any, person: dict[str, Any]) -> None:
    body = {"email": person["user"]["email"], "password": PASSWORD}
    async with stack.client() as other:
        answers = await asyncio.gather(*(other.post("/api/auth/login", json=body) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}


async def test_an_ended_session_is_refused_on_its_next_request(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    async with stack.client() as other:
        await other.post("/api/auth/login", json={"email": person["user"]["email"], "password": PASSWORD})
        assert (await other.get("/api/me")).status_code == 200
        sessions = (await browser.get("/api/auth/sessions")).json()["items"]
        [theirs] = [session for session in sessions if not session["current"]]
        assert (await browser.delete(f"/api/auth/sessions/{theirs['id']}")).status_code == 204
        assert (await other.get("/api/me")).status_code == 401
    assert (await browser.get("/api/me")).status_code == 200


async def test_a_new_password_ends_the_other_sessions(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    email = person["user"]["email"]
    async with stack.client() as other:
        assert (await other.post("/api/auth/password/forgot", json={"email": email})).status_code == 202
        token = await stack.mailed_token(email, "new password")
        answer = await other.post("/api/auth/password/reset", json={"token": token, "password": "brand new words"})
        assert answer.status_code == 200, answer.text
        assert (await browser.get("/api/me")).status_code == 401
        assert (await other.post("/api/auth/login", json={"email": email, "password": PASSWORD})).status_code == 401
        answer = await other.post("/api/auth/login", json={"email": email, "password": "brand new words"})
        assert answer.status_code == 200


async def test_forgetting_the_password_of_nobody_is_answered_alike(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/auth/password/forgot", json={"email": "nobody@example.org"})
    assert (answer.status_code, answer.json()) == (202, {"status": "mail_sent_if_known"})


async def test_logout_ends_the_session(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    cookie = browser.cookies["bidwright"]
    assert (await browser.post("/api/auth/logout")).status_code == 204
    assert "bidwright" not in browser.cookies
    assert (await browser.get("/api/me", cookies={"bidwright": cookie})).status_code == 401


async def test_an_erased_person_is_gone(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    assert (await browser.delete("/api/me")).status_code == 204
    body = {"email": person["user"]["email"], "password": PASSWORD}
    assert (await browser.post("/api/auth/login", json=body)).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "no address", "password": PASSWORD, "name": "A"}, "email"),
        ({"email": "a@example.org", "password": "short", "name": "A"}, "password"),
        ({"email": "a@example.org", "password": PASSWORD, "name": ""}, "name"),
        ({"email": "a@example.org", "password": PASSWORD, "name": "x" * 10_000}, "name"),
        ({"email": "a@example.org", "password": PASSWORD, "name": "a\u0000b"}, "name"),
        ({"email": "a@example.org", "password": PASSWORD, "name": "a\nb"}, "name"),
    ],
)
async def test_bad_fields_are_named(browser: httpx.AsyncClient, body: dict[str, str], field: str) -> None:
    answer = await browser.post("/api/auth/register", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field
