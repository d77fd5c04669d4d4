"""The permission matrix, walked: every action as every role, from outside, and with a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.identity import ROLES, Role
from gateway.keys.domain import SCOPES
from gateway.orgs.domain import PERMISSIONS, allows

pytestmark = pytest.mark.integration

STRANGER = "stranger"
FOR_KEYS = {"org.read", "members.list"}
"""What a key with org:read may; everything else needs a person."""


class Team:
    """An org with someone in each role and two more viewers, and a browser for each of them and for a stranger."""

    def __init__(self, org_id: str, browsers: dict[str, httpx.AsyncClient], ids: dict[str, str]) -> None:
        self.org_id = org_id
        self.path = f"/api/orgs/{org_id}"
        self.header = {"x-org-id": org_id}
        self.browsers = browsers
        self.ids = ids

    @property
    def owner(self) -> httpx.AsyncClient:
        return self.browsers["owner"]

    async def new_invite(self) -> str:
        body = {"email": f"{uuid4().hex}@example.org", "role": "viewer"}
        return str((await self.owner.post(f"{self.path}/invites", json=body)).json()["id"])

    async def new_key(self, scopes: list[str]) -> dict[str, Any]:
        body = {"name": "k", "scopes": scopes}
        made: dict[str, Any] = (await self.owner.post("/api/keys", json=body, headers=self.header)).json()
        return made


Ask = Callable[[Team, httpx.AsyncClient, str], Awaitable[httpx.Response]]


async def transfer(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.post(f"{team.path}/transfer", json={"user_id": team.ids["admin"]})


async def change_role(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.patch(f"{team.path}/members/{team.ids['first']}", json={"role": "viewer"})


async def remove(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    # Two may remove someone, and there are two to be removed.
    return await client.delete(f"{team.path}/members/{team.ids['first' if who == 'admin' else 'second']}")


async def leave(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.delete(f"{team.path}/members/{team.ids[who]}")


async def create_invite(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    body = {"email": f"{uuid4().hex}@example.org", "role": "viewer"}
    return await client.post(f"{team.path}/invites", json=body)


async def revoke_invite(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.delete(f"{team.path}/invites/{await team.new_invite()}")


async def create_key(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.post("/api/keys", json={"name": "k", "scopes": ["org:read"]}, headers=team.header)


async def revoke_key(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    key = await team.new_key(["org:read"])
    return await client.delete(f"/api/keys/{key['id']}", headers=team.header)


def get(path: str) -> Ask:
    """Reads below the org's own path, or of the org in the header."""

    async def ask(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
        if path.startswith("/api"):
            return await client.get(path, headers=team.header)
        return await client.get(team.path + path)

    return ask


async def rename(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.patch(team.path, json={"name": "Renamed"})


async def delete(team: Team, client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.delete(team.path)


REQUESTS: dict[str, list[Ask]] = {
    "org.read": [get("")],
    "org.rename": [rename],
    "org.delete": [delete],
    "org.transfer": [transfer],
    "members.list": [get("/members")],
    "members.change_role": [change_role],
    "members.remove": [remove],
    "members.leave": [leave],
    "invites.list": [get("/invites")],
    "invites.create": [create_invite],
    "invites.revoke": [revoke_invite],
    "keys.list": [get("/api/keys")],
    "keys.create": [create_key],
    "keys.revoke": [revoke_key],
    "audit.read": [
        get("/api/audit"),
        get("/api/audit/export?format=csv"),
        get("/api/audit/export?format=jsonl"),
        get("/api/audit/verify"),
    ],
}


@pytest.fixture(scope="module")
async def people(stack: Any) -> dict[str, tuple[str, dict[str, str]]]:
    """By part: who plays it, and the cookie that says so."""
    found = {}
    for part in (*ROLES, "first", "second", STRANGER):
        async with stack.client() as client:
            me = await stack.new_person(client)
            found[part] = (me["user"]["id"], dict(client.cookies))
    return found


@pytest.fixture
async def team(stack: Any, people: dict[str, tuple[str, dict[str, str]]]) -> AsyncIterator[Team]:
    """A new team of these people."""
    async with AsyncExitStack() as clients:
        browsers = {}
        for part, (_, cookies) in people.items():
            browsers[part] = await clients.enter_async_context(stack.client())
            browsers[part].cookies.update(cookies)
        org_id = (await browsers["owner"].post("/api/orgs", json={"name": "Northwind"})).json()["id"]
        with psycopg.connect(stack.database.admin_url, autocommit=True) as admin:
            for part, role in (
                ("admin",) * 2,
                ("member",) * 2,
                ("viewer",) * 2,
                ("first", "viewer"),
                ("second", "viewer"),
            ):
                row = (org_id, people[part][0], role)
                admin.execute("INSERT INTO gateway.memberships VALUES (%s, %s, %s, now())", row)
                admin.execute("INSERT INTO gateway.member_versions VALUES (%s, %s, 1)", row[:2])
        yield Team(org_id, browsers, {part: user_id for part, (user_id, _) in people.items()})


def test_every_action_of_the_matrix_is_walked() -> None:
    assert set(REQUESTS) == set(PERMISSIONS)


@pytest.mark.parametrize("action", PERMISSIONS)
async def test_each_role_may_what_the_matrix_says_and_no_more(team: Team, action: str) -> None:
    # The owner comes last: some of what they may do ends the org.
    for role in ROLES:
        for ask in REQUESTS[action]:
            answer = await ask(team, team.browsers[role], role)
            told = (role, answer.status_code, answer.text)
            if allows(role, action):
                assert answer.is_success or owner_must_stay(role, action, answer), told
            else:
                assert (answer.status_code, answer.json()["error"]) == (403, "role_forbidden"), told


def owner_must_stay(role: Role, action: str, answer: httpx.Response) -> bool:
    """An owner may go, but not before there is another one."""
    return (role, action) == ("owner", "members.leave") and answer.status_code == 409


@pytest.mark.parametrize("action", PERMISSIONS)
async def test_a_stranger_may_nothing(team: Team, action: str) -> None:
    for ask in REQUESTS[action]:
        answer = await ask(team, team.browsers[STRANGER], STRANGER)
        assert (answer.status_code, answer.json()["error"]) in ((404, "not_found"), (403, "org_forbidden"))


@pytest.mark.parametrize("action", PERMISSIONS)
async def test_no_key_does_what_needs_a_person(stack: Any, team: Team, action: str) -> None:
    key = await team.new_key(list(SCOPES))
    async with httpx.AsyncClient(
        base_url=stack.base_url, headers={"authorization": f"Bearer {key['key']}"}, trust_env=False
    ) as program:
        for ask in REQUESTS[action]:
            answer = await ask(team, program, "owner")
            if action in FOR_KEYS:
                assert answer.status_code == 200
            else:
                assert (answer.status_code, answer.json()["error"]) == (403, "scope_forbidden")


async def test_an_admin_manages_neither_the_owner_nor_another_admin(team: Team) -> None:
    admin = team.browsers["admin"]
    raised = await team.owner.patch(f"{team.path}/members/{team.ids['first']}", json={"role": "admin"})
    assert raised.status_code == 200
    to_another = f"{team.path}/members/{team.ids['first']}"
    refused = [
        await admin.patch(to_another, json={"role": "viewer"}),
        await admin.delete(to_another),
        await admin.patch(f"{team.path}/members/{team.ids['second']}", json={"role": "admin"}),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(403, "role_forbidden")}
    to_owner = f"{team.path}/members/{team.ids['owner']}"
    answers = [await admin.patch(to_owner, json={"role": "viewer"}), await admin.delete(to_owner)]
    assert [answer.status_code for answer in answers] == [409, 409]
