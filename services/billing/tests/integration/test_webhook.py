"""Stripe's webhooks, whatever is sent and in whatever order, on a real database."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from billing.deps import Deps
from billing.models import StripeEvent
from billing.service import accounts, webhook
from billing.stripe_events import StripeEventRepository
from billing.testing import NOW, sign, stripe_event, subscription
from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id
from common.plumbing import OutboxRow

pytestmark = pytest.mark.integration


async def post(client: httpx.AsyncClient, body: bytes, **kwargs: Any) -> httpx.Response:
    return await client.post("/api/stripe/webhook", content=body, headers={"stripe-signature": sign(body, **kwargs)})


async def tier(client: httpx.AsyncClient, headers: dict[str, str]) -> tuple[str, str]:
    body = (await client.get("/api/usage", headers=headers)).json()
    return body["tier"], body["status"]


async def published(deps: Deps, org_id: UUID, fact: str) -> list[dict[str, Any]]:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        rows = await uow.session.scalars(
            select(OutboxRow)
            .where(OutboxRow.org_id == org_id, OutboxRow.subject == f"events.billing.{fact}")
            .order_by(OutboxRow.position)
        )
        return [row.body for row in rows]


class TestDelivery:
    async def test_a_signed_event_is_committed_and_answered_200(
        self, client: httpx.AsyncClient, worker_deps: Deps, org_id: UUID
    ) -> None:
        body = stripe_event("customer.subscription.created", subscription(org_id), event_id=f"evt_{org_id}")
        answer = await post(client, body)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
            row = await uow.session.get(StripeEvent, f"evt_{org_id}")
        assert row is not None
        assert row.body == body

    @pytest.mark.parametrize(
        "signature",
        [
            None,
            "",
            "nonsense",
            "t=1,v1=00",
            "t=1,v1=\xff",
            pytest.param("forged", id="another secret"),
            pytest.param("old", id="six minutes old"),
            pytest.param("future", id="two minutes ahead"),
        ],
    )
    async def test_a_wrong_signature_is_refused_and_leaves_nothing(
        self, client: httpx.AsyncClient, worker_deps: Deps, signature: str | None
    ) -> None:
        body = stripe_event("invoice.paid", {}, event_id=f"evt_{new_id()}")
        made = {
            "forged": sign(body, secret="whsec_other"),
            "old": sign(body, at=time.time() - 360),
            "future": sign(body, at=time.time() + 120),
        }
        header = made.get(signature or "", signature)
        headers = {"stripe-signature": header.encode("latin-1")} if header is not None else {}
        answer = await client.post("/api/stripe/webhook", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_signature")
        async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
            assert await uow.session.get(StripeEvent, json.loads(body)["id"]) is None

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"id": "evt_1"}', b'{"id":"","type":"x","created":1,"data":{}}']
    )
    async def test_what_is_not_an_event_is_refused(self, client: httpx.AsyncClient, body: bytes) -> None:
        answer = await post(client, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_payload")

    async def test_a_body_past_the_limit_is_refused(self, client: httpx.AsyncClient) -> None:
        answer = await post(client, b"x" * 600_000)
        assert (answer.status_code, answer.json()["limit"]) == (413, 524_288)

    async def test_the_old_secret_still_counts_during_a_rotation(self, client: httpx.AsyncClient) -> None:
        body = stripe_event("payout.paid", {})
        assert (await post(client, body, secret="whsec_old")).status_code == 200


class TestApplying:
    async def test_a_subscription_opens_the_tier_and_tells_everyone(
        self, client: httpx.AsyncClient, worker_deps: Deps, org_id: UUID, headers: dict[str, str]
    ) -> None:
        assert await tier(client, headers) == ("free", "none")
        await post(client, stripe_event("customer.subscription.created", subscription(org_id, quantity=3)))
        await webhook.apply_waiting(worker_deps)
        usage = (await client.get("/api/usage", headers=headers)).json()
        assert (usage["tier"], usage["limits"]["seats"], usage["limits"]["monthly_cap"]) == ("pro", 3, 30)
        changes = await published(worker_deps, org_id, "entitlements.changed")
        assert [(change["version"], change["tier"]) for change in changes] == [(1, "free"), (2, "pro")]

    async def test_the_same_event_many_times_at_once_has_one_effect(
        self, client: httpx.AsyncClient, worker_deps: Deps, org_id: UUID
    ) -> None:
        session = {
            "id": f"cs_{org_id}",
            "mode": "payment",
            "payment_status": "paid",
            "customer": f"cus_{org_id}",
            "metadata": {"org_id": str(org_id), "price": "bundle_10"},
        }
        body = stripe_event("checkout.session.completed", session, event_id=f"evt_{org_id}")
        answers = await asyncio.gather(*(post(client, body) for _ in range(12)))
        assert {answer.status_code for answer in answers} == {200}
        # Stripe may also send another event about the same session.
        await post(client, stripe_event("checkout.session.async_payment_succeeded", session))
        await asyncio.gather(*(webhook.apply_waiting(worker_deps) for _ in range(6)))
        grants = await published(worker_deps, org_id, "credits.granted")
        assert [grant["extras_granted"] for grant in grants] == [10]

    async def test_a_late_update_does_not_revive_an_ended_subscription(
        self, client: httpx.AsyncClient, worker_deps: Deps, org_id: UUID, headers: dict[str, str]
    ) -> None:
        ended = subscription(org_id, status="canceled")
        await post(client, stripe_event("customer.subscription.deleted", ended, created=NOW))
        await webhook.apply_waiting(worker_deps)
        for created in (NOW - timedelta(minutes=1), NOW, NOW + timedelta(minutes=1)):
            await post(client, stripe_event("customer.subscription.updated", subscription(org_id), created=created))
        await webhook.apply_waiting(worker_deps)
        assert await tier(client, headers) == ("free", "canceled")

    async def test_any_order_of_one_history_ends_in_the_same_state(
        self, client: httpx.AsyncClient, worker_deps: Deps, issuer: Any
    ) -> None:
        history = [
            ("customer.subscription.created", "incomplete", 0),
            ("customer.subscription.updated", "active", 0),
            ("customer.subscription.updated", "past_due", 60),
            ("customer.subscription.updated", "active", 120),
        ]
        for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]):
            org = new_id()
            for index in order:
                kind, status, seconds = history[index]
                body = stripe_event(
                    kind,
                    subscription(org, status=status),
                    created=NOW - timedelta(hours=1) + timedelta(seconds=seconds),
                )
                await post(client, body)
                await webhook.apply_waiting(worker_deps)
            headers = issuer.headers(user_id=new_id(), org_id=org)
            assert await tier(client, headers) == ("pro", "active"), order

    async def test_a_failed_payment_keeps_the_tier_for_the_grace_and_not_longer(
        self, client: httpx.AsyncClient, worker_deps: Deps, org_id: UUID, headers: dict[str, str], clock: FrozenClock
    ) -> None:
        await post(client, stripe_event("customer.subscription.created", subscription(org_id)))
        failed_at = NOW + timedelta(days=1)
        clock.advance(timedelta(days=1))
        invoice = {
            "id": f"in_{org_id}",
            "customer": f"cus_{org_id}",
            "created": int(NOW.timestamp()),
            "parent": {"subscription_details": {"subscription": f"sub_{org_id}", "metadata": {}}},
        }
        await post(client, stripe_event("invoice.payment_failed", invoice, created=failed_at))
        past_due = subscription(org_id, status="past_due")
        await post(client, stripe_event("customer.subscription.updated", past_due, created=failed_at))
        await webhook.apply_waiting(worker_deps)
        usage = (await client.get("/api/usage", headers=headers)).json()
        assert (usage["tier"], usage["status"]) == ("pro", "past_due")
        assert datetime.fromisoformat(usage["grace_ends_at"]) == failed_at + timedelta(days=3)

        clock.advance(timedelta(days=3))
        assert await accounts.review_due(worker_deps) >= 1
        assert (await tier(client, headers))[0] == "free"

        await post(client, stripe_event("invoice.paid", invoice, created=clock.now()))
        again = subscription(org_id)
        await post(client, stripe_event("customer.subscription.updated", again, created=clock.now()))
        await webhook.apply_waiting(worker_deps)
        assert await tier(client, headers) == ("pro", "active")


class TestRetention:
    async def test_what_was_handled_long_ago_goes_and_what_is_parked_stays(
        self, worker_deps: Deps, org_id: UUID
    ) -> None:
        kept_days = worker_deps.settings.stripe_events_retention_days
        bodies = {
            "old": stripe_event("customer.subscription.updated", subscription(org_id)),
            "old of no use": stripe_event("payout.paid", {}),
            "old and parked": stripe_event("customer.subscription.updated", subscription(org_id, price="price_gone")),
            "young": stripe_event("customer.subscription.updated", subscription(org_id)),
        }
        ids = {name: webhook.Event.parse(body).id for name, body in bodies.items()}
        for body in bodies.values():
            await webhook.store(worker_deps, webhook.Event.parse(body), body)
        await webhook.apply_waiting(worker_deps)
        async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(
                text("UPDATE stripe_events SET received_at = received_at - :age WHERE event_id = ANY(:ids)"),
                {"age": timedelta(days=kept_days, hours=1), "ids": [ids[it] for it in ids if it != "young"]},
            )
            await uow.commit()
        assert await webhook.purge(worker_deps) == 2
        async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
            assert await StripeEventRepository(uow).missing(ids.values()) == {ids["old"], ids["old of no use"]}
