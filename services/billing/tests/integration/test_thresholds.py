"""Usage comes to 70, 90 and 100 per cent of a cap: told once each, however the events race."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.handlers import EVENT_HANDLERS
from billing.service import accounts, webhook
from billing.settings import Settings
from billing.testing import NOW, stripe_event, subscription
from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id
from common.inbox import Consumer, Gap
from contracts import Event, exports, uploads
from contracts.ai import GenerationFinished, ProposalCreated
from contracts.gateway import MemberAdded, OrgCreated, OrgDeleted

from .facts import consume, example

pytestmark = pytest.mark.integration

MIB = 1024**2


async def told(deps: Deps, org_id: UUID) -> list[tuple[str, int, int]]:
    """What was published, in its order, with versions that have no gap."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        bodies = list(
            await uow.session.scalars(
                text(
                    "SELECT body FROM outbox WHERE org_id = :org AND subject = 'events.billing.usage.threshold_reached'"
                    " ORDER BY position"
                ),
                {"org": org_id},
            )
        )
    assert [body["version"] for body in bodies] == list(range(1, len(bodies) + 1))
    return [(body["cap"], body["threshold"], body["used"]) for body in bodies]


async def on_pro(deps: Deps, org_id: UUID, *, seats: int) -> None:
    await webhook.deliver(
        deps,
        body=stripe_event("customer.subscription.created", subscription(org_id, quantity=seats)),
        signature=None,
    )
    await webhook.apply_waiting(deps)


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings]) -> Callable[..., Settings]:
    """Unsigned webhooks are fine here."""

    def make(*args: Any, **changes: Any) -> Settings:
        return make_settings(*args, **{"debug": True, "stripe_webhook_secret": "", **changes})

    return make


class TestRaces:
    async def test_thirty_proposals_at_once_come_to_each_threshold_once(
        self, make_settings: Callable[..., Settings], clock: FrozenClock, database: Any, org_id: UUID
    ) -> None:
        async with (
            open_deps(make_settings(database.worker_url), clock=clock) as one,
            open_deps(make_settings(database.worker_url), clock=clock) as other,
        ):
            await consume(one, example(OrgCreated, org_id=org_id))
            await on_pro(one, org_id, seats=3)
            proposals = [
                example(ProposalCreated, org_id=org_id, proposal_id=new_id(), created_at=NOW, charged_to="cap")
                for _ in range(30)
            ]
            await asyncio.gather(*(consume(deps, it) for it, deps in zip(proposals, [one, other] * 15, strict=True)))
            # The twenty-first of thirty is 70 per cent; which of those that race it is, is theirs to settle.
            assert await told(one, org_id) == [
                ("monthly_cap", 70, 21),
                ("monthly_cap", 90, 27),
                ("monthly_cap", 100, 30),
            ]

    async def test_racing_files_of_two_services_are_all_counted(self, worker_deps: Deps, org_id: UUID) -> None:
        await consume(worker_deps, example(OrgCreated, org_id=org_id))
        changes = [
            [
                example(service.StorageChanged, org_id=org_id, version=number, bytes_used=number * size)
                for number in range(1, 16)
            ]
            for service, size in ((uploads, 3 * MIB), (exports, 4 * MIB))
        ]
        await asyncio.gather(*(consume(worker_deps, *of_one) for of_one in changes))
        assert [(cap, threshold) for cap, threshold, _ in await told(worker_deps, org_id)] == [
            ("storage_bytes", 70),
            ("storage_bytes", 90),
            ("storage_bytes", 100),
        ]


class TestWhen:
    async def test_a_leap_tells_each_that_it_passed_and_only_one_is_the_highest(
        self, worker_deps: Deps, org_id: UUID
    ) -> None:
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id),
            example(uploads.StorageChanged, org_id=org_id, bytes_used=95 * MIB),
        )
        assert [threshold for _, threshold, _ in await told(worker_deps, org_id)] == [70, 90]

    async def test_seats_and_ai_count_where_they_have_a_cap(
        self, make_settings: Callable[..., Settings], clock: FrozenClock, database: Any, org_id: UUID
    ) -> None:
        settings = make_settings(database.worker_url, ai_daily_request_cap_pro=2, ai_monthly_tokens_cap_pro=1000)
        async with open_deps(settings, clock=clock) as deps:
            await consume(deps, example(OrgCreated, org_id=org_id))
            await on_pro(deps, org_id, seats=2)
            await consume(
                deps,
                example(MemberAdded, org_id=org_id, user_id=new_id()),
                example(GenerationFinished, org_id=org_id, generation_id=new_id(), accepted_at=NOW, tokens=800),
                example(MemberAdded, org_id=org_id, user_id=new_id()),
                example(GenerationFinished, org_id=org_id, generation_id=new_id(), accepted_at=NOW, tokens=1),
            )
            assert await told(deps, org_id) == [
                ("ai_monthly_tokens", 70, 800),
                *(("seats", threshold, 2) for threshold in (70, 90, 100)),
                *(("ai_daily", threshold, 2) for threshold in (70, 90, 100)),
            ]
            clock.advance(timedelta(days=1))
            tomorrow = {"accepted_at": clock.now(), "tokens": 1}
            for _ in range(2):
                await consume(deps, example(GenerationFinished, org_id=org_id, generation_id=new_id(), **tomorrow))
            assert (await told(deps, org_id))[-1] == ("ai_daily", 100, 2), "another day is another period"
            assert len(await told(deps, org_id)) == 10

    async def test_the_one_seat_of_free_is_no_news(self, worker_deps: Deps, org_id: UUID) -> None:
        await consume(
            worker_deps, example(OrgCreated, org_id=org_id), example(MemberAdded, org_id=org_id, user_id=new_id())
        )
        assert await told(worker_deps, org_id) == []

    async def test_a_smaller_plan_can_be_full_from_its_first_day(
        self, worker_deps: Deps, clock: FrozenClock, org_id: UUID
    ) -> None:
        await consume(worker_deps, example(OrgCreated, org_id=org_id))
        await on_pro(worker_deps, org_id, seats=1)
        await consume(worker_deps, example(uploads.StorageChanged, org_id=org_id, bytes_used=200 * MIB))
        assert await told(worker_deps, org_id) == []
        ended = subscription(org_id, status="canceled")
        await webhook.deliver(
            worker_deps,
            body=stripe_event("customer.subscription.deleted", ended, created=NOW + timedelta(minutes=1)),
            signature=None,
        )
        await webhook.apply_waiting(worker_deps)
        assert [it[:2] for it in await told(worker_deps, org_id)] == [("storage_bytes", it) for it in (70, 90, 100)]

    async def test_of_a_greater_cap_it_is_news_again(self, worker_deps: Deps, org_id: UUID) -> None:
        await consume(worker_deps, example(OrgCreated, org_id=org_id))
        await on_pro(worker_deps, org_id, seats=2)
        members = [example(MemberAdded, org_id=org_id, user_id=new_id()) for _ in range(3)]
        await consume(worker_deps, *members[:2])
        assert [it for it in await told(worker_deps, org_id) if it[1] == 100] == [("seats", 100, 2)]
        for minute, seats in enumerate((3, 2, 3), 1):
            changed = subscription(org_id, quantity=seats)
            at = NOW + timedelta(minutes=minute)
            body = stripe_event("customer.subscription.updated", changed, created=at)
            await webhook.deliver(worker_deps, body=body, signature=None)
            await webhook.apply_waiting(worker_deps)
        await consume(worker_deps, members[2])
        # Back on two and again on three it is no news; the third of three is.
        assert [it for it in await told(worker_deps, org_id) if it[1] == 100] == [("seats", 100, 2), ("seats", 100, 3)]

    async def test_a_new_period_tells_anew(self, worker_deps: Deps, clock: FrozenClock, org_id: UUID) -> None:
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id),
            example(uploads.StorageChanged, org_id=org_id, bytes_used=70 * MIB),
        )
        clock.advance(timedelta(days=31))
        await accounts.review_due(worker_deps)
        assert len(await told(worker_deps, org_id)) == 1, "a new month alone is no news"
        await consume(worker_deps, example(exports.StorageChanged, org_id=org_id, bytes_used=1))
        assert [threshold for _, threshold, _ in await told(worker_deps, org_id)] == [70, 70]


class TestConvergence:
    """Whatever order deliveries come in: the broker repeats, delays and mixes them; versions are each service's own."""

    @pytest.mark.parametrize("seed", range(6))
    async def test_storage_is_what_is_left(
        self, client: httpx.AsyncClient, worker_deps: Deps, headers: dict[str, str], org_id: UUID, seed: int
    ) -> None:
        chance = random.Random(seed)
        left, events = 0, [example(OrgCreated, org_id=org_id)]
        for service in (uploads, exports):
            used = 0
            for version in range(1, 13):
                used = max(0, used + chance.randrange(-900, 1000))
                events.append(example(service.StorageChanged, org_id=org_id, version=version, bytes_used=used))
            left += used
        await deliver_in_disorder(worker_deps, events, chance)
        usage = (await client.get("/api/usage", headers=headers)).json()["usage"]
        assert usage["storage_bytes"] == left

    async def test_what_comes_late_about_an_erased_org_leaves_nothing(self, worker_deps: Deps, org_id: UUID) -> None:
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id),
            example(OrgDeleted, org_id=org_id, version=2),
            example(uploads.StorageChanged, org_id=org_id, bytes_used=1),
            example(ProposalCreated, org_id=org_id, proposal_id=new_id(), created_at=NOW),
            example(GenerationFinished, org_id=org_id, generation_id=new_id(), accepted_at=NOW, tokens=1),
            example(MemberAdded, org_id=org_id, user_id=new_id()),
        )
        await on_pro(worker_deps, org_id, seats=2)
        async with worker_deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            for table in (
                "accounts",
                "storage_counts",
                "proposal_counts",
                "generation_counts",
                "members",
                "subscriptions",
            ):
                found = await uow.session.scalar(
                    text(f"SELECT count(*) FROM {table} WHERE org_id = :org"), {"org": org_id}
                )
                assert found == 0, table


async def deliver_in_disorder(deps: Deps, events: list[Event], chance: random.Random) -> None:
    """As a broker does: in any order, some twice, several at once; what is too early comes again."""
    consumer = Consumer(deps.db, deps.bus, EVENT_HANDLERS, deps)
    queue = [(event, new_id()) for event in events]
    queue += chance.sample(queue, len(queue) // 3)
    chance.shuffle(queue)

    async def attempt(event: Event, event_id: UUID) -> tuple[Event, UUID] | None:
        try:
            await consumer.apply(event, event_id)
        except Gap:
            return event, event_id
        return None

    while queue:
        batch, queue = queue[:8], queue[8:]
        early = await asyncio.gather(*(attempt(*it) for it in batch))
        queue += [it for it in early if it is not None]
