"""What a broken or a hostile client may send, by hand: each time a refusal of the contract's table, and never a 500."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import httpx
import pytest

from devstack.running import RunningStack

from .cast import Cast, arrive, ask, nobody
from .operations import JSON
from .problems import fields_of, problem

pytestmark = pytest.mark.e2e

Headers = list[tuple[str, str | bytes]]


class TestWhoAsks:
    @pytest.mark.parametrize(
        "headers",
        [
            [("Cookie", "bidwright")],
            [("Cookie", "bidwright=")],
            [("Cookie", "bidwright=;bidwright=;;;=;")],
            [("Cookie", 'bidwright="quoted"')],
            [("Cookie", "bidwright=%00%ff%zz")],
            [("Cookie", b"bidwright=\xff\xfe")],
            [("Cookie", "bidwright=x" * 500)],
            [("Cookie", "; ".join(f"bidwright={number}" for number in range(200)))],
            [("Cookie", "bidwright=a"), ("Cookie", "bidwright=b")],
            [("Authorization", "")],
            [("Authorization", "Bearer")],
            [("Authorization", "Bearer bw_")],
            [("Authorization", "bearer bw_" + "x" * 43)],
            [("Authorization", "Bearer bw_" + "x" * 20_000)],
            [("Authorization", "Bearer bw_x y z")],
            [("Authorization", b"Bearer bw_\xc3\xa9\xff")],
            [("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")],
            [("Authorization", "Basic ://")],
            [("Authorization", "Bearer bw_a"), ("Authorization", "Bearer bw_b")],
        ],
        ids=lambda headers: str(headers)[:50],
    )
    def test_a_broken_credential_is_a_401(self, anonymous: httpx.Client, headers: Headers) -> None:
        for method, path in (("GET", "/api/usage"), ("GET", "/api/me"), ("GET", "/api/proposals")):
            answer = anonymous.request(method, path, headers=raw(headers))
            problem(answer, 401, "unauthenticated")

    def test_the_sessions_name_in_capitals_is_another_cookie(self, cast: Cast) -> None:
        with nobody(cast.base_url) as browser:
            answer = browser.get("/api/me", headers={"Cookie": f"BIDWRIGHT={cast.owner.http.cookies['bidwright']}"})
        problem(answer, 401, "unauthenticated")


class TestWhichOrg:
    @pytest.mark.parametrize(
        "spell",
        [
            lambda org: [f"{org},{org}"],
            lambda org: [f"{org}, {org}"],
            lambda org: [org, org],
            lambda org: [org, str(uuid.uuid4())],
            lambda org: [f"{{{org}}}"],
            lambda org: [f"urn:uuid:{org}"],
            lambda org: [org.replace("-", "")],
            lambda org: [org[:-1]],
            lambda org: [f"{org}0"],
            lambda org: [f"{org}\t x"],
            lambda org: ["١" * 36],
            lambda org: ["é" * 36],
            lambda org: [org[:-1] + "g"],
            lambda org: ["../" * 12],
            lambda org: ["' OR 1=1 --"],
        ],
        ids=[
            *("joined", "joined by space", "twice", "two", "braces", "urn", "no dashes", "short", "long", "more"),
            *("digits of another script", "36 letters outside ASCII", "no hex", "dots", "SQL"),
        ],
    )
    def test_a_malformed_one_is_a_400_and_never_the_personal_org(self, cast: Cast, spell: Any) -> None:
        sent = raw([("X-Org-ID", value.encode()) for value in spell(str(cast.owner.org_id))])
        for path in ("/api/usage", "/api/proposals", "/api/keys", "/api/audit"):
            problem(cast.owner.http.get(path, headers=sent), 400, "invalid_org_id")

    def test_capitals_are_the_same_id(self, cast: Cast) -> None:
        answer = cast.owner.http.get("/api/usage", headers={"X-Org-ID": str(cast.owner.org_id).upper()})
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 200:
            assert answer.json()["scope"]["org_id"] == cast.owner.org_id


ADDRESSES = {
    "no domain": "ada@",
    "no name": "@example.org",
    "two": "a@example.org,b@example.org",
    "two @": "a@b@example.org",
    "a name beside it": "Ada <ada@example.org>",
    "a line break": "ada@example.org\r\nBcc: b@example.org",
    "a NUL": "ada\0@example.org",
    "a space": "a da@example.org",
    "a domain without an end": "ada@localhost",
    "a numeric address": "ada@[127.0.0.1]",
    "dots": "ada@example..org",
    "too long": "a" * 250 + "@example.org",
    "much too long": "a" * 10_000 + "@example.org",
    "a broken A-label": "ada@xn--a.example",
    "reversed text": "ada\u202e@example.org",
    "a zero-width space": "ada@exam\u200bple.org",
    "a full-width @": "ada＠example.org",
}
GOOD_ADDRESSES = (
    "用户@例え.example",
    "ada@bücher.example",
    "ADA+Tag@Example.Org",
    "o'hara@example.org",
)


class TestAddresses:
    @pytest.mark.parametrize("name", ADDRESSES)
    def test_what_is_none_is_named(self, cast: Cast, anonymous: httpx.Client, name: str) -> None:
        address = ADDRESSES[name]
        body = {"email": address, "password": "a long enough pass phrase", "name": "Ada"}
        assert fields_of(problem(anonymous.post("/api/auth/register", json=body), 422)) == {"email"}
        invited = {"email": address, "role": "viewer"}
        answer = ask(cast.owner, "POST", f"/api/orgs/{cast.owner.org_id}/invites", json=invited)
        assert fields_of(problem(answer, 422)) == {"email"}

    @pytest.mark.parametrize("name", ADDRESSES)
    def test_who_signs_in_with_it_learns_nothing(self, anonymous: httpx.Client, name: str) -> None:
        answer = anonymous.post("/api/auth/login", json={"email": ADDRESSES[name], "password": "x"})
        assert (answer.status_code, answer.json()["error"]) in {
            *((401, "unauthenticated"), (422, "validation_failed"), (429, "login_throttled")),
        }, answer.text

    @pytest.mark.parametrize("address", GOOD_ADDRESSES)
    def test_any_script_is_welcome(self, stack: RunningStack, anonymous: httpx.Client, address: str) -> None:
        local, _, domain = address.partition("@")
        body = {
            "email": f"{local}.{uuid.uuid4().hex[:8]}@{domain}",
            "password": "a long enough pass phrase",
            "name": "A",
        }
        assert anonymous.post("/api/auth/register", json=body).status_code == 202

    def test_two_spellings_are_one_account(self, stack: RunningStack) -> None:
        person = arrive(stack, "spelling")
        with nobody(stack.base_url) as browser:
            sent = {"email": person.email.upper(), "password": person.password}
            assert browser.post("/api/auth/login", json=sent, headers={"Origin": stack.base_url}).status_code == 200


class TestTokens:
    @pytest.mark.parametrize(
        "token", ["", "x", "x" * 43, "x" * 10_000, "a\0b", "../..", "é" * 40, "' OR '1'='1", None, 1, ["x"], {"a": 1}]
    )
    def test_one_of_a_mail_that_is_not_ours_is_refused(self, cast: Cast, anonymous: httpx.Client, token: Any) -> None:
        password = "a long enough pass phrase"
        for client, path, body in (
            (anonymous, "/api/auth/email/verify", {"token": token}),
            (anonymous, "/api/auth/password/reset", {"token": token, "password": password}),
            (cast.owner.http, "/api/invites/accept", {"token": token}),
        ):
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]) in {
                *((400, "invalid_token"), (404, "not_found"), (422, "validation_failed")),
            }, f"{path}: {answer.text}"

    @pytest.mark.parametrize("token", ["x" * 43, "x" * 10_000, "%00", "%ff", "%E2%82%AC", "a%20b", "%27--", "..%3b"])
    def test_nor_does_it_show_an_invite(self, anonymous: httpx.Client, token: str) -> None:
        answer = anonymous.get(f"/api/invites/{token}")
        assert (answer.status_code, answer.json()["error"]) in {
            *((400, "invalid_request"), (404, "not_found"), (422, "validation_failed")),
        }


class TestAnInvite:
    def test_used_by_its_guest_it_is_used_up(self, stack: RunningStack, cast: Cast) -> None:
        guest, other = arrive(stack, "guest"), arrive(stack, "other")
        path = f"/api/orgs/{cast.owner.org_id}/invites"
        cast.owner.call("POST", path, json={"email": guest.email, "role": "viewer"})
        token = guest.token_from_mail("/invite")
        problem(other.http.post("/api/invites/accept", json={"token": token}), 403, "org_forbidden")
        assert guest.http.post("/api/invites/accept", json={"token": token}).status_code == 200
        problem(guest.http.post("/api/invites/accept", json={"token": token}), 409, "already_member")
        problem(other.http.post("/api/invites/accept", json={"token": token}), 403, "org_forbidden")
        user_id = guest.call("GET", "/api/me")["user"]["id"]
        cast.owner.call("DELETE", f"/api/orgs/{cast.owner.org_id}/members/{user_id}")
        problem(guest.http.post("/api/invites/accept", json={"token": token}), 409, "conflict")
        problem(guest.http.get(f"/api/invites/{token}"), 409, "conflict")


TEXTS = {
    "10,000 characters": "x" * 10_000,
    "nothing but space": " \t\u2003 ",
    "a NUL": "a\0b",
    "a line break": "a\nb",
    "a paragraph separator": "a\u2029b",
    "an escape": "a\x1b[31mb",
}


class TestNames:
    @pytest.mark.parametrize("name", TEXTS)
    def test_a_bad_one_is_named(self, cast: Cast, anonymous: httpx.Client, name: str) -> None:
        text = TEXTS[name]
        answers = [
            ask(cast.owner, "POST", "/api/orgs", json={"name": text}),
            ask(cast.owner, "PATCH", f"/api/orgs/{cast.owner.org_id}", json={"name": text}),
            ask(cast.owner, "PATCH", "/api/me", json={"name": text}),
            ask(cast.owner, "POST", "/api/keys", json={"name": text, "scopes": ["org:read"]}),
            anonymous.post(
                "/api/auth/register",
                json={"email": "n@example.org", "password": "a long enough pass phrase", "name": text},
            ),
        ]
        for answer in answers:
            assert fields_of(problem(answer, 422)) == {"name"}

    def test_any_script_is_welcome_and_comes_back_as_it_was(self, cast: Cast) -> None:
        for name in (
            "Zoë 🦉 名前 שלום",
            "Robert'); DROP TABLE orgs;--",
            "<script>alert(1)</script>",
            "e\u0301",
            "👩\u200d🚀",
        ):
            answer = ask(cast.owner, "PATCH", "/api/me", json={"name": name})
            assert answer.status_code == 200, answer.text
            assert answer.json()["user"]["name"] == name

    @pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\ud83d", r"\udc00\ud800"])
    def test_half_a_surrogate_pair_is_refused(self, cast: Cast, escape: str) -> None:
        for path, content in (
            ("/api/orgs", f'{{"name": "a{escape}b"}}'),
            ("/api/proposals", f'{{"title": "a{escape}b"}}'),
            ("/api/auth/login", f'{{"email": "a{escape}b", "password": "x"}}'),
            ("/api/orgs", f'{{"name": "a", "{escape}": 1}}'),
        ):
            answer = ask(cast.owner, "POST", path, {"Content-Type": JSON}, content=content.encode())
            assert answer.status_code in (400, 401, 422), f"{path}: {answer.text}"
            problem(answer, answer.status_code)


def nested(levels: int) -> bytes:
    return b'{"name": ' + b'{"a": [' * (levels // 2) + b"1" + b"]}" * (levels // 2) + b"}"


class TestJSON:
    @pytest.mark.parametrize(
        "content",
        [
            nested(10_000),
            b"[" * 10_000 + b"]" * 10_000,
            b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
            b"",
            b" ",
            b"\0",
            b"nul",
            b'{"name": "x"} trailing',
            b'{"name": "x",}',
            b"{'name': 'x'}",
            b'{"name": NaN}',
            b'{"name": Infinity}',
            b'{"name": "tab\there"}',
            b'{"name": "\xff"}',
            b'{"name": "\xed\xa0\x80"}',
            gzip.compress(b'{"name": "x"}'),
            b"name=x",
            b"<name>x</name>",
        ],
        ids=lambda content: content[:24].decode("latin-1").encode("unicode_escape").decode(),
    )
    def test_what_is_none_is_refused(self, cast: Cast, content: bytes) -> None:
        for path in ("/api/orgs", "/api/proposals", "/api/auth/login", "/api/billing/checkout", "/api/exports"):
            answer = ask(cast.owner, "POST", path, {"Content-Type": JSON}, content=content)
            assert (answer.status_code, answer.json()["error"]) in {
                *((400, "invalid_json"), (422, "validation_failed")),
            }, f"{path}: {answer.text}"
            problem(answer, answer.status_code)

    @pytest.mark.parametrize(
        "number", ["1e999", "-1e999", "9" * 400, "1" + "0" * 4000, "0.1", "-0", "1e-400", "9223372036854775808"]
    )
    def test_a_number_out_of_any_range_is_refused(self, cast: Cast, number: str) -> None:
        for method, path, field in (
            ("PATCH", "/api/billing/seats", "seats"),
            ("POST", "/api/billing/seats/preview", "seats"),
            ("POST", "/api/exports", "proposal_revision"),
            ("POST", "/api/orgs", "name"),
        ):
            answer = ask(cast.owner, method, path, {"Content-Type": JSON}, content=f'{{"{field}": {number}}}'.encode())
            assert answer.status_code in (400, 422), f"{path}: {answer.text}"
            problem(answer, answer.status_code)

    def test_a_key_that_is_there_twice_is_read_once(self, cast: Cast) -> None:
        """As JSON libraries do, the last one counts; nobody before the services reads bodies, so nobody disagrees."""
        content = b'{"name": "Twice A", "name": "Twice B"}'
        answer = ask(cast.owner, "POST", "/api/orgs", {"Content-Type": JSON}, content=content)
        assert answer.status_code in (201, 400), answer.text
        assert answer.status_code == 400 or answer.json()["name"] == "Twice B"

    @pytest.mark.parametrize(
        "kind",
        [
            *("text/json", "application/jsonp", "application/x-json", "application/octet-stream", "json", "*/*"),
            *("application/json/x", "text/html", "image/svg+xml"),
        ],
    )
    def test_another_content_type_is_a_415(self, cast: Cast, kind: str) -> None:
        for path in ("/api/orgs", "/api/proposals", "/api/auth/login", "/api/exports", "/api/billing/checkout"):
            answer = ask(cast.owner, "POST", path, {"Content-Type": kind}, content=b'{"name": "x"}')
            problem(answer, 415, "unsupported_media_type")

    @pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "x-unknown", "utf-7"])
    def test_json_is_utf_8_whatever_is_said_of_it(self, cast: Cast, charset: str) -> None:
        """RFC 8259 knows no charset: it is refused, or read as UTF-8, and never decoded as something else."""
        kind = f"application/json; charset={charset}"
        said = '{"name": "Zoë"}'.encode()
        answer = ask(cast.owner, "PATCH", "/api/me", {"Content-Type": kind}, content=said)
        if answer.status_code == 200:
            assert answer.json()["user"]["name"] == "Zoë"
        else:
            problem(answer, 415, "unsupported_media_type")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
    def test_another_encoding_is_never_garbled(self, cast: Cast, encoding: str) -> None:
        """The JSON parser knows it by its first bytes; what is read is what was meant."""
        content = '{"name": "Zoë"}'.encode(encoding)
        answer = ask(cast.owner, "PATCH", "/api/me", {"Content-Type": JSON}, content=content)
        if answer.status_code == 200:
            assert answer.json()["user"]["name"] == "Zoë"
        else:
            problem(answer, 400, "invalid_json")

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "compress", "x", "gzip, gzip"])
    def test_a_compressed_body_is_not_unpacked(self, cast: Cast, coding: str) -> None:
        content = gzip.compress(json.dumps({"name": "x"}).encode())
        for path in ("/api/orgs", "/api/proposals", "/api/billing/checkout"):
            sent = {"Content-Type": JSON, "Content-Encoding": coding}
            answer = ask(cast.owner, "POST", path, sent, content=content)
            assert (answer.status_code, answer.json()["error"]) in {
                *((400, "invalid_json"), (415, "unsupported_media_type")),
            }, answer.text

    def test_a_byte_order_mark_is_refused_or_passed_over(self, cast: Cast) -> None:
        for path in ("/api/orgs", "/api/auth/login", "/api/exports"):
            answer = ask(cast.owner, "POST", path, {"Content-Type": JSON}, content=b"\xef\xbb\xbf{}")
            assert (answer.status_code, answer.json()["error"]) in {
                *((400, "invalid_json"), (422, "validation_failed")),
            }, answer.text


def raw(headers: Headers) -> httpx.Headers:
    return httpx.Headers(
        [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    )
