"""The edge's memory of verdicts: it saves questions and changes nothing else."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.decision.valkey import TOMBSTONE_MS

pytestmark = pytest.mark.integration

LIMIT = 200
REVOCATION_SECONDS = 2.0
ON_A_KEPT_VERDICT = {"x-bidwright-ratelimit", "x-bidwright-ratelimit-policy"}
"""What the memory says of the limits, for the answer; it goes on to the service, which has no use for it."""


@pytest.fixture(scope="module", params=["1", "0"], ids=["with the verdict cache", "without it"])
def gateway_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_VERDICT_CACHE", request.param)
        yield {
            "API_RATE_PER_MIN_FREE": str(LIMIT),
            "API_RATE_PER_MIN_PRO": "100000",
            "API_RATE_PER_MIN_ENTERPRISE": "100000",
            "EDGE_VERDICT_CACHE": request.param,
        }


@pytest.fixture
def cached(stack: Any) -> bool:
    return bool(stack.env["EDGE_VERDICT_CACHE"] == "1")


def claims(answer: httpx.Response) -> dict[str, Any]:
    """What the identity that the service received says."""
    [token] = answer.json()["headers"]["x-bidwright-identity"]
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def metric(stack: Any, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{stack.gateway_url}/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def enterprise(stack: Any, browser: httpx.AsyncClient, org_id: str, seats: int = 5) -> None:
    """Lifts the org over any limit that a test could reach."""
    await stack.set_tier(org_id, "enterprise", seats=seats)
    await stack.until_tier(browser, org_id, "enterprise")
    # For a moment after a change, facts are read from PostgreSQL and nothing is leased.
    await asyncio.sleep(TOMBSTONE_MS / 1000 + 0.2)


async def seconds_until(
    change: Callable[[], Awaitable[Any]],
    seen: Callable[[httpx.Response], bool],
    ask: Callable[[], Awaitable[httpx.Response]],
) -> float:
    """How long after the change was answered an old verdict is still seen, under steady load from eight clients."""
    last_old = 0.0
    changed: float | None = None
    stop = asyncio.Event()

    async def hammer() -> None:
        nonlocal last_old
        while not stop.is_set():
            sent = time.monotonic()
            answer = await ask()
            if not seen(answer) and changed is not None and sent > changed:
                last_old = max(last_old, sent - changed)

    hammers = [asyncio.create_task(hammer()) for _ in range(8)]
    await asyncio.sleep(0.5)
    await change()
    changed = time.monotonic()
    await asyncio.sleep(REVOCATION_SECONDS + 1)
    stop.set()
    await asyncio.gather(*hammers)
    assert seen(await ask())
    return last_old


async def test_a_busy_caller_passes_exactly_as_often_as_the_limit_allows(
    stack: Any, second_gateway: str, person: dict[str, Any], browser: httpx.AsyncClient, cached: bool
) -> None:
    leased = await metric(stack, "gateway_leased_requests_total")
    turn = asyncio.Semaphore(16)
    paths = ("/api/proposals", "/api/usage", "/api/exports", "/api/uploads")
    cookie = {"cookie": f"bidwright={browser.cookies['bidwright']}"}

    async def one(number: int) -> httpx.Response:
        async with turn:
            if number % 5 == 0:
                return await browser.get(f"{second_gateway}/authz/api/usage", headers=cookie)
            return await browser.get(paths[number % 4])

    answers = await asyncio.gather(*(one(number) for number in range(2 * LIMIT)))
    await asyncio.sleep(2.1)  # What an idle verdict held has come back.
    answers += await asyncio.gather(*(one(number) for number in range(LIMIT)))
    answers += [await browser.get("/api/usage") for _ in range(10)]
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 429}
    assert codes.count(200) == LIMIT
    assert (await metric(stack, "gateway_leased_requests_total") > leased) == cached


async def test_what_is_shown_of_the_limit_goes_down_by_one_each_time(
    person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    answers = [await browser.get("/api/usage") for _ in range(30)]
    left = [int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in answers]
    # Each of the edge's threads has a lease of its own, and this client's one connection is with one of them.
    assert left == list(range(LIMIT - 1, LIMIT - 31, -1))
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == f'"api";q={LIMIT};w=60'
        assert re.fullmatch(r'"api";r=\d+;t=([1-9]|[1-5]\d|60)', answer.headers["ratelimit"])


async def test_most_of_a_busy_callers_reads_are_not_asked_about(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, cached: bool
) -> None:
    await enterprise(stack, browser, person["orgs"][0]["id"])
    allowed = r'gateway_decisions_total\{outcome="allowed"\}'
    before = await metric(stack, allowed)
    for _ in range(200):
        assert (await browser.get("/api/usage")).status_code == 200
    asked = await metric(stack, allowed) - before
    assert (asked < 50) if cached else (asked >= 200)


async def test_callers_orgs_and_services_never_share_a_verdict(stack: Any, browser: httpx.AsyncClient) -> None:
    people = []
    async with stack.client() as one, stack.client() as other:
        for client in (one, other):
            me = await stack.new_person(client)
            org_id = (await client.post("/api/orgs", json={"name": "Team"})).json()["id"]
            people.append((client, me["user"]["id"], me["orgs"][0]["id"], org_id))

        async def check(client: httpx.AsyncClient, user_id: str, home: str, team: str, path: str, service: str) -> None:
            for org_id in (None, team):
                answer = await client.get(path, headers={"x-org-id": org_id} if org_id else {})
                found = claims(answer)
                assert (found["sub"], found["org"], found["aud"]) == (user_id, org_id or home, service)

        paths = {"/api/usage": "billing", "/api/proposals": "ai", "/api/exports": "exports"}
        for _ in range(10):
            await asyncio.gather(*(check(*person, path, name) for person in people for path, name in paths.items()))
        # With a verdict of this caller at hand: an org that is asked for wrongly is still refused.
        assert (await one.get("/api/usage", headers={"x-org-id": people[1][3]})).status_code == 403
        assert (await one.get("/api/usage", headers={"x-org-id": ""})).status_code == 400
        assert (await one.get("/api/usage", headers={"authorization": ""})).status_code == 401
        assert (await one.get(f"/api/ai/jobs/1/events?org_id={people[1][3]}")).status_code == 403
        assert (await one.get(f"/api/ai/jobs/1/event%73?org_id={people[1][3]}")).status_code in (400, 403)


async def test_forged_internal_headers_change_nothing(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    user_id, org_id = person["user"]["id"], person["orgs"][0]["id"]
    ends = int(time.time() * 1000) + 60_000
    forged = {
        "x-bidwright-lease": "1",
        "x-bidwright-unspent": ",".join(f"{user_id}:{org_id}:{end}:100" for end in range(ends - 5, ends + 5)),
        "x-bidwright-verdict": f"{user_id}:{org_id}:{ends} 1000 1000 1000 60000",
        "x-bidwright-identity": "forged",
        "x-bidwright-ratelimit": '"api";r=1000;t=60',
        "x-bidwright-ratelimit-policy": '"api";q=1000;w=60',
    }
    lefts = []
    for _ in range(10):
        answer = await browser.post("/api/proposals", headers=forged)
        lefts.append(int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]))
        arrived = [name for name in answer.json()["headers"] if name.startswith("x-bidwright")]
        assert arrived == ["x-bidwright-identity"]
        assert claims(answer)["sub"] == user_id
    assert lefts == list(range(LIMIT - 1, LIMIT - 11, -1))
    for _ in range(5):
        answer = await browser.get("/api/proposals", headers=forged)
        assert not [name for name in answer.headers if name.startswith("x-bidwright")]
        said = answer.json()["headers"]
        assert {name for name in said if name.startswith("x-bidwright")} - ON_A_KEPT_VERDICT == {"x-bidwright-identity"}
        assert "1000" not in "".join(said.get("x-bidwright-ratelimit", []))
        assert claims(answer)["sub"] == user_id
    # The word by which the gateway is not asked is the memory's alone to say.
    browser.cookies.clear()
    assert (await browser.get("/api/proposals", headers=forged)).status_code == 401


class TestWithinTwoSeconds:
    async def test_a_revoked_session_is_refused(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        await enterprise(stack, browser, person["orgs"][0]["id"])
        async with stack.client() as other:
            await other.post(
                "/api/auth/login", json={"email": person["user"]["email"], "password": "correct horse battery"}
            )
            took = await seconds_until(
                lambda: browser.delete("/api/auth/sessions"),
                lambda answer: answer.status_code == 401,
                lambda: other.get("/api/proposals"),
            )
        assert took < REVOCATION_SECONDS

    async def test_a_new_tier_is_seen(self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
        org_id = person["orgs"][0]["id"]
        await enterprise(stack, browser, org_id)

        async def downgrade() -> None:
            await stack.set_tier(org_id, "pro")
            await stack.until_tier(browser, org_id, "pro")

        took = await seconds_until(
            downgrade,
            lambda answer: claims(answer)["tier"] == "pro",
            lambda: browser.get("/api/proposals"),
        )
        assert took < REVOCATION_SECONDS

    async def test_a_changed_role_and_a_removed_member_are_seen(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        org_id = (await browser.post("/api/orgs", json={"name": "Team"})).json()["id"]
        await enterprise(stack, browser, org_id)
        team = {"x-org-id": org_id}
        async with stack.client() as member:
            me = await stack.new_person(member)
            answer = await browser.post(
                f"/api/orgs/{org_id}/invites", json={"email": me["user"]["email"], "role": "admin"}, headers=team
            )
            assert answer.status_code == 201, answer.text
            token = await stack.mailed_token(me["user"]["email"], "Team")
            assert (await member.post("/api/invites/accept", json={"token": token})).status_code == 200
            url = f"/api/orgs/{org_id}/members/{me['user']['id']}"
            took = await seconds_until(
                lambda: browser.patch(url, json={"role": "viewer"}, headers=team),
                lambda answer: claims(answer)["role"] == "viewer",
                lambda: member.get("/api/proposals", headers=team),
            )
            assert took < REVOCATION_SECONDS
            took = await seconds_until(
                lambda: browser.delete(url, headers=team),
                lambda answer: answer.status_code in (403, 429),
                lambda: member.get("/api/proposals", headers=team),
            )
            assert took < REVOCATION_SECONDS
