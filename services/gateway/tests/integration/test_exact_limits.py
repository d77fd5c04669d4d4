"""Limits are exact: of 40 parallel requests against a limit of 5, 5 pass, whichever of two gateways is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis

pytestmark = pytest.mark.integration

LIMIT = 5
PARALLEL = 40


@pytest.fixture(scope="module", params=["1", "0"], ids=["with the verdict cache", "without it"])
def gateway_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_VERDICT_CACHE", request.param)
        yield {
            "API_RATE_PER_MIN_FREE": str(LIMIT),
            "API_RATE_PER_MIN_ANON": str(LIMIT),
            "AI_RATE_PER_MIN_PRO": str(LIMIT),
            "LOGIN_RATE_PER_MIN": str(LIMIT),
        }


@pytest.fixture
async def person(stack: Any, browser: httpx.AsyncClient) -> dict[str, Any]:
    """Signed up at the gateway itself: the edge would count it against this machine's address."""
    async with stack.client() as direct:
        direct.base_url = stack.gateway_url
        me: dict[str, Any] = await stack.new_person(direct)
        browser.headers["cookie"] = f"bidwright={direct.cookies['bidwright']}"
    return me


async def at_once(method: str, urls: list[str], headers: dict[str, str]) -> list[httpx.Response]:
    """As many as `PARALLEL`, over the addresses in turn."""
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        asked = [urls[number % len(urls)] for number in range(PARALLEL)]
        return await asyncio.gather(*(client.request(method, url, json={}) for url in asked))


def passed(answers: list[httpx.Response]) -> int:
    """How many; each of the rest is a 429 that says when to come again."""
    refused = [answer for answer in answers if answer.status_code == 429]
    for answer in refused:
        assert answer.json()["error"] in ("rate_limited", "login_throttled")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.json()["retry_after"] == int(answer.headers["retry-after"])
    return len(answers) - len(refused)


async def test_api_requests(
    stack: Any, second_gateway: str, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    urls = [f"{stack.base_url}/api/proposals", f"{second_gateway}/authz/api/proposals"]
    answers = await at_once("GET", urls, {"cookie": browser.headers["cookie"]})
    assert passed(answers) == LIMIT
    shown = sorted(answer.headers["ratelimit"].split(";")[1] for answer in answers if answer.status_code == 200)
    assert shown == [f"r={left}" for left in range(LIMIT)]
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == f'"api";q={LIMIT};w=60'


async def test_ai_requests(stack: Any, second_gateway: str, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    await stack.set_tier(person["orgs"][0]["id"], "pro")
    for _ in range(100):
        if "q=600" in (await browser.get("/api/usage")).headers["ratelimit-policy"]:
            break
        await asyncio.sleep(0.05)
    headers = {
        "cookie": browser.headers["cookie"],
        "origin": stack.base_url,
        "host": httpx.URL(stack.base_url).netloc.decode(),
    }
    urls = [f"{stack.base_url}/api/ai/write", f"{second_gateway}/authz/api/ai/revise"]
    answers = await at_once("POST", urls, headers)
    assert passed(answers) == LIMIT
    shown = sorted(answer.headers["x-ai-rate-remaining"] for answer in answers if answer.status_code == 200)
    assert shown == [str(left) for left in range(LIMIT)]
    for answer in answers:
        assert answer.headers["x-ai-rate-limit"] == str(LIMIT)
        assert answer.headers["ratelimit-policy"] == f'"api";q=600;w=60, "ai";q={LIMIT};w=60'


async def test_anonymous_requests(stack: Any, second_gateway: str, browser: httpx.AsyncClient) -> None:
    # The address that the edge writes for this machine: a forged one before it is a different one each time.
    seen = (await browser.post("/api/stripe/webhook")).json()["headers"]["x-forwarded-for"]
    address = seen[0].rpartition(",")[2]
    redis.Redis.from_url(stack.env["REDIS_URL"]).delete(f"bw:r:anon:{address}")
    urls = [f"{stack.base_url}/api/invites/unknown", f"{second_gateway}/authz/api/invites/unknown"]
    answers = await at_once("GET", urls, {"x-forwarded-for": address})
    assert passed(answers) == LIMIT


async def test_wrong_passwords(stack: Any, second_gateway: str, person: dict[str, Any]) -> None:
    body = {"email": person["user"]["email"], "password": "wrong horse battery"}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        asked = [
            client.post(f"{(stack.gateway_url, second_gateway)[number % 2]}/api/auth/login", json=body)
            for number in range(PARALLEL)
        ]
        answers = await asyncio.gather(*asked)
    assert passed(answers) == LIMIT
    assert {answer.status_code for answer in answers} == {401, 429}
