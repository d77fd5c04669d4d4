"""Whatever order Stripe's events come in, and however often: in the end an org stands where it would have stood had
each come once and in order (docs/decisions/0008), on a real database."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.models import Account, StripeEvent, Subscription
from billing.service import webhook
from billing.service.effects import HANDLED_TYPES
from billing.settings import Settings
from billing.stripe_objects import Event
from billing.testing import Life
from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id
from common.plumbing import OutboxRow
from stripe_fake.testing import FakeProcess

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SOME = settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
STEPS = ("subscribe", "pay", "renew", "fail", "give_up", "seats", "plan", "cancel_at_end", "delete", "bundle")
A_DAY = 86_400

step = st.tuples(
    st.sampled_from(STEPS),
    st.sampled_from((0, 0, 0, 1, 3600, A_DAY, 40 * A_DAY)),
    st.integers(min_value=1, max_value=6),
)
lives = st.lists(step, min_size=2, max_size=9).map(lambda steps: [("subscribe", 0, 3), *steps])


def shuffled(draw: st.DataObject, events: list[Any]) -> list[Any]:
    """Every event once at least, some twice, in any order."""
    again = draw.draw(st.lists(st.sampled_from(events), max_size=4), label="again")
    return draw.draw(st.permutations([*events, *again]), label="order")


async def deliver(deps: Deps, body: bytes) -> None:
    await webhook.store(deps, Event.parse(body), body)


async def live(steps: list[tuple[str, int, int]], *, tells_before: bool = True) -> Life:
    life = Life(new_id(), tells_before=tells_before)
    for name, seconds, number in steps:
        life.step(name, seconds, number)
    return life


def of_another_org(life: Life, body: bytes, org_id: UUID) -> bytes:
    """The same event about another org."""
    return body.replace(str(life.org_id).encode(), str(org_id).encode())


async def standing(deps: Deps, org_id: UUID) -> dict[str, Any]:
    """All that is known of the org, and what was last published of it; ids without the org's."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        account = await uow.session.get(Account, org_id)
        assert account is not None
        rows = await uow.session.scalars(select(Subscription).order_by(Subscription.subscription_id))
        published = await uow.session.scalar(
            select(OutboxRow.body)
            .where(OutboxRow.org_id == org_id, OutboxRow.subject == "events.billing.entitlements.changed")
            .order_by(OutboxRow.position.desc())
            .limit(1)
        )
        found = {
            "account": {
                name: getattr(account, name)
                for name in (
                    *("tier", "status", "limits", "period_start", "period_end", "grace_ends_at"),
                    *("first_failed_at", "last_paid_at", "extras_granted", "stripe_customer_id"),
                )
            },
            "subscriptions": [
                {name: value for name, value in vars(row).items() if not name.startswith("_")} for row in rows
            ],
            "published": {name: value for name, value in (published or {}).items() if name != "version"},
        }
    assert found["published"]["tier"] == account.tier
    return json.loads(json.dumps(found, default=str).replace(str(org_id), "ORG"))


async def unhandled(deps: Deps, org_id: UUID) -> list[tuple[str, str | None]]:
    """Events of the org that were neither applied nor found to be old."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        rows = await uow.session.execute(
            select(StripeEvent.event_id, StripeEvent.error).where(
                StripeEvent.event_id.contains(str(org_id)),
                StripeEvent.outcome.is_(None) | StripeEvent.outcome.not_in(("applied", "stale")),
            )
        )
        return [(row[0], row[1]) for row in rows]


class TestWithoutAKey:
    """The events' own objects, ordered by `created`, then by what they tell of each other."""

    @SOME
    @given(steps=lives, tells=st.booleans(), draw=st.data())
    async def test_any_order_of_a_life_ends_as_the_ordered_one(
        self, worker_deps: Deps, steps: list[tuple[str, int, int]], tells: bool, draw: st.DataObject
    ) -> None:
        life = await live(steps, tells_before=tells)
        order = shuffled(draw, life.events)
        pauses = draw.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)), label="applied after")
        ordered = await self._in_order(worker_deps, life)
        assert await self._otherwise(worker_deps, life, order, pauses) == ordered
        if tells:
            self._is_the_truth(life, ordered)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param("subscribe:3 seats:5 seats:4 seats:3 seats:2", id="seats up and down"),
            pytest.param("subscribe:3 plan:1 plan:2 plan:1", id="upgrade, downgrade, upgrade"),
            pytest.param("subscribe:3 fail:1 pay:1 fail:2", id="failed, recovered, failed"),
            pytest.param("subscribe:1 pay:1 delete:1 subscribe:3", id="away and back"),
        ],
    )
    async def test_every_order_of_what_happened_within_one_second_ends_the_same(
        self, worker_deps: Deps, steps: str
    ) -> None:
        planned = [(name, 0, int(number)) for name, _, number in (it.partition(":") for it in steps.split())]
        life = await live(planned)
        del life.events[4:]  # 24 orders; of more events, tests/unit/test_history.py has every order
        ordered = await self._in_order(worker_deps, life)
        for order in permutations(life.events):
            assert await self._otherwise(worker_deps, life, list(order), [True] * 4) == ordered

    async def _in_order(self, deps: Deps, life: Life) -> dict[str, Any]:
        for _, body in life.events:
            await deliver(deps, body)
            await webhook.apply_waiting(deps)
        assert await unhandled(deps, life.org_id) == []
        return await standing(deps, life.org_id)

    async def _otherwise(
        self, deps: Deps, life: Life, order: list[tuple[str, bytes]], pauses: list[bool]
    ) -> dict[str, Any]:
        other = new_id()
        for (_, body), pause in zip(order, pauses, strict=True):
            await deliver(deps, of_another_org(life, body, other))
            if pause:
                await webhook.apply_waiting(deps)
        await webhook.apply_waiting(deps)
        assert await unhandled(deps, other) == []
        return await standing(deps, other)

    @staticmethod
    def _is_the_truth(life: Life, found: dict[str, Any]) -> None:
        """With what the events tell of before, even what happened within one second ends as it did at Stripe."""
        row = next(it for it in found["subscriptions"] if it["subscription_id"].endswith(f"_{life._subscriptions}"))
        item = life.state["items"]["data"][0]
        prices = {"price_pro": "pro_monthly", "price_ent": "enterprise_monthly"}
        assert (row["status"], row["seats"], row["price"], row["cancel_at_period_end"]) == (
            life.state["status"],
            item["quantity"],
            prices[item["price"]["id"]],
            life.state["cancel_at_period_end"],
        )
        account = found["account"]
        assert account["extras_granted"] == 10 * life.bundles
        if life.state["status"] in ("past_due", "unpaid"):
            assert life.first_failed_at is not None
            assert account["first_failed_at"] == str(life.first_failed_at)
            if life.state["status"] == "past_due" and account["status"] == "past_due":
                assert account["grace_ends_at"] == str(life.first_failed_at + timedelta(days=3))
        else:
            assert account["first_failed_at"] is None

    @settings(SOME, max_examples=4)
    @given(steps=lives, draw=st.data())
    async def test_many_workers_at_once_end_as_one_does(
        self,
        worker_deps: Deps,
        other_workers: list[Deps],
        steps: list[tuple[str, int, int]],
        draw: st.DataObject,
    ) -> None:
        life = await live(steps)
        for _, body in life.events:
            await deliver(worker_deps, body)
            await webhook.apply_waiting(worker_deps)
        other = new_id()
        bodies = [of_another_org(life, body, other) for _, body in shuffled(draw, life.events)]
        await asyncio.gather(
            *(deliver(worker_deps, body) for body in bodies), *(webhook.apply_waiting(it) for it in other_workers)
        )
        await asyncio.gather(*(webhook.apply_waiting(it) for it in other_workers))
        assert await standing(worker_deps, other) == await standing(worker_deps, life.org_id)


class TestWithAKey:
    """What Stripe's API has, asked for with each event; nearly everything here happens within one second."""

    @settings(SOME, max_examples=8)
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(("seats", "plan", "fail", "pay", "cancel_at_end", "delete")), st.integers(1, 6)),
            min_size=1,
            max_size=6,
        ),
        draw=st.data(),
    )
    async def test_any_order_ends_as_the_ordered_one_and_as_it_is_at_stripe(
        self,
        stripe_server: FakeProcess,
        asking_workers: tuple[Deps, Deps],
        steps: list[tuple[str, int]],
        draw: st.DataObject,
    ) -> None:
        ordered, otherwise = asking_workers
        org_id = new_id()
        shop = AtStripe(stripe_server, org_id)
        shop.subscribe()
        for name, number in steps:
            getattr(shop, name)(number)
            if draw.draw(st.booleans(), label="hears of it at once"):
                for body in draw.draw(st.lists(st.sampled_from(shop.events()), max_size=2), label="of these"):
                    await deliver(otherwise, body)
                await webhook.apply_waiting(otherwise)
        for body in shop.events():
            await deliver(ordered, body)
            await webhook.apply_waiting(ordered)
        for body in shuffled(draw, shop.events()):
            await deliver(otherwise, body)
            await webhook.apply_waiting(otherwise)
        found = await standing(ordered, org_id)
        assert without_dates(await standing(otherwise, org_id)) == without_dates(found)
        truth = shop.state()
        row = found["subscriptions"][0]
        assert (row["status"], row["seats"], row["cancel_at_period_end"]) == (
            truth["status"],
            truth["items"]["data"][0]["quantity"],
            truth["cancel_at_period_end"],
        )


def without_dates(found: dict[str, Any]) -> dict[str, Any]:
    """Without when a subscription was last heard of: an answer is as new as its question."""
    return {**found, "subscriptions": [{**row, "as_of": None} for row in found["subscriptions"]]}


class AtStripe:
    """One org's life at the fake Stripe."""

    def __init__(self, fake: FakeProcess, org_id: UUID) -> None:
        self.fake, self.org_id = fake, org_id
        self.http = httpx.Client(base_url=fake.url, auth=("sk_test_1", ""))
        self.subscription_id = ""

    def _trigger(self, name: str, **body: Any) -> None:
        with contextlib.suppress(AssertionError):  # what the present state does not allow does nothing
            self.fake.control(f"trigger/{name}", body)

    def subscribe(self) -> None:
        self._trigger("checkout.session.completed", quantity=3, metadata={"org_id": str(self.org_id)})
        found = self.http.get("/v1/subscriptions", params={"limit": 1, "status": "all"}).json()["data"][0]
        assert found["metadata"]["org_id"] == str(self.org_id)
        self.subscription_id = found["id"]

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/v1/subscriptions/{self.subscription_id}").json()
        return found

    def events(self) -> list[bytes]:
        """All so far, in order."""
        listed = self.http.get("/v1/events", params={"limit": 100, "types[]": list(HANDLED_TYPES)}).json()["data"]
        whose = (str(self.org_id), self.subscription_id)
        bodies = [json.dumps(event) for event in reversed(listed)]
        return [body.encode() for body in bodies if any(it in body for it in whose)]

    def seats(self, number: int) -> None:
        self._trigger("customer.subscription.updated", subscription=self.subscription_id, quantity=number)

    def plan(self, number: int) -> None:
        price = ("price_pro_monthly", "price_enterprise_monthly")[number % 2]
        self._trigger("customer.subscription.updated", subscription=self.subscription_id, price=price)

    def fail(self, number: int) -> None:
        self._trigger("invoice.payment_failed", subscription=self.subscription_id)

    def pay(self, number: int) -> None:
        self._trigger("invoice.paid", subscription=self.subscription_id)

    def delete(self, number: int) -> None:
        self._trigger("customer.subscription.deleted", subscription=self.subscription_id)

    def cancel_at_end(self, number: int) -> None:
        wanted = {"cancel_at_period_end": "true" if number % 2 else "false"}
        self.http.post(f"/v1/subscriptions/{self.subscription_id}", data=wanted)


@pytest.fixture
async def asking_workers(
    stripe_settings: Callable[..., Settings], database: Any, service_database: Any, stripe_server: FakeProcess
) -> AsyncIterator[tuple[Deps, Deps]]:
    """Two, each with a database of its own, so that the same events can reach one org twice."""
    stripe_server.control("faults", {"drop": 1_000_000})
    async with (
        open_deps(stripe_settings(database.worker_url)) as one,
        open_deps(stripe_settings(service_database("billing").worker_url)) as other,
    ):
        yield one, other


@pytest.fixture
async def other_workers(
    make_settings: Callable[..., Settings], clock: FrozenClock, database: Any
) -> AsyncIterator[list[Deps]]:
    made = make_settings(database.worker_url, database_pool_size=4)
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_deps(made, clock=clock)) for _ in range(3)]
