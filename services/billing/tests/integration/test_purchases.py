"""Buying and changing a plan, by the real SDK, at a Stripe that listens on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from billing.app import create_app
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.service import webhook
from billing.settings import Settings
from common.clock import FrozenClock
from common.health import Health
from common.testing import IdentityIssuer
from stripe_fake.testing import FakeProcess, Receiver

from .paying import pass_on, pay, subscribe

pytestmark = pytest.mark.integration


@pytest.fixture
def client(shop: httpx.AsyncClient) -> httpx.AsyncClient:
    return shop


@pytest.fixture
def worker_deps(shop_worker: Deps) -> Deps:
    return shop_worker


class TestCheckout:
    async def test_a_paid_page_opens_the_tier(
        self, client: httpx.AsyncClient, headers: dict[str, str], worker_deps: Deps, receiver: Receiver
    ) -> None:
        await subscribe(client, headers, worker_deps, receiver, seats=2)
        usage = (await client.get("/api/usage", headers=headers)).json()
        assert (usage["tier"], usage["limits"]["seats"], usage["limits"]["monthly_cap"]) == ("pro", 2, 20)
        assert usage["subscription"]["price"] == "pro_monthly"

    async def test_a_second_plan_is_refused(
        self, client: httpx.AsyncClient, headers: dict[str, str], worker_deps: Deps, receiver: Receiver
    ) -> None:
        await subscribe(client, headers, worker_deps, receiver)
        again = await client.post("/api/billing/checkout", json={"price": "pro_monthly"}, headers=headers)
        assert (again.status_code, again.json()["error"]) == (409, "conflict")

    async def test_a_bundle_is_credited_once(
        self, client: httpx.AsyncClient, headers: dict[str, str], worker_deps: Deps, receiver: Receiver
    ) -> None:
        checkout = (await client.post("/api/billing/checkout", json={"price": "bundle_10"}, headers=headers)).json()
        await pay(checkout["url"])
        await pass_on(client, receiver)
        await webhook.apply_waiting(worker_deps)
        assert (await client.get("/api/usage", headers=headers)).json()["limits"]["extras"] == 10

    async def test_many_first_purchases_at_once_make_one_customer(
        self, client: httpx.AsyncClient, headers: dict[str, str], stripe_server: FakeProcess, org_id: UUID
    ) -> None:
        answers = await asyncio.gather(
            *(client.post("/api/billing/checkout", json={"price": "pro_monthly"}, headers=headers) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {200}
        async with httpx.AsyncClient(auth=("sk_test_1", "")) as stripe:
            sessions = [
                (await stripe.get(f"{stripe_server.url}/v1/checkout/sessions/{answer.json()['session_id']}")).json()
                for answer in answers
            ]
        assert len({session["customer"] for session in sessions}) == 1

    async def test_stripe_away_is_said_and_nothing_else_breaks(
        self,
        stripe_settings: Callable[..., Settings],
        clock: FrozenClock,
        issuer: IdentityIssuer,
        headers: dict[str, str],
    ) -> None:
        made = stripe_settings(stripe_api_base="http://127.0.0.1:9")
        app = create_app(made, open_deps(made, clock=clock), health=Health(), verifier=issuer.verifier)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client,
        ):
            answer = await client.post("/api/billing/checkout", json={"price": "pro_monthly"}, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (503, "billing_unavailable")
            assert (await client.get("/api/usage", headers=headers)).status_code == 200


class TestChanges:
    async def test_seats_cancel_and_resume_are_seen_at_once(
        self, client: httpx.AsyncClient, headers: dict[str, str], worker_deps: Deps, receiver: Receiver
    ) -> None:
        await subscribe(client, headers, worker_deps, receiver)
        assert (await client.patch("/api/billing/seats", json={"seats": 5}, headers=headers)).json()["seats"] == 5
        assert (await client.get("/api/usage", headers=headers)).json()["limits"]["monthly_cap"] == 50
        assert (await client.post("/api/billing/cancel", headers=headers)).json()["cancel_at_period_end"] is True
        assert (await client.post("/api/billing/resume", headers=headers)).json()["cancel_at_period_end"] is False
        ended = await client.post("/api/billing/cancel", json={"immediate": True}, headers=headers)
        assert ended.json()["status"] == "canceled"
        assert (await client.get("/api/usage", headers=headers)).json()["tier"] == "free"

    async def test_without_a_plan_there_is_nothing_to_change(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        assert (await client.post("/api/billing/cancel", headers=headers)).status_code == 409
        assert (await client.get("/api/billing/subscription", headers=headers)).json() is None
        assert (await client.get("/api/billing/invoices", headers=headers)).json() == {"items": [], "next_cursor": None}

    async def test_invoices_and_the_portal_are_there_once_something_was_bought(
        self, client: httpx.AsyncClient, headers: dict[str, str], worker_deps: Deps, receiver: Receiver
    ) -> None:
        await subscribe(client, headers, worker_deps, receiver)
        invoices = (await client.get("/api/billing/invoices", headers=headers)).json()["items"]
        assert [invoice["status"] for invoice in invoices] == ["paid"]
        portal = await client.post("/api/billing/portal", headers=headers)
        assert portal.json()["url"].startswith("http")
