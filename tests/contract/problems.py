"""What every refusal looks like."""

from __future__ import annotations

from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, error: str | None = None) -> dict[str, Any]:
    """The refusal's body, after a look at its form: RFC 9457 with our stable code and the request's id."""
    seen = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, seen
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json", seen
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "error", "request_id"} <= set(body), seen
    assert body["status"] == status, seen
    assert body["type"] == f"urn:bidwright:error:{body['error']}", seen
    assert body["request_id"], seen
    assert body["request_id"] == answer.headers["x-request-id"], seen
    assert body["title"], seen
    assert body["detail"], seen
    if error is not None:
        assert body["error"] == error, seen
    return body


def fields_of(body: dict[str, Any]) -> set[str]:
    """The fields that a 422 complains of."""
    assert body["error"] == "validation_failed", body
    assert body["errors"], body
    for item in body["errors"]:
        assert set(item) == {"field", "message"}, body
    return {str(item["field"]) for item in body["errors"]}
