"""Grace and cancelled periods end by time alone: once, however many workers look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.service import accounts, webhook
from billing.settings import Settings
from billing.stripe_events import REVIEW_CLAIM, StripeEventRepository
from billing.testing import NOW, sign, stripe_event, subscription
from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id

pytestmark = pytest.mark.integration

WORKERS = 8
PERIOD_END = datetime.fromisoformat("2026-12-20T00:00:00+00:00")


@pytest.fixture
async def workers(
    make_settings: Callable[..., Settings], clock: FrozenClock, database: Any
) -> AsyncIterator[list[Deps]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                open_deps(make_settings(database.worker_url, database_pool_size=4), clock=clock)
            )
            for _ in range(WORKERS)
        ]


async def report(deps: Deps, kind: str, obj: dict[str, Any], created: datetime = NOW) -> None:
    body = stripe_event(kind, obj, created=created)
    await webhook.deliver(deps, body=body, signature=sign(body))
    await webhook.apply_waiting(deps)


async def told(deps: Deps, org_id: UUID) -> list[tuple[str, str, int]]:
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        bodies = await uow.session.scalars(
            text(
                "SELECT body FROM outbox WHERE org_id = :org AND subject = 'events.billing.entitlements.changed'"
                " ORDER BY position"
            ),
            {"org": org_id},
        )
        return [(body["tier"], body["status"], body["version"]) for body in bodies]


async def review_together(workers: list[Deps]) -> int:
    return sum(await asyncio.gather(*(accounts.review_due(it) for it in workers)))


class TestManyWorkers:
    async def test_each_grace_ends_once(self, workers: list[Deps], clock: FrozenClock) -> None:
        orgs = [new_id() for _ in range(40)]
        for org_id in orgs:
            await report(workers[0], "customer.subscription.updated", subscription(org_id, status="past_due"))
        clock.advance(timedelta(days=3) - timedelta(seconds=1))
        await review_together(workers)
        assert [it[0] for it in await told(workers[0], orgs[0])] == ["free", "pro"], "the grace still runs"
        clock.advance(timedelta(seconds=1))
        assert await review_together(workers) == len(orgs), "each was one worker's"
        for org_id in orgs:
            assert await told(workers[0], org_id) == [
                ("free", "none", 1),
                ("pro", "past_due", 2),
                ("free", "past_due", 3),
            ]
        assert await review_together(workers) == 0

    async def test_a_cancelled_period_ends_with_its_time_though_stripe_says_nothing(
        self, workers: list[Deps], clock: FrozenClock
    ) -> None:
        orgs = [new_id() for _ in range(10)]
        for org_id in orgs:
            await report(workers[0], "customer.subscription.updated", subscription(org_id, cancel_at_period_end=True))
        clock.advance(PERIOD_END - NOW)
        await review_together(workers)
        for org_id in orgs:
            assert [it[:2] for it in await told(workers[0], org_id)] == [
                ("free", "none"),
                ("pro", "active"),
                ("free", "canceled"),
            ]

    async def test_a_worker_that_died_with_its_claim_holds_nothing_up_for_long(
        self, workers: list[Deps], clock: FrozenClock, org_id: UUID
    ) -> None:
        await report(workers[0], "customer.subscription.updated", subscription(org_id, status="past_due"))
        clock.advance(timedelta(days=3))
        async with workers[0].db.unit_of_work(Tenant.none()) as uow:
            assert org_id in await StripeEventRepository(uow).claim_reviews(clock.now())
            await uow.commit()
        await review_together(workers)
        assert (await told(workers[0], org_id))[-1][0] == "pro"
        clock.advance(REVIEW_CLAIM)
        await review_together(workers)
        assert (await told(workers[0], org_id))[-1][0] == "free"
