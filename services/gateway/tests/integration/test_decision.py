"""Who, which org, how fast: through Envoy, as a client sees it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    return {"AI_RATE_PER_MIN_PRO": "5", "AI_PLAN_RATE_PER_MIN_FREE": "2", "API_RATE_PER_MIN_FREE": "60"}


def claims(answer: httpx.Response) -> dict[str, Any]:
    """What the identity that the service received says."""
    [token] = answer.json()["headers"]["x-bidwright-identity"]
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def test_no_credential_is_refused_with_a_problem(browser: httpx.AsyncClient) -> None:
    for headers in (
        {},
        {"cookie": "bidwright=forged"},
        {"cookie": "bidwright=" + "x" * 5000},
        {"authorization": "Bearer bw_forged"},
        {"authorization": "Basic YTpi"},
        {"authorization": ""},
    ):
        answer = await browser.get("/api/proposals", headers=headers)
        assert answer.status_code == 401, headers
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["error"], problem["status"], problem["instance"]) == ("unauthenticated", 401, "/api/proposals")
        assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_service_receives_a_signed_identity_for_itself(
    person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    answer = await browser.get("/api/usage", headers={"x-bidwright-identity": "forged", "x-bidwright-role": "owner"})
    found = claims(answer)
    assert (found["aud"], found["sub"], found["role"]) == ("billing", person["user"]["id"], "owner")
    assert (found["org"], found["tier"]) == (person["orgs"][0]["id"], "free")
    assert found["exp"] - found["iat"] == 60
    assert "x-bidwright-role" not in answer.json()["headers"]
    assert claims(await browser.get("/api/exports"))["aud"] == "exports"


async def test_x_org_id_picks_the_org_and_never_falls_back(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    org_id = (await browser.post("/api/orgs", json={"name": "Team"})).json()["id"]
    assert claims(await browser.get("/api/usage", headers={"x-org-id": org_id}))["org"] == org_id
    assert claims(await browser.get("/api/usage", headers={"x-org-id": org_id.upper()}))["org"] == org_id
    unknown = await browser.get("/api/usage", headers={"x-org-id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["error"]) == (403, "org_forbidden")
    for malformed in ("", "x", org_id[:-1], f"{org_id},{org_id}", f"{{{org_id}}}", org_id.replace("-", "")):
        answer = await browser.get("/api/usage", headers={"x-org-id": malformed})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_org_id"), malformed
    twice = await browser.get("/api/usage", headers=[("x-org-id", org_id), ("x-org-id", str(uuid4()))])
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_org_id")


async def test_an_event_stream_may_name_its_org_in_the_query(
    person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    org_id = person["orgs"][0]["id"]
    assert (await browser.get(f"/api/ai/jobs/x/events?org_id={org_id}")).status_code == 200
    assert (await browser.get(f"/api/ai/jobs/x/events?org_id={uuid4()}")).status_code == 403
    assert (await browser.get(f"/api/ai/jobs/x?org_id={uuid4()}")).status_code == 200


async def test_another_sites_page_may_not_write(stack: Any, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    cookie = {"cookie": f"bidwright={browser.cookies['bidwright']}"}
    async with httpx.AsyncClient(base_url=stack.base_url, trust_env=False) as raw:
        for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            answer = await raw.post("/api/proposals", headers=cookie | headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "origin_forbidden"), headers
            assert (await raw.get("/api/proposals", headers=cookie | headers)).status_code == 200
        for headers in ({"origin": stack.base_url}, {"sec-fetch-site": "same-origin"}):
            assert (await raw.post("/api/proposals", headers=cookie | headers)).status_code == 200
        login = await raw.post("/api/auth/login", json={}, headers={"origin": "https://evil.example"})
        assert login.status_code == 403


async def test_limits_are_shown_and_exact_under_parallel_requests(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    org_id = person["orgs"][0]["id"]
    await stack.set_tier(org_id, "pro", seats=1)
    await stack.until_tier(browser, org_id, "pro")
    answers = await asyncio.gather(*(browser.post("/api/ai/write", json={}) for _ in range(40)))
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(passed), len(refused)) == (5, 35)
    assert sorted(answer.headers["x-ai-rate-remaining"] for answer in passed) == ["0", "1", "2", "3", "4"]
    for answer in answers:
        assert answer.headers["x-ai-rate-limit"] == "5"
        assert '"api";q=600;w=60' in answer.headers["ratelimit-policy"]
    problem = refused[0].json()
    assert problem["error"] == "rate_limited"
    assert problem["retry_after"] == int(refused[0].headers["retry-after"])
    # Every AI POST shares the bucket; polling does not.
    assert (await browser.post("/api/ai/plan", json={})).status_code == 429
    assert (await browser.get("/api/ai/jobs/1")).status_code == 200
    assert (await browser.post("/api/ai/jobs/1/cancel")).status_code == 200


async def test_on_free_the_plan_gate_answers_and_only_planning_is_limited(
    person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    writes = [await browser.post("/api/ai/write", json={}) for _ in range(4)]
    assert [(answer.status_code, answer.headers["x-ai-rate-limit"]) for answer in writes] == [(200, "0")] * 4
    plans = [await browser.post("/api/ai/plan", json={}) for _ in range(3)]
    assert [answer.status_code for answer in plans] == [200, 200, 429]


async def test_two_gateway_processes_share_the_limits(
    stack: Any, second_gateway: str, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    headers = {"cookie": f"bidwright={browser.cookies['bidwright']}", "origin": stack.base_url}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        answers = await asyncio.gather(
            *(
                client.get(f"{url}/authz/api/proposals")
                for _ in range(40)
                for url in (second_gateway, stack.gateway_url)
            )
        )
    passed = [answer.headers["ratelimit"].split(";")[1] for answer in answers if answer.status_code == 200]
    assert sorted(passed) == sorted(f"r={left}" for left in range(60))
    assert sum(answer.status_code == 429 for answer in answers) == 20


async def test_a_forged_forwarded_address_changes_nothing(stack: Any) -> None:
    async with stack.client() as client:
        first = await client.post("/api/auth/login", json={}, headers={"x-forwarded-for": "203.0.113.1"})
        second = await client.post("/api/auth/login", json={}, headers={"x-forwarded-for": "203.0.113.2"})
    left = [int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in (first, second)]
    assert left[1] == left[0] - 1
