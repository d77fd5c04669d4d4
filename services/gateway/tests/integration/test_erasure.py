"""Erasures are followed until every service has answered; and what other services tell is in the audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import nats
import psycopg
import pytest

from common.clock import SystemClock
from common.db import Database
from contracts import Event, load
from contracts.billing import CreditsGranted, SubscriptionChanged
from contracts.exports import ExportDeleted, ExportFailed, ExportFinished
from gateway import telemetry
from gateway.erasure.service import measure

pytestmark = pytest.mark.integration

OTHERS = ("billing", "ai", "exports", "uploads")

Publish = Callable[..., Awaitable[None]]


@pytest.fixture
async def publish(nats_url: Any) -> AsyncIterator[Publish]:
    """Publishes as the event's own service would; `times` deliveries of one and the same event."""
    connections: dict[str, Any] = {}

    async def send(event: Event, times: int = 1) -> None:
        service = event.META.service
        if service not in connections:
            connections[service] = await nats.connect(nats_url(service), inbox_prefix=f"_INBOX_{service}")
        event_id = str(uuid4())
        headers = {"ce-id": event_id, "ce-type": event.META.type, "ce-subject": event.aggregate_id}
        body = event.model_dump_json().encode()
        stream = connections[service].jetstream()
        # No message id: NATS itself would drop the repeats.
        await asyncio.gather(*(stream.publish(event.META.subject, body, headers=headers) for _ in range(times)))

    yield send
    for connection in connections.values():
        await connection.close()


@pytest.fixture
def owner(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """Someone who sees every org's rows."""
    with psycopg.connect(stack.database.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = gateway")
        yield connection


async def eventually(check: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
    return found


def receipt(service: str, org_id: str, user_id: str | None = None) -> Event:
    """What a service answers to an erasure."""
    kind = "user" if user_id else "org"
    event_class = load()[f"bidwright.{service}.{kind}.erased.v1"]
    return event_class.model_validate(
        {"org_id": org_id, "version": 1, "erased_at": datetime.now(UTC)} | ({"user_id": user_id} if user_id else {})
    )


def closed_at(owner: psycopg.Connection[Any], kind: str, subject: str) -> Any:
    row = owner.execute(
        "SELECT closed_at FROM erasures WHERE kind = %s AND subject_id = %s", (kind, subject)
    ).fetchone()
    assert row is not None, "nothing was requested"
    return row[0]


def receipts(owner: psycopg.Connection[Any], kind: str, subject: str) -> list[str]:
    query = "SELECT service FROM erasure_receipts WHERE kind = %s AND subject_id = %s ORDER BY service"
    return [row[0] for row in owner.execute(query, (kind, subject)).fetchall()]


def audited(owner: psycopg.Connection[Any], org_id: str, action: str) -> list[Any]:
    query = "SELECT target, detail, actor, actor_id FROM audit WHERE org_id = %s AND action = %s ORDER BY seq"
    return owner.execute(query, (org_id, action)).fetchall()


class TestAnErasedOrg:
    async def test_it_is_closed_when_the_last_of_the_four_has_answered(
        self,
        stack: Any,
        person: dict[str, Any],
        browser: httpx.AsyncClient,
        publish: Publish,
        owner: psycopg.Connection[Any],
    ) -> None:
        org_id = (await browser.post("/api/orgs", json={"name": "Gone"})).json()["id"]
        assert (await browser.delete(f"/api/orgs/{org_id}")).status_code == 204
        assert closed_at(owner, "org", org_id) is None
        for service in OTHERS[:3]:
            await publish(receipt(service, org_id), times=3)
        await eventually(lambda: len(receipts(owner, "org", org_id)) == 3)
        assert closed_at(owner, "org", org_id) is None
        await publish(receipt(OTHERS[3], org_id), times=3)
        await eventually(lambda: closed_at(owner, "org", org_id))
        [(target, detail, actor, actor_id)] = audited(owner, org_id, "erasure.completed")
        assert (target, actor, actor_id) == (org_id, "system", None)
        assert detail == {"kind": "org", "services": sorted(OTHERS)}

    async def test_answers_that_race_and_repeat_close_it_once(
        self,
        stack: Any,
        person: dict[str, Any],
        browser: httpx.AsyncClient,
        publish: Publish,
        owner: psycopg.Connection[Any],
    ) -> None:
        orgs = [(await browser.post("/api/orgs", json={"name": f"Gone {n}"})).json()["id"] for n in range(5)]
        for org_id in orgs:
            assert (await browser.delete(f"/api/orgs/{org_id}")).status_code == 204
        # A second receipt of the same service, as another event: a repeat that the inbox does not know.
        await asyncio.gather(
            *(publish(receipt(service, org_id), times=2) for org_id in orgs for service in OTHERS for _ in range(3))
        )
        for org_id in orgs:
            await eventually(lambda org_id=org_id: closed_at(owner, "org", org_id))
        await asyncio.sleep(1)
        for org_id in orgs:
            assert receipts(owner, "org", org_id) == sorted(OTHERS)
            assert len(audited(owner, org_id, "erasure.completed")) == 1

    async def test_a_receipt_that_no_one_asked_for_changes_nothing(
        self, stack: Any, publish: Publish, owner: psycopg.Connection[Any]
    ) -> None:
        org_id = str(uuid4())
        for service in OTHERS:
            await publish(receipt(service, org_id))
        await eventually(
            lambda: owner.execute("SELECT count(*) FROM inbox WHERE org_id = %s", (org_id,)).fetchone() == (4,)
        )
        assert owner.execute("SELECT 1 FROM erasures WHERE org_id = %s", (org_id,)).fetchone() is None
        assert audited(owner, org_id, "erasure.completed") == []


class TestAnErasedPerson:
    async def test_both_the_person_and_their_org_are_closed(
        self,
        stack: Any,
        person: dict[str, Any],
        browser: httpx.AsyncClient,
        publish: Publish,
        owner: psycopg.Connection[Any],
    ) -> None:
        user_id, org_id = person["user"]["id"], person["orgs"][0]["id"]
        assert (await browser.delete("/api/me")).status_code == 204
        for service in OTHERS:
            await publish(receipt(service, org_id))
            await publish(receipt(service, org_id, user_id))
        await eventually(lambda: closed_at(owner, "org", org_id) and closed_at(owner, "user", user_id))
        kinds = sorted(detail["kind"] for _, detail, _, _ in audited(owner, org_id, "erasure.completed"))
        assert kinds == ["org", "user"]

    async def test_their_sessions_end_and_their_keys(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, owner: psycopg.Connection[Any]
    ) -> None:
        key = (await browser.post("/api/keys", json={"name": "k", "scopes": ["org:read"]})).json()["key"]
        login = {"email": person["user"]["email"], "password": "correct horse battery"}
        async with stack.client() as other, httpx.AsyncClient(base_url=stack.base_url, trust_env=False) as program:
            await other.post("/api/auth/login", json=login)
            program.headers["authorization"] = f"Bearer {key}"
            assert [answer.status_code for answer in (await other.get("/api/me"), await program.get("/api/me"))] == [
                200,
                200,
            ]
            cookie = dict(browser.cookies)
            assert (await browser.delete("/api/me")).status_code == 204
            assert (await other.get("/api/me")).status_code == 401
            assert (await program.get("/api/me")).status_code == 401
            async with stack.client() as thief:
                thief.cookies.update(cookie)
                assert (await thief.get("/api/me")).status_code == 401
        query = "SELECT count(*) FROM sessions WHERE user_id = %s"
        assert owner.execute(query, (person["user"]["id"],)).fetchone() == (0,)


@asynccontextmanager
async def member_of(stack: Any, browser: httpx.AsyncClient, role: str = "admin") -> AsyncIterator[Any]:
    """A team of `browser`'s with one more person in it: its id, their browser, their id."""
    org_id = (await browser.post("/api/orgs", json={"name": "Northwind"})).json()["id"]
    await stack.set_tier(org_id, "pro", seats=5)
    await stack.until_tier(browser, org_id, "pro")
    async with stack.client() as client:
        me = await stack.new_person(client)
        await join(stack, browser, client, org_id, me["user"]["email"], role)
        yield org_id, client, me["user"]


async def join(
    stack: Any, browser: httpx.AsyncClient, client: httpx.AsyncClient, org_id: str, email: str, role: str
) -> None:
    body = {"email": email, "role": role}
    assert (await browser.post(f"/api/orgs/{org_id}/invites", json=body)).status_code == 201
    await asyncio.sleep(0.3)
    token = await stack.mailed_token(email, "Join")
    answer = await client.post("/api/invites/accept", json={"token": token})
    assert answer.status_code == 200, answer.text


class TestWhoIsRemovedFromTheirLastTeam:
    async def test_their_sessions_are_worth_nothing_there_and_their_own_org_is_left_to_them(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        async with member_of(stack, browser) as (org_id, client, user):
            header = {"x-org-id": org_id}
            assert (await client.get("/api/proposals", headers=header)).status_code == 200
            assert (await browser.delete(f"/api/orgs/{org_id}/members/{user['id']}")).status_code == 204
            refused = await client.get("/api/proposals", headers=header)
            assert (refused.status_code, refused.json()["error"]) == (403, "org_forbidden")
            assert (await client.get(f"/api/orgs/{org_id}/members")).status_code == 404
            # The last org of all is the personal one; it goes with the account, and the sessions with it.
            me = await client.get("/api/me")
            assert [org["personal"] for org in me.json()["orgs"]] == [True]
            assert (await client.delete(f"/api/orgs/{me.json()['orgs'][0]['id']}")).status_code == 409

    async def test_their_keys_end_for_good(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, owner: psycopg.Connection[Any]
    ) -> None:
        async with member_of(stack, browser) as (org_id, client, user):
            made = await client.post(
                "/api/keys", json={"name": "CI", "scopes": ["org:read"]}, headers={"x-org-id": org_id}
            )
            program_headers = {"authorization": f"Bearer {made.json()['key']}"}
            async with httpx.AsyncClient(base_url=stack.base_url, headers=program_headers, trust_env=False) as program:
                assert (await program.get("/api/me")).status_code == 200
                assert (await browser.delete(f"/api/orgs/{org_id}/members/{user['id']}")).status_code == 204
                assert (await program.get("/api/me")).status_code == 401
                await join(stack, browser, client, org_id, user["email"], "admin")
                assert (await program.get("/api/me")).status_code == 401, "a key came back with its person"
        [(target, detail, _, _)] = audited(owner, org_id, "key.revoked")
        assert (target, detail["reason"]) == (made.json()["id"], "member_gone")


class TestTheGauges:
    async def test_they_show_what_is_open(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, owner: psycopg.Connection[Any]
    ) -> None:
        org_id = (await browser.post("/api/orgs", json={"name": "Slow"})).json()["id"]
        await browser.delete(f"/api/orgs/{org_id}")
        owner.execute("UPDATE erasures SET requested_at = now() - interval '2 hours' WHERE subject_id = %s", (org_id,))
        [(waiting,)] = owner.execute("SELECT count(*) FROM erasures WHERE closed_at IS NULL").fetchall()
        worker = Database(stack.database.worker_url, service="gateway", clock=SystemClock(), pool_size=1)
        await measure(worker, worker.clock)
        await worker.close()
        assert telemetry.ERASURES_OPEN._value.get() == waiting > 0
        assert telemetry.ERASURE_OLDEST._value.get() >= 7200


class TestWhatBillingAndExportsTell:
    @pytest.mark.parametrize(
        ("event_class", "action"),
        [
            (SubscriptionChanged, "billing.subscription_changed"),
            (CreditsGranted, "billing.credits_granted"),
            (ExportFinished, "export.finished"),
            (ExportFailed, "export.failed"),
        ],
    )
    async def test_it_is_one_row_however_often_it_is_delivered(
        self,
        stack: Any,
        person: dict[str, Any],
        browser: httpx.AsyncClient,
        publish: Publish,
        owner: psycopg.Connection[Any],
        event_class: type[Event],
        action: str,
    ) -> None:
        org_id = person["orgs"][0]["id"]
        own = {"org_id": org_id, "export_id": str(uuid4())}
        event = event_class.model_validate(event_class.EXAMPLE | own)
        await publish(event, times=10)
        await eventually(lambda: audited(owner, org_id, action))
        await asyncio.sleep(0.5)
        [(_, detail, actor, actor_id)] = audited(owner, org_id, action)
        asked_by = event_class.EXAMPLE.get("requested_by")
        assert (actor, actor_id and str(actor_id)) == ("system", asked_by)
        assert {
            name: detail[name] for name in event_class.EXAMPLE if name in detail
        }.items() <= event_class.EXAMPLE.items()
        rows = (await browser.get("/api/audit", params={"action": action})).json()["items"]
        assert len(rows) == 1
        assert (await browser.get("/api/audit/verify")).json()["intact"] is True

    async def test_an_export_that_is_deleted_follows_the_one_that_was_made(
        self, stack: Any, person: dict[str, Any], publish: Publish, owner: psycopg.Connection[Any]
    ) -> None:
        org_id, export_id = person["orgs"][0]["id"], str(uuid4())
        own = {"org_id": org_id, "export_id": export_id}
        await publish(ExportDeleted.model_validate(ExportDeleted.EXAMPLE | own))
        await publish(ExportFinished.model_validate(ExportFinished.EXAMPLE | own))
        await eventually(lambda: audited(owner, org_id, "export.deleted"))
        query = "SELECT action FROM audit WHERE org_id = %s AND target = %s ORDER BY seq"
        rows = owner.execute(query, (org_id, export_id)).fetchall()
        assert [action for (action,) in rows] == ["export.finished", "export.deleted"]
