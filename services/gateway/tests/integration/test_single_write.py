"""The single-write guard: with DEBUG=1 a second AI write within a minute is a 429, so that a test can see one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import redis

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    return {"DEBUG": "1", "AI_ENFORCE_RATE_LIMIT_DEBUG": "1", "AI_RATE_PER_MIN_PRO": "1"}


async def test_a_second_write_is_refused_until_the_runbooks_key_is_deleted(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    orgs = []
    for name in ("First", "Second"):
        orgs.append((await browser.post("/api/orgs", json={"name": name})).json()["id"])
        await stack.set_tier(orgs[-1], "pro")
        await stack.until_tier(browser, orgs[-1], "pro")

    async def write(org_id: str) -> httpx.Response:
        return await browser.post("/api/ai/write", json={}, headers={"x-org-id": org_id})

    assert (await write(orgs[0])).status_code == 200
    # The other org has a limit of its own; the guard is the person's.
    refused = await write(orgs[1])
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
    assert refused.headers["x-ai-rate-remaining"] == "0"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    valkey = redis.Redis.from_url(stack.env["REDIS_URL"])
    guard = f"ai_dbg_single_write:{person['user']['id']}"
    assert 0 < valkey.ttl(guard) <= 60
    valkey.delete(guard, f"bw:r:ai:{person['user']['id']}:{orgs[1]}")
    assert (await write(orgs[1])).status_code == 200
