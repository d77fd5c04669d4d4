"""What belongs to another org is not there."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest

from .cast import Cast, ask
from .operations import OPERATIONS, Operation, each
from .problems import problem

pytestmark = pytest.mark.e2e

WITH_IDS = tuple(operation for operation in OPERATIONS if operation.ids and operation.ids != ["token"])

BODIES: dict[str, dict[str, Any]] = {
    "/api/answers/{answer_id}": {"answer": "Mine now"},
    "/api/auth/passkeys/{passkey_id}": {"name": "Mine now"},
    "/api/orgs/{org_id}": {"name": "Mine now"},
    "/api/orgs/{org_id}/invites": {"email": "friend@example.com"},
    "/api/orgs/{org_id}/members/{user_id}": {"role": "viewer"},
    "/api/proposals/{proposal_id}": {"title": "Mine now"},
    "/api/proposals/{proposal_id}/requirements/{requirement_id}": {"section_ids": []},
    "/api/proposals/{proposal_id}/sections": {"title": "Mine now"},
    "/api/proposals/{proposal_id}/sections/order": {"section_ids": []},
    "/api/sections/{section_id}": {"text": "Mine now"},
}
"""A good body for each path with an id that takes one, so that nothing but the id can be the reason."""


def body_of(operation: Operation, ids: dict[str, str]) -> dict[str, Any] | None:
    if operation.path == "/api/orgs/{org_id}/transfer":
        return {"user_id": ids["user_id"]}
    return BODIES[operation.path] if operation.takes_json else None


@each(WITH_IDS)
def test_an_id_of_another_org_is_a_404(cast: Cast, ids: dict[str, str], operation: Operation) -> None:
    headers = {"If-Match": '"1"'}
    answer = ask(cast.stranger, operation.method, operation.url(ids), headers, json=body_of(operation, ids))
    foreign = problem(answer, 404, "not_found")
    unknown = problem(
        ask(cast.stranger, operation.method, operation.url(), headers, json=body_of(operation, ids)), 404, "not_found"
    )
    assert foreign["detail"] == unknown["detail"]


@each(WITH_IDS)
@pytest.mark.parametrize("bad", ["x", "-1", "%F0%9F%98%80", "%ED%A0%80", "1" * 3000], ids=lambda bad: bad[:9])
def test_a_malformed_id_is_a_404(cast: Cast, ids: dict[str, str], operation: Operation, bad: str) -> None:
    for name in operation.ids:
        url = operation.url({**ids, name: bad})
        answer = ask(cast.owner, operation.method, url, {"If-Match": '"1"'}, json=body_of(operation, ids))
        problem(answer, 404, "not_found")


class TestAnIdInABody:
    """A foreign one and an unknown one get the same answer."""

    @pytest.mark.parametrize(
        ("path", "field", "more"),
        [
            ("/api/ai/plan", "proposal_id", {}),
            ("/api/exports", "proposal_id", {"format": "md"}),
            ("/api/proposals", "call_upload_id", {"title": "Borrowed"}),
        ],
    )
    def test_it_is_as_if_it_did_not_exist(
        self, cast: Cast, ids: dict[str, str], path: str, field: str, more: dict[str, Any]
    ) -> None:
        name = "upload_id" if field == "call_upload_id" else field
        # As old as the foreign one: what may still be on its way is told apart from what never was by its age.
        unknown = ids[name][:-8] + uuid4().hex[:8]
        answers = [ask(cast.stranger, "POST", path, json={field: one, **more}) for one in (ids[name], unknown)]
        assert [answer.status_code for answer in answers] in ([404, 404], [409, 409], [422, 422])
        assert answers[0].json()["error"] == answers[1].json()["error"]

    def test_a_file_of_another_org_is_no_match(self, cast: Cast, ids: dict[str, str]) -> None:
        data = ask(cast.owner, "GET", f"/api/exports/{ids['export_id']}/file").content
        sent = {"file": ("export.md", io.BytesIO(data))}
        assert ask(cast.owner, "POST", "/api/exports/verify", files=sent).json()["match"] is True
        sent = {"file": ("export.md", io.BytesIO(data))}
        assert ask(cast.stranger, "POST", "/api/exports/verify", files=sent).json()["match"] is False


@pytest.mark.parametrize("path", ["/api/exports", "/api/uploads"])
def test_a_filter_by_a_foreign_id_finds_nothing(cast: Cast, ids: dict[str, str], path: str) -> None:
    answer = ask(cast.stranger, "GET", path, params={"proposal_id": ids["proposal_id"]})
    assert answer.json() == {"items": [], "next_cursor": None}
