"""A storm of webhooks while the workers, real processes, are killed: none lost, none applied twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from billing.deps import Deps
from billing.models import Account, CreditGrant, StripeEvent, Subscription
from billing.service import webhook
from billing.stripe_objects import Event
from billing.testing import Life
from common.db import Tenant
from common.ids import new_id
from common.plumbing import OutboxRow

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORGS = int(os.environ.get("BIDWRIGHT_STORM_ORGS", "36"))
"""36 make 500 events, within what CI has; 715 make 10,000."""
STEPS = ("subscribe:3", "bundle:1", "seats:5", "fail:1", "pay:1", "seats:4", "bundle:1", "fail:2")  # 14 events
KILLS = 8
WORKERS = 2


class Workers:
    """Processes of billing's worker, which can be killed."""

    def __init__(self, env: dict[str, str], logs: Path) -> None:
        self._env, self._logs = env, logs
        self._running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self) -> None:
        self.started += 1
        with (self._logs / f"worker-{self.started}.log").open("wb") as log:
            argv = [sys.executable, "-m", "billing.main", "worker"]
            self._running.append(subprocess.Popen(argv, env=self._env, stdout=log, stderr=log))

    def kill_one(self) -> None:
        victim = self._running.pop(random.randrange(len(self._running)))
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    def stop(self) -> None:
        while self._running:
            self.kill_one()


@pytest.fixture
async def workers(database: Any, nats_url: Any, tmp_path: Path) -> AsyncIterator[Workers]:
    env = {
        **os.environ,
        "SECRET_KEY": "k" * 32,
        "PORT": "0",
        "DATABASE_URL": database.worker_url,
        "DATABASE_POOL_SIZE": "6",
        "NATS_URL": nats_url("billing"),
        "PRICE_PRO_MONTHLY": "price_pro",
        "PRICE_ENTERPRISE_MONTHLY": "price_ent",
        "PRICE_BUNDLE_10": "price_b10",
    }
    made = Workers(env, tmp_path)
    yield made
    made.stop()


async def left(deps: Deps) -> int:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        return await uow.session.scalar(text("SELECT count(*) FROM stripe_events WHERE handled_at IS NULL")) or 0


async def let_a_minute_pass(deps: Deps) -> None:
    """What a dead worker has claimed is anybody's after a minute; the test does not wait for it."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        await uow.session.execute(text("UPDATE stripe_events SET claimed_until = NULL WHERE handled_at IS NULL"))
        await uow.commit()


async def send(deps: Deps, bodies: list[bytes]) -> None:
    for body in bodies:
        await webhook.store(deps, Event.parse(body), body)


async def test_every_event_has_its_effect_once(worker_deps: Deps, workers: Workers) -> None:
    lives = [Life(new_id()) for _ in range(ORGS)]
    for life in lives:
        for name, _, number in (it.partition(":") for it in STEPS):
            life.step(name, 3600, int(number))
    bodies = [body for life in lives for _, body in life.events]
    bodies += random.sample(bodies, len(bodies) // 10)  # Stripe sends some twice
    random.shuffle(bodies)
    for _ in range(WORKERS):
        workers.start()
    quarters = [bodies[it::4] for it in range(4)]
    storm = asyncio.gather(*(send(worker_deps, it) for it in quarters))
    killed, before = 0, len(bodies)
    while killed < KILLS or not storm.done() or await left(worker_deps):
        await asyncio.sleep(2)
        remaining = await left(worker_deps)
        if killed < KILLS and remaining < before:  # only in the middle of work, so that something is torn
            workers.kill_one()
            workers.start()
            killed += 1
        elif storm.done():
            await let_a_minute_pass(worker_deps)
        before = remaining or len(bodies)
        if storm.done() and not remaining:
            break
    await storm
    assert killed >= KILLS // 2, "the workers were killed while there was work"
    for life in lives:
        await _has_had_its_effect_once(worker_deps, life)


async def _has_had_its_effect_once(deps: Deps, life: Life) -> None:
    async with deps.db.unit_of_work(Tenant(org_id=life.org_id)) as uow:
        outcomes = await uow.session.scalars(select(StripeEvent.outcome).where(StripeEvent.org_id == life.org_id))
        account = await uow.session.get(Account, life.org_id)
        row = await uow.session.scalar(select(Subscription))
        grants = (await uow.session.scalars(select(CreditGrant.credits))).all()
        told = (await uow.session.scalars(select(OutboxRow).where(OutboxRow.org_id == life.org_id))).all()
    counted = Counter(outcomes)
    assert counted.total() == len(life.events)
    assert set(counted) <= {"applied", "stale"}
    assert account is not None
    assert row is not None
    assert (row.status, row.seats) == ("past_due", 4)
    assert account.first_failed_at == life.first_failed_at
    assert (account.extras_granted, list(grants)) == (20, [10, 10])
    facts = Counter(message.subject for message in told)
    assert facts["events.billing.credits.granted"] == 2
    assert facts["events.billing.payment.failed"] <= 2
    versions = [it.body["version"] for it in told if it.subject == "events.billing.entitlements.changed"]
    assert sorted(versions) == list(range(1, len(versions) + 1))
    assert account.entitlements_version == len(versions)
