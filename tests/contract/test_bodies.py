"""What is sent: bodies that are broken, of another kind, too large, or of another shape; methods that are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from .cast import Cast, ask
from .operations import JSON, JSON_BODIES, OPERATIONS, Operation, each
from .problems import fields_of, problem

pytestmark = pytest.mark.e2e

JSON_TYPE = {"Content-Type": JSON}
MIB = 1024 * 1024

BROKEN = {
    "cut off": b'{"a": ',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "a number of 5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
}
ODD_VALUES = {
    "NUL": r'"a\u0000b"',
    "half a surrogate": r'"a\ud800b"',
    "more than a megabyte": f'"{"x" * 1_200_000}"',
    "beyond 64 bits": "1" + "0" * 40,
    "beyond a float": "1e400",
    "an object": '{"a": {"b": [1]}}',
}
HARMLESS = {
    ("PATCH", "/api/me", "current_password"),  # means nothing without a new one
    ("POST", "/api/auth/register", "password"),  # may hold any character, since only its hash is stored
}
"""Fields that may be anything, so that an odd value in them is no reason to refuse."""

GOOD: dict[str, dict[str, Any]] = {
    "/api/auth/register": {"email": "odd@example.com", "password": "a long enough pass phrase", "name": "Odd"},
    "/api/auth/login": {"email": "odd@example.com", "password": "wrong"},
    "/api/auth/password/reset": {"token": "x", "password": "a long enough pass phrase"},
    "/api/billing/checkout": {"price": "pro_monthly"},
    "/api/billing/seats/preview": {"seats": 2},
    "/api/keys": {"name": "odd", "scopes": ["org:read"]},
    "/api/orgs/{org_id}/invites": {"email": "odd@example.com", "role": "viewer"},
    "/api/proposals": {"title": "Odd"},
}
"""The other fields of a body of which one is odd."""


def somebody(cast: Cast, operation: Operation) -> Any:
    """Someone who may; the AI's limit is for each person, so the load is spread."""
    if operation.path.startswith("/api/ai/"):
        return {"plan": cast.owner, "write": cast.admin, "revise": cast.member}.get(
            operation.path.rpartition("/")[2], cast.admin
        )
    return cast.owner


def send(cast: Cast, ids: dict[str, str], operation: Operation, content: bytes, **headers: str) -> httpx.Response:
    headers = {"Content-Type": JSON, **headers}
    return ask(somebody(cast, operation), operation.method, operation.url(ids), headers, content=content)


class TestJSON:
    @each(JSON_BODIES)
    def test_what_is_not_json_is_a_400(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        for name, content in BROKEN.items():
            answer = send(cast, ids, operation, content)
            assert answer.status_code == 400, f"{name}: {answer.text[:300]}"
            problem(answer, 400, "invalid_json")

    @each(tuple(operation for operation in JSON_BODIES if operation.takes_only_json))
    @pytest.mark.parametrize(
        "kind",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "x"],
    )
    def test_another_content_type_is_a_415(
        self, cast: Cast, ids: dict[str, str], operation: Operation, kind: str
    ) -> None:
        problem(send(cast, ids, operation, b'{"a": 1}', **{"Content-Type": kind}), 415, "unsupported_media_type")

    def test_so_it_is_where_a_file_may_come_too(self, cast: Cast) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = ask(cast.owner, "POST", "/api/exports/verify", {"Content-Type": kind}, content=b"{}")
            problem(answer, 415, "unsupported_media_type")

    def test_so_it_is_where_only_a_file_may_come(self, cast: Cast) -> None:
        problem(ask(cast.owner, "POST", "/api/uploads", json={}), 415, "unsupported_media_type")


class TestShape:
    @each(JSON_BODIES)
    def test_missing_fields_are_named(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        if not operation.required_fields:
            pytest.skip("no field is required")
        body = problem(send(cast, ids, operation, b"{}"), 422)
        assert set(operation.required_fields) <= fields_of(body)

    @each(JSON_BODIES)
    def test_a_list_is_no_object(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        for content in (b"[]", b'"x"', b"1"):
            fields_of(problem(send(cast, ids, operation, content), 422))

    @each(JSON_BODIES)
    def test_an_unknown_field_is_named(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        """It may be a misspelt one, and then ignoring it would be to do something else than what was asked."""
        body = problem(send(cast, ids, operation, b'{"surplus": 1}'), 422)
        assert "surplus" in fields_of(body)

    @each(JSON_BODIES)
    def test_a_field_of_another_type_is_named(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        for field in operation.fields:
            content = json.dumps({**GOOD.get(operation.path, {}), field: [{"a": 1}]}).encode()
            body = problem(send(cast, ids, operation, content), 422)
            assert field in {name.partition(".")[0] for name in fields_of(body)}

    @each(JSON_BODIES)
    def test_an_odd_value_is_refused(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        for field in operation.fields:
            for name, value in ODD_VALUES.items():
                if operation.path == "/api/ai/write" and name != "half a surrogate":
                    continue  # the same text types as elsewhere, and the limit of AI requests is near
                body = json.dumps({**GOOD.get(operation.path, {}), field: "@"}).replace('"@"', value)
                answer = send(cast, ids, operation, body.encode(), **{"If-Match": '"1"'})
                seen = f"{operation} {field}: {name}: {answer.status_code} {answer.text[:300]}"
                if (operation.method, operation.path, field) in HARMLESS:
                    assert answer.status_code < 500, seen
                else:
                    assert 400 <= answer.status_code < 500, seen
                    assert answer.json()["error"] != "rate_limited", seen


READ_AS_AN_ID = {
    ("/api/answers/suggestions", "PATCH"),
    ("/api/answers/suggestions", "DELETE"),
    ("/api/invites/accept", "GET"),
    ("/api/exports/verify", "GET"),
    ("/api/exports/verify", "DELETE"),
    ("/api/uploads/resumable", "GET"),
    ("/api/uploads/resumable", "DELETE"),
    ("/api/auth/passkeys/options", "PATCH"),
    ("/api/auth/passkeys/options", "DELETE"),
    ("/api/auth/passkeys/sign-in", "PATCH"),
    ("/api/auth/passkeys/sign-in", "DELETE"),
}
"""Beside `/api/exports/{export_id}`, `verify` is an id that is not there: 404. So is `resumable` of uploads."""


class TestMethod:
    @pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
    def test_another_one_is_a_405_that_names_all_that_are_there(self, cast: Cast, path: str) -> None:
        there = {operation.method for operation in OPERATIONS if operation.path == path}
        operation = next(operation for operation in OPERATIONS if operation.path == path)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - there:
            if (path, method) in READ_AS_AN_ID:
                continue
            answer = ask(cast.owner, method, operation.url())
            problem(answer, 405, "method_not_allowed")
            assert there <= {one.strip() for one in answer.headers["allow"].split(",")}, answer.headers["allow"]


class TestSize:
    def test_a_body_past_the_edges_cap_is_a_413(self, cast: Cast) -> None:
        content = json.dumps({"title": "x" * 3 * MIB}).encode()
        answer = ask(cast.owner, "POST", "/api/proposals", JSON_TYPE, content=content)
        assert problem(answer, 413, "body_too_large")["limit"] == 2 * MIB

    def test_so_it_is_without_a_length(self, cast: Cast) -> None:
        def chunks() -> Iterator[bytes]:
            yield b'{"title": "'
            for _ in range(3 * 16):
                yield b"x" * (MIB // 16)
            yield b'"}'

        answer = ask(cast.owner, "POST", "/api/proposals", JSON_TYPE, content=chunks())
        assert problem(answer, 413, "body_too_large")["limit"] == 2 * MIB

    def test_a_file_past_its_cap_is_a_413_with_the_cap(self, cast: Cast) -> None:
        limit = cast.owner.call("GET", "/api/usage")["limits"]["upload_max_bytes"]
        for size in (limit + 1, limit + MIB):
            sent = {"file": ("call.txt", b"x" * size, "text/plain")}
            answer = ask(cast.owner, "POST", "/api/uploads", files=sent)
            assert problem(answer, 413, "file_too_large")["limit"] == limit

    def test_headers_past_the_edges_cap_are_a_431(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/api/usage", headers={"X-Filler": "x" * 60_000})
        assert answer.status_code == 431
        assert answer.json()["error"] == "headers_too_large"
