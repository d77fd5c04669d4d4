"""Comparing with Stripe, when webhooks get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

import billing.stripe
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.models import Account
from billing.service import reconcile
from billing.settings import Settings
from common.db import Tenant
from common.ids import new_id
from stripe_fake.testing import FakeProcess, Receiver

pytestmark = pytest.mark.integration


@pytest.fixture
async def deps(
    stripe_settings: Callable[..., Settings], database: Any, stripe_server: FakeProcess
) -> AsyncIterator[Deps]:
    """A worker; nothing was compared yet, Stripe is empty, and every webhook is dropped."""
    stripe_server.control("reset")
    stripe_server.control("faults", {"drop": 1_000_000})
    async with open_deps(stripe_settings(database.worker_url)) as deps:
        await due(deps, since=None, newest=None, cursor=None)
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("DELETE FROM stripe_subscriptions"))  # of the tests before
            await uow.commit()
        yield deps


async def due(deps: Deps, *names: str, **values: Any) -> None:
    """Has the comparisons (all, or those named) be due now."""
    changes = "".join(f", {name} = :{name}" for name in values)
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        await uow.session.execute(
            text(f"UPDATE reconciliations SET due_at = now() - interval '1 second'{changes} WHERE name = ANY(:names)"),
            {"names": list(names or ("events", "subscriptions")), **values},
        )
        await uow.commit()


async def account(deps: Deps, org_id: UUID) -> Account:
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        found = await uow.session.get(Account, org_id)
    assert found is not None
    return found


def buy(fake: FakeProcess, price_id: str = "price_pro_monthly", quantity: int = 3, **metadata: str) -> UUID:
    org_id = new_id()
    noted = {"org_id": str(org_id), **metadata}
    fake.control("trigger/checkout.session.completed", {"price": price_id, "quantity": quantity, "metadata": noted})
    return org_id


def subscription_of(fake: FakeProcess, org_id: UUID) -> str:
    listed = httpx.get(f"{fake.url}/v1/subscriptions", params={"limit": 100}, auth=("sk_test_1", "")).json()["data"]
    return next(it["id"] for it in listed if it["metadata"]["org_id"] == str(org_id))


def runs() -> float:
    outcomes = ("done", "partial", "failed")
    return sum(
        REGISTRY.get_sample_value("bidwright_stripe_reconcile_runs_total", {"outcome": it}) or 0 for it in outcomes
    )


class TestEveryWebhookDropped:
    async def test_one_run_makes_every_entitlement_right(
        self, deps: Deps, stripe_server: FakeProcess, receiver: Receiver
    ) -> None:
        receiver.received.clear()
        pro, late, gone = buy(stripe_server), buy(stripe_server), buy(stripe_server)
        extras = buy(stripe_server, "price_bundle_10", 1, price="bundle_10")
        stripe_server.control("trigger/invoice.payment_failed", {"subscription": subscription_of(stripe_server, late)})
        await reconcile.run_due(deps)
        stripe_server.control(
            "trigger/customer.subscription.deleted", {"subscription": subscription_of(stripe_server, gone)}
        )
        assert (await account(deps, gone)).tier == "pro"
        await due(deps)
        await reconcile.run_due(deps)
        assert receiver.received == []
        assert ((await account(deps, pro)).tier, (await account(deps, pro)).limits["seats"]) == ("pro", 3)
        owing = await account(deps, late)
        assert (owing.tier, owing.status) == ("pro", "past_due")
        assert owing.first_failed_at is not None
        assert ((await account(deps, gone)).tier, (await account(deps, gone)).status) == ("free", "canceled")
        assert (await account(deps, extras)).extras_granted == 10

    async def test_subscriptions_alone_are_enough_where_the_events_are_gone_as_well(
        self, deps: Deps, stripe_server: FakeProcess
    ) -> None:
        org_id, gone = buy(stripe_server), buy(stripe_server)
        await due(deps, "events", newest=None)
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            await uow.session.execute(text("UPDATE reconciliations SET due_at = now() + '1 day' WHERE name = 'events'"))
            await uow.commit()
        await reconcile.run_due(deps)
        assert (await account(deps, org_id)).limits["seats"] == 3
        sub = subscription_of(stripe_server, org_id)
        stripe_server.control("trigger/customer.subscription.updated", {"subscription": sub, "quantity": 7})
        stripe_server.control(
            "trigger/customer.subscription.deleted", {"subscription": subscription_of(stripe_server, gone)}
        )
        await due(deps, "subscriptions")
        await reconcile.run_due(deps)
        assert (await account(deps, org_id)).limits["seats"] == 7
        assert (await account(deps, gone)).tier == "free"

    async def test_a_second_run_finds_nothing(self, deps: Deps, stripe_server: FakeProcess) -> None:
        org_id = buy(stripe_server)
        await reconcile.run_due(deps)
        version = (await account(deps, org_id)).entitlements_version
        findings = await reconcile.run_now(deps, dry_run=False)
        assert (findings.missed_events, findings.changes) == ([], [])
        assert (await account(deps, org_id)).entitlements_version == version


class TestManyWorkers:
    async def test_those_that_race_do_it_once(
        self,
        deps: Deps,
        stripe_settings: Callable[..., Settings],
        database: Any,
        stripe_server: FakeProcess,
    ) -> None:
        orgs = [buy(stripe_server) for _ in range(5)]
        async with AsyncExitStack() as stack:
            made = stripe_settings(database.worker_url, database_pool_size=3)
            workers = [await stack.enter_async_context(open_deps(made)) for _ in range(6)]
            before = runs()
            await asyncio.gather(*(reconcile.run_due(it) for it in workers))
            assert runs() - before == 2, "the events once, the subscriptions once"
            # And should two do it at the same time all the same, nothing happens twice.
            await asyncio.gather(*(reconcile.run_now(it, dry_run=False) for it in workers[:3]))
        for org_id in orgs:
            found = await account(deps, org_id)
            assert (found.tier, found.subscription_version) == ("pro", 1)

    async def test_one_that_died_in_the_middle_is_followed_by_one_that_goes_on_where_it_was(
        self, deps: Deps, stripe_settings: Callable[..., Settings], database: Any, stripe_server: FakeProcess,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(billing.stripe, "LISTED", 2)
        orgs = [buy(stripe_server) for _ in range(5)]
        async with open_deps(stripe_settings(database.worker_url, reconcile_max_calls=2)) as bounded:
            async with bounded.db.unit_of_work(Tenant.none()) as uow:
                await uow.session.execute(
                    text("UPDATE reconciliations SET due_at = now() + '1 day' WHERE name = 'events'")
                )
                await uow.commit()
            before = 0
            for _ in range(10):
                await due(bounded, "subscriptions")
                await reconcile.run_due(bounded)
                known = [await self._tier(bounded, org_id) for org_id in orgs]
                assert known.count("pro") >= before
                before = known.count("pro")
                if before == len(orgs):
                    break
            assert before == len(orgs)

    @staticmethod
    async def _tier(deps: Deps, org_id: UUID) -> str:
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            found = await uow.session.get(Account, org_id)
        return found.tier if found else "none"


class TestBounds:
    async def test_a_dry_run_tells_and_changes_nothing(self, deps: Deps, stripe_server: FakeProcess) -> None:
        org_id = buy(stripe_server)
        findings = await reconcile.run_now(deps, dry_run=True)
        assert [it.org_id for it in findings.changes] == [org_id]
        assert "customer.subscription.created" in {kind for _, kind in findings.missed_events}
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            assert await uow.session.get(Account, org_id) is None
        assert len((await reconcile.run_now(deps, dry_run=True)).changes) == 1

    async def test_one_org_is_compared_by_itself(self, deps: Deps, stripe_server: FakeProcess) -> None:
        one, other = buy(stripe_server), buy(stripe_server)
        await reconcile.run_now(deps, dry_run=False)
        for org_id in (one, other):
            sub = subscription_of(stripe_server, org_id)
            stripe_server.control("trigger/customer.subscription.updated", {"subscription": sub, "quantity": 9})
        findings = await reconcile.run_org(deps, one, dry_run=False)
        assert [(it.before or {})["seats"] for it in findings.changes] == [3]
        assert (await account(deps, one)).limits["seats"] == 9
        assert (await account(deps, other)).limits["seats"] == 3

    async def test_without_a_key_nothing_is_done(
        self, make_settings: Callable[..., Settings], database: Any, deps: Deps
    ) -> None:
        async with open_deps(make_settings(database.worker_url)) as keyless:
            before = runs()
            await reconcile.run_due(keyless)
            assert runs() == before

    async def test_stripe_away_is_no_crash_and_comes_up_again(
        self, stripe_settings: Callable[..., Settings], database: Any, deps: Deps
    ) -> None:
        async with open_deps(stripe_settings(database.worker_url, stripe_api_base="http://127.0.0.1:9")) as cut_off:
            await reconcile.run_due(cut_off)
        await due(deps)
        before = runs()
        await reconcile.run_due(deps)
        assert runs() - before == 2

    async def test_a_subscription_that_is_no_orgs_is_told_and_left_alone(
        self, deps: Deps, stripe_server: FakeProcess
    ) -> None:
        stripe_server.control("trigger/checkout.session.completed", {"price": "price_pro_monthly"})
        findings = await reconcile.run_now(deps, dry_run=False)
        assert [reason for _, reason in findings.left_alone] == ["unknown_customer"]
