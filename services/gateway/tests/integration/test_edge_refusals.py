"""What cannot be right is refused before anyone is asked, as a problem document, and poisons no other request."""

from __future__ import annotations

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .conftest import logged

pytestmark = pytest.mark.integration

HOST = "Host: 127.0.0.1"


def raw(base_url: str, *lines: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to exactly these lines; status 0 when the connection is just closed."""
    parts = urlsplit(base_url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10) as connection:
        try:
            connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + body)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
                head, found, rest = answer.partition(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if found and length and len(rest) >= int(length[0].split(b":")[1]):
                    break
        except ConnectionError:
            return 0, {}, b""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = dict(field.lower().split(": ", 1) for field in fields if ": " in field)
    return int(status.split(" ")[1]) if status else 0, headers, rest


REFUSED: list[tuple[str, set[int], tuple[str, ...]]] = [
    ("an unknown host", {421}, ("GET /app HTTP/1.1", "Host: evil.example")),
    ("a host in another script", {400, 421}, ("GET /app HTTP/1.1", "Host: b\xfccher.example")),
    ("no host", {400, 421}, ("GET /app HTTP/1.1",)),
    ("two hosts", {400, 421}, ("GET /app HTTP/1.1", HOST, "Host: evil.example")),
    ("no route", {404}, ("GET /nowhere HTTP/1.1", HOST)),
    ("a NUL in the path", {400}, ("GET /api/%00 HTTP/1.1", HOST)),
    ("an escaped slash", {400}, ("GET /api%2Fme HTTP/1.1", HOST)),
    ("a way out of the tree", {400, 404}, ("GET /app/../../etc/passwd HTTP/1.1", HOST)),
    ("a made-up method", {400, 401, 404, 405}, ("BREW /api/me HTTP/1.1", HOST)),
    ("no HTTP at all", {400}, ("hello",)),
    ("HTTP/1.0", {400, 426}, ("GET /healthz HTTP/1.0", HOST)),
    ("a huge header", {431}, ("GET /healthz HTTP/1.1", HOST, "X-Big: " + "x" * 100_000)),
    ("a huge path", {414, 431}, ("GET /" + "x" * 200_000 + " HTTP/1.1", HOST)),
    ("many headers", {431}, ("GET /healthz HTTP/1.1", HOST, *(f"X-{number}: 1" for number in range(500)))),
    ("a folded header", {400, 401}, ("GET /api/me HTTP/1.1", HOST, "X-Folded: a", " b")),
    ("two lengths", {400}, ("POST /api/auth/login HTTP/1.1", HOST, "Content-Length: 5", "Content-Length: 6")),
    (
        "a length and chunks",
        {400},
        ("POST /api/auth/login HTTP/1.1", HOST, "Content-Length: 5", "Transfer-Encoding: chunked"),
    ),
    ("an encoding nobody knows", {501}, ("POST /api/auth/login HTTP/1.1", HOST, "Transfer-Encoding: smuggled")),
    ("a negative length", {400}, ("POST /api/auth/login HTTP/1.1", HOST, "Content-Length: -1")),
    ("two orgs", {400}, ("GET /api/me HTTP/1.1", HOST, "Cookie: {cookie}", "X-Org-ID: {org}", "X-Org-ID: {other}")),
    ("two keys", {401}, ("GET /api/me HTTP/1.1", HOST, "Authorization: Bearer bw_a", "Authorization: Bearer bw_b")),
    ("a body that is too large", {413}, ("POST /api/proposals HTTP/1.1", HOST, "Content-Length: 2000000000")),
    (
        "an upload that is too large",
        {413},
        ("POST /api/uploads HTTP/1.1", HOST, "Cookie: {cookie}", "Content-Length: 2000000000"),
    ),
    ("two cookies, both ours", {401}, ("GET /api/me HTTP/1.1", HOST, "Cookie: bidwright=a", "Cookie: bidwright=b")),
    ("a stranger's upload", {401}, ("POST /api/uploads HTTP/1.1", HOST, "Content-Length: 1000")),
]


@pytest.mark.parametrize(("statuses", "lines"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
async def test_it_is_refused_as_a_problem(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, statuses: set[int], lines: tuple[str, ...]
) -> None:
    values = {
        "cookie": f"bidwright={browser.cookies['bidwright']}",
        "org": person["orgs"][0]["id"],
        "other": "01a20c4e-0000-7000-8000-000000000000",
    }
    for name, value in values.items():
        lines = tuple(line.replace("{" + name + "}", value) for line in lines)
    status, headers, body = raw(stack.base_url, *lines)
    assert status in statuses, (status, body)
    assert headers["content-type"].startswith("application/problem+json")
    assert "default-src 'self'" in headers["content-security-policy"]
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["error"]
    assert re.fullmatch(r"[0-9a-f-]{36}", problem["request_id"])
    assert problem["request_id"] == headers["x-request-id"]
    assert (await browser.get("/api/me")).status_code == 200


async def test_each_refusal_is_found_in_the_log_by_the_id_that_the_client_was_shown(stack: Any) -> None:
    shown = [json.loads(raw(stack.base_url, *lines)[2])["request_id"] for _, _, lines in REFUSED]
    assert len(set(shown)) == len(REFUSED)
    for (name, _, _), request_id in zip(REFUSED, shown, strict=True):
        assert (await logged(stack.access_log, request_id))["status"] >= 400, name


async def test_what_is_hidden_behind_a_refused_request_is_never_answered(stack: Any) -> None:
    hidden = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    lines = ("POST /api/auth/login HTTP/1.1", HOST, f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked")
    status, _, body = raw(stack.base_url, *lines, body=hidden)
    assert status == 400
    assert b'"ok"' not in body


async def test_headers_that_only_we_may_send_change_nothing(stack: Any, browser: httpx.AsyncClient) -> None:
    forged = {
        "x-bidwright-identity": "forged",
        "x-bidwright-lease": "1000",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-envoy-original-path": "/authz/api/me",
    }
    answer = await browser.get("/api/me", headers=forged)
    assert answer.status_code == 401
    me = await stack.new_person(browser)
    answer = await browser.get("/api/proposals", headers=forged | {"x-org-id": me["orgs"][0]["id"]})
    arrived = answer.json()["headers"]
    assert arrived["x-bidwright-identity"] != ["forged"]
    assert not [name for name in arrived if name.startswith("x-envoy-") and name in forged]
    assert arrived["x-forwarded-for"] == ["127.0.0.1"]
