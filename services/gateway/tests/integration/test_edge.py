"""The edge itself: its own answers, caps, headers, streams, files."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.integration

BODY_CAP = 100_000
UPLOAD_CAP = 200_000


def assert_problem(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/usagex", "/.well-known/jwks.json", "/metrics", "/authz/api/me", "/edge/readyz", "/x"]
)
async def test_what_has_no_route_is_not_found(browser: httpx.AsyncClient, path: str) -> None:
    assert_problem(await browser.get(path), 404, "not_found")


async def test_every_answer_has_the_security_headers(browser: httpx.AsyncClient) -> None:
    for path, host in (("/", ""), ("/app", ""), ("/api/me", ""), ("/nothing", ""), ("/healthz", ""), ("/", "evil")):
        answer = await browser.get(path, headers={"host": host} if host else {})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy, path
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]
        assert answer.headers["permissions-policy"]
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert "strict-transport-security" not in answer.headers  # plain http
        assert "x-envoy-upstream-service-time" not in answer.headers


async def test_a_host_that_is_not_ours_is_misdirected(browser: httpx.AsyncClient) -> None:
    assert_problem(await browser.get("/app", headers={"host": "evil.example"}), 421, "misdirected")
    assert (await browser.get("/healthz", headers={"host": "10.0.0.7:8080"})).status_code == 200


async def test_bodies_are_capped_before_they_are_read(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    big = b"x" * (BODY_CAP + 1)
    answer = await browser.post("/api/proposals", content=big)
    assert_problem(answer, 413, "body_too_large")
    assert answer.json()["limit"] == BODY_CAP

    async def chunks() -> Any:
        for _ in range(4):
            yield b"x" * (BODY_CAP // 2)

    assert_problem(await browser.post("/api/proposals", content=chunks()), 413, "body_too_large")
    fits = await browser.post("/api/uploads", content=big)
    assert (fits.status_code, fits.json()["size"]) == (200, len(big))
    answer = await browser.post("/api/uploads", content=b"x" * (UPLOAD_CAP + 70_000))
    assert_problem(answer, 413, "file_too_large")
    assert answer.json()["limit"] == UPLOAD_CAP


async def test_too_many_headers_are_refused(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/api/me", headers={"x-bomb": "x" * 50_000})
    assert_problem(answer, 431, "headers_too_large")


async def test_an_escaped_slash_is_refused(browser: httpx.AsyncClient) -> None:
    assert_problem(await browser.get("/api/auth/..%2fproposals"), 400, "invalid_request")


async def test_events_arrive_as_they_are_sent(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    arrived = []
    async with browser.stream("GET", "/api/ai/jobs/1/events") as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        async for _ in stream.aiter_raw():
            arrived.append(time.monotonic())
    assert len(arrived) >= 3
    assert arrived[-1] - arrived[0] > 0.3


async def test_the_webhook_passes_without_a_session(stack: Any) -> None:
    async with httpx.AsyncClient(base_url=stack.base_url, trust_env=False) as stripe:
        answer = await stripe.post("/api/stripe/webhook", content=b"{}", headers={"x-bidwright-identity": "forged"})
    assert answer.status_code == 200
    assert "x-bidwright-identity" not in answer.json()["headers"]


async def test_the_app_loads_from_deep_links(browser: httpx.AsyncClient) -> None:
    for path in ("/app", "/app/", "/app/proposals/1", "/app/verify?token=x"):
        page = await browser.get(path)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache"), path
        assert "<title>Bidwright</title>" in page.text
    etag = (await browser.get("/app")).headers["etag"]
    assert (await browser.get("/app", headers={"if-none-match": etag})).status_code == 304
    asset = await browser.get("/app/assets/app-1a2b3c.js")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    missing = await browser.get("/app/assets/gone.js")
    assert_problem(missing, 404, "not_found")
    outside = await browser.get("/app/../../../etc/passwd")
    assert "root:" not in outside.text
    assert (await browser.get("/")).status_code == 200


async def test_answers_are_compressed_but_not_secrets(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/docs")).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in (await browser.get("/api/auth/sessions?pad=" + "x" * 2000)).headers


async def test_the_merged_document_has_every_part_that_answers(browser: httpx.AsyncClient) -> None:
    document = (await browser.get("/api/openapi.json")).json()
    assert "/api/auth/login" in document["paths"]
    responses = document["paths"]["/api/auth/login"]["post"]["responses"]
    assert set(responses) == {"200", "default"}
    page = await browser.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text


async def test_readiness_sums_all_services(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/readyz")
    assert answer.status_code == 503  # the echo is no service
    assert answer.json()["services"]["gateway"]["status"] == "ok"
    assert answer.json()["services"]["gateway"]["dependencies"]["postgres"] == "ok"
    assert (await browser.get("/healthz")).json() == {"status": "ok"}
