"""Teams: who may what, invites, seats, keys, audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
async def colleague(stack: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Another person's browser, signed in; `.email` and `.user_id` say whose."""
    async with stack.client() as client:
        me = await stack.new_person(client)
        client.email, client.user_id = me["user"]["email"], me["user"]["id"]
        yield client


@pytest.fixture
async def team(stack: Any, person: dict[str, Any], browser: httpx.AsyncClient) -> str:
    """An org of `person` with room for ten."""
    answer = await browser.post("/api/orgs", json={"name": "Northwind"})
    assert answer.status_code == 201, answer.text
    org_id: str = answer.json()["id"]
    await stack.set_tier(org_id, "pro", seats=10)
    await stack.until_tier(browser, org_id, "pro")
    return org_id


async def invite(stack: Any, browser: httpx.AsyncClient, org_id: str, email: str, role: str = "member") -> str:
    """Invites, and returns the token that was mailed."""
    answer = await browser.post(f"/api/orgs/{org_id}/invites", json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return await stack.mailed_token(email, "Join")


async def test_a_new_org_is_owned_by_who_made_it(browser: httpx.AsyncClient, team: str) -> None:
    org = (await browser.get(f"/api/orgs/{team}")).json()
    assert (org["role"], org["personal"], org["seats"], org["seats_used"]) == ("owner", False, 10, 1)
    renamed = await browser.patch(f"/api/orgs/{team}", json={"name": "Southwind"})
    assert renamed.json()["name"] == "Southwind"


async def test_an_invited_person_joins_with_the_role(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, colleague.email, "viewer")
    async with stack.client() as stranger:
        offer = (await stranger.get(f"/api/invites/{token}")).json()
        assert (offer["org_name"], offer["email"], offer["role"]) == ("Northwind", colleague.email, "viewer")
    joined = await colleague.post("/api/invites/accept", json={"token": token})
    assert (joined.status_code, joined.json()["role"]) == (200, "viewer")
    members = (await colleague.get(f"/api/orgs/{team}/members")).json()["items"]
    assert [member["role"] for member in members] == ["owner", "viewer"]
    again = await colleague.post("/api/invites/accept", json={"token": token})
    assert (again.status_code, again.json()["error"]) == (409, "already_member")


async def test_of_thirty_parallel_accepts_exactly_one_joins(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, colleague.email)
    answers = await asyncio.gather(*(colleague.post("/api/invites/accept", json={"token": token}) for _ in range(30)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 29
    assert (await browser.get(f"/api/orgs/{team}")).json()["seats_used"] == 2


async def test_of_thirty_people_and_three_seats_exactly_so_many_join(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    """Each with an invite of their own, all at once; the owner has one of the seats."""
    org_id = (await browser.post("/api/orgs", json={"name": "Three seats"})).json()["id"]
    await stack.set_tier(org_id, "pro", seats=3)
    await stack.until_tier(browser, org_id, "pro")
    async with AsyncExitStack() as closing:
        people = [await closing.enter_async_context(stack.client()) for _ in range(30)]
        tokens = []
        for guest in people:
            me = await stack.new_person(guest)
            tokens.append(await invite(stack, browser, org_id, me["user"]["email"]))
        both = list(zip(people, tokens, strict=True))
        answers = await asyncio.gather(
            *(guest.post("/api/invites/accept", json={"token": token}) for guest, token in both)
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [402] * 28
        assert {answer.json()["reason"] for answer in answers if answer.status_code == 402} == {"seats_exhausted"}
        org = (await browser.get(f"/api/orgs/{org_id}")).json()
        assert (org["seats"], org["seats_used"]) == (3, 3)
        # A refused invite is not used up: it works once there is a seat.
        await stack.set_tier(org_id, "pro", seats=4)
        guest, token = next(pair for pair, answer in zip(both, answers, strict=True) if answer.status_code == 402)
        for _ in range(100):
            answer = await guest.post("/api/invites/accept", json={"token": token})
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.1)
        assert answer.status_code == 200, answer.text


async def test_an_invite_that_is_replaced_too_old_or_withdrawn_is_refused(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    async def refused(token: str) -> None:
        answer = await colleague.post("/api/invites/accept", json={"token": token})
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        assert (await colleague.get(f"/api/invites/{token}")).status_code == 409

    async def another(after: str) -> tuple[str, str]:
        body = {"email": colleague.email, "role": "viewer"}
        made = (await browser.post(f"/api/orgs/{team}/invites", json=body)).json()
        token = after
        while token == after:
            token = await stack.mailed_token(colleague.email, "Join")
        return made["id"], token

    first = await invite(stack, browser, team, colleague.email)
    _, second = await another(first)
    await refused(first)
    with psycopg.connect(stack.database.worker_url) as connection:
        connection.execute("SELECT set_config('app.org_id', %s, true)", (team,))
        late = "UPDATE invites SET expires_at = now() - interval '1 second' WHERE email = %s"
        assert connection.execute(late, (colleague.email,)).rowcount
    await refused(second)
    third_id, third = await another(second)
    assert (await browser.delete(f"/api/orgs/{team}/invites/{third_id}")).status_code == 204
    await refused(third)


async def test_an_invite_is_bound_to_its_address(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, f"{uuid4().hex}@example.org")
    answer = await colleague.post("/api/invites/accept", json={"token": token})
    assert (answer.status_code, answer.json()["error"]) == (403, "org_forbidden")


async def test_a_member_past_the_seats_is_refused(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    org_id = (await browser.post("/api/orgs", json={"name": "Small"})).json()["id"]
    token = await invite(stack, browser, org_id, colleague.email)
    answer = await colleague.post("/api/invites/accept", json={"token": token})
    assert (answer.status_code, answer.json()["reason"]) == (402, "seats_exhausted")
    assert answer.headers["x-quota-reason"] == "seats_exhausted"
    await stack.set_tier(org_id, "pro", seats=2)
    await stack.until_tier(browser, org_id, "pro")
    assert (await colleague.post("/api/invites/accept", json={"token": token})).status_code == 200


async def test_a_member_may_not_what_an_admin_may(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, colleague.email, "member")
    await colleague.post("/api/invites/accept", json={"token": token})
    header = {"x-org-id": team}
    refused = [
        await colleague.patch(f"/api/orgs/{team}", json={"name": "Mine"}),
        await colleague.post(f"/api/orgs/{team}/invites", json={"email": "x@example.org", "role": "viewer"}),
        await colleague.get(f"/api/orgs/{team}/invites"),
        await colleague.post("/api/keys", json={"name": "k", "scopes": ["org:read"]}, headers=header),
        await colleague.get("/api/audit", headers=header),
        await colleague.post(f"/api/orgs/{team}/transfer", json={"user_id": colleague.user_id}),
        await colleague.delete(f"/api/orgs/{team}"),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(403, "role_forbidden")}
    # Raised to admin they may; nobody waits for a cache.
    path = f"/api/orgs/{team}/members/{colleague.user_id}"
    assert (await browser.patch(path, json={"role": "admin"})).json()["role"] == "admin"
    assert (await colleague.patch(f"/api/orgs/{team}", json={"name": "Ours"})).status_code == 200
    assert (await colleague.get("/api/audit", headers=header)).status_code == 200


async def test_a_removed_member_is_refused_on_the_next_request(
    stack: Any, browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, colleague.email)
    await colleague.post("/api/invites/accept", json={"token": token})
    header = {"x-org-id": team}
    assert (await colleague.get("/api/proposals", headers=header)).status_code == 200
    assert (await browser.delete(f"/api/orgs/{team}/members/{colleague.user_id}")).status_code == 204
    answer = await colleague.get("/api/proposals", headers=header)
    assert (answer.status_code, answer.json()["error"]) == (403, "org_forbidden")
    assert (await colleague.get(f"/api/orgs/{team}")).status_code == 404


async def test_ownership_moves_by_transfer_only(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, colleague: httpx.AsyncClient, team: str
) -> None:
    token = await invite(stack, browser, team, colleague.email)
    await colleague.post("/api/invites/accept", json={"token": token})
    assert (await browser.delete(f"/api/orgs/{team}/members/{person['user']['id']}")).status_code == 409
    answer = await browser.post(f"/api/orgs/{team}/transfer", json={"user_id": colleague.user_id})
    assert (answer.status_code, answer.json()["role"]) == (200, "admin")
    roles = {org["id"]: org["role"] for org in (await browser.get("/api/me")).json()["orgs"]}
    assert roles[team] == "admin"
    assert (await colleague.delete(f"/api/orgs/{team}")).status_code == 204
    assert (await browser.get(f"/api/orgs/{team}")).status_code == 404


async def test_the_personal_org_is_for_one(person: dict[str, Any], browser: httpx.AsyncClient) -> None:
    path = f"/api/orgs/{person['orgs'][0]['id']}"
    assert (await browser.post(f"{path}/invites", json={"email": "x@example.org"})).status_code == 409
    assert (await browser.delete(path)).status_code == 409


async def test_a_key_acts_within_its_org_and_scopes(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, team: str
) -> None:
    body = {"name": "CI", "scopes": ["org:read", "proposals:read"]}
    made = await browser.post("/api/keys", json=body, headers={"x-org-id": team})
    assert made.status_code == 201, made.text
    key = made.json()
    [listed] = (await browser.get("/api/keys", headers={"x-org-id": team})).json()["items"]
    assert "key" not in listed
    assert key["key"].startswith(listed["prefix"])
    async with httpx.AsyncClient(
        base_url=stack.base_url, headers={"authorization": f"Bearer {key['key']}"}, trust_env=False
    ) as program:
        assert [org["id"] for org in (await program.get("/api/me")).json()["orgs"]] == [team]
        assert (await program.get("/api/proposals")).status_code == 200
        assert (await program.get("/api/proposals", headers={"x-org-id": team})).status_code == 200
        other = await program.get("/api/proposals", headers={"x-org-id": person["orgs"][0]["id"]})
        assert (other.status_code, other.json()["error"]) == (403, "org_forbidden")
        forbidden = await program.post("/api/orgs", json={"name": "No"})
        assert (forbidden.status_code, forbidden.json()["error"]) == (403, "scope_forbidden")
        assert (await browser.delete(f"/api/keys/{key['id']}", headers={"x-org-id": team})).status_code == 204
        assert (await program.get("/api/proposals")).status_code == 401


async def test_every_change_is_in_the_audit(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, team: str
) -> None:
    await invite(stack, browser, team, f"{uuid4().hex}@example.org")
    await browser.patch(f"/api/orgs/{team}", json={"name": "Westwind"})
    page = (await browser.get("/api/audit?limit=2", headers={"x-org-id": team})).json()
    assert [row["action"] for row in page["items"]] == ["org.renamed", "invite.created"]
    assert page["items"][0]["detail"] == {"before": "Northwind", "after": "Westwind"}
    rest = await browser.get(f"/api/audit?cursor={page['next_cursor']}", headers={"x-org-id": team})
    assert [row["action"] for row in rest.json()["items"]] == ["org.created"]
    filtered = await browser.get("/api/audit?action=org.renamed", headers={"x-org-id": team})
    assert len(filtered.json()["items"]) == 1
