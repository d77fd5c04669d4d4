"""Every list answers in the same form, in pages, and what a query says is checked."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .cast import Cast, ask
from .operations import LISTS, OPERATIONS, PAGED, Operation, each
from .problems import fields_of, problem

pytestmark = pytest.mark.e2e

WITH_QUERY = tuple(operation for operation in OPERATIONS if operation.query)
ODD_VALUES = (
    "%00",
    "a%00b",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "-1",
    "9" * 5000,
    "1e3",
    "x" * 20_000,
    "'%22;--",
    "%25_",
)


def cursor(*parts: str) -> str:
    """A cursor of the form that lists give out, with other parts inside."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ODD_CURSORS = {
    "empty": "",
    "nonsense": "x",
    "not base64": "%C3%A9%21",
    "not JSON": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "deep": base64.urlsafe_b64encode(b"[" * 300).decode(),
    "no list": base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    "numbers": base64.urlsafe_b64encode(b"[1]").decode(),
    "too many parts": cursor("a", "b", "c"),
    "a NUL": cursor("\x00"),
    "half a surrogate": cursor("\ud800"),
    "a large number": cursor("9" * 30),
    "a larger number": cursor("9" * 300),
    "very long": "x" * 5000,
}


def get(cast: Cast, ids: dict[str, str], operation: Operation, query: str = "") -> Any:
    return ask(cast.owner, operation.method, f"{operation.url(ids)}?{query}")


class TestLists:
    def test_there_are_as_many_as_we_know(self) -> None:
        assert {operation.path for operation in LISTS} >= {
            "/api/ai/metrics/recent",
            "/api/answers",
            "/api/audit",
            "/api/auth/sessions",
            "/api/billing/invoices",
            "/api/exports",
            "/api/keys",
            "/api/orgs/{org_id}/invites",
            "/api/orgs/{org_id}/members",
            "/api/proposals",
            "/api/proposals/{proposal_id}/sections",
            "/api/sections/{section_id}/revisions",
            "/api/uploads",
        }

    @each(LISTS)
    def test_they_answer_items_and_a_cursor(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        answer = get(cast, ids, operation)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"items", "next_cursor"}

    @each(PAGED)
    def test_the_limit_has_bounds(self, cast: Cast, ids: dict[str, str], operation: Operation) -> None:
        for limit in ("0", "101", "-1", "x", "1.5", "", "9" * 400):
            assert fields_of(problem(get(cast, ids, operation, f"limit={limit}"), 422)) == {"limit"}, limit
        for limit in ("1", "100"):
            answer = get(cast, ids, operation, f"limit={limit}")
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["items"]) <= int(limit)

    @each(PAGED)
    @pytest.mark.parametrize("name", ODD_CURSORS)
    def test_a_cursor_that_it_did_not_give_out_is_a_400(
        self, cast: Cast, ids: dict[str, str], operation: Operation, name: str
    ) -> None:
        problem(get(cast, ids, operation, f"cursor={ODD_CURSORS[name]}"), 400, "invalid_cursor")

    def test_page_after_page_shows_each_item_once(self, cast: Cast, ids: dict[str, str]) -> None:
        for number in range(3):
            cast.owner.call("POST", "/api/proposals", json={"title": f"Page {number}"})
        for path in ("/api/proposals", f"/api/orgs/{cast.owner.org_id}/members", "/api/audit"):
            whole = [json.dumps(item) for item in cast.owner.call("GET", f"{path}?limit=100")["items"]]
            paged, at = [], ""
            while len(paged) <= len(whole):
                page = cast.owner.call("GET", f"{path}?limit=2{at}")
                paged += [json.dumps(item) for item in page["items"]]
                if page["next_cursor"] is None:
                    break
                at = f"&cursor={page['next_cursor']}"
            assert len(whole) > 2
            assert paged == whole


@each(WITH_QUERY)
def test_no_query_is_a_crash(cast: Cast, ids: dict[str, str], operation: Operation) -> None:
    for name in operation.query:
        for value in ODD_VALUES:
            answer = get(cast, ids, operation, f"{name}={value}")
            assert answer.status_code < 500, f"{operation} {name}={value[:20]}: {answer.text[:300]}"
