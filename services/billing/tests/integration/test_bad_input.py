"""Whatever is posted to the webhook: the contract's refusal, or an event that is parked with a reason, which an
operator sees and can replay. Never a 500, never a change, never silence."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from billing.app import create_app
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.handlers import EVENT_HANDLERS
from billing.models import Account, StripeEvent
from billing.operate import events as operate
from billing.service import webhook
from billing.settings import Settings
from billing.testing import sign, stripe_event, subscription
from common.clock import FrozenClock
from common.db import Tenant
from common.health import Health
from common.ids import new_id
from common.inbox import Consumer
from common.testing import IdentityIssuer
from contracts.gateway import OrgDeleted
from stripe_fake.testing import FakeProcess

pytestmark = pytest.mark.integration

STRICT = {"stripe_currencies": "usd,eur", "stripe_account_id": "acct_ours"}


@pytest.fixture
async def deps(make_settings: Callable[..., Settings], clock: FrozenClock, database: Any) -> AsyncIterator[Deps]:
    async with open_deps(make_settings(database.worker_url, **STRICT), clock=clock) as deps:
        yield deps


@pytest.fixture
async def patient(
    make_settings: Callable[..., Settings], clock: FrozenClock, issuer: IdentityIssuer
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is shown a 500 instead of the exception."""
    settings = make_settings()
    app = create_app(settings, open_deps(settings, clock=clock), health=Health(), verifier=issuer.verifier)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://billing"
        ) as client,
    ):
        yield client


async def count(deps: Deps) -> int:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        return await uow.session.scalar(select(func.count()).select_from(StripeEvent)) or 0


async def row(deps: Deps, body: bytes) -> StripeEvent:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = await uow.session.get(StripeEvent, json.loads(body)["id"])
    assert found is not None
    return found


async def tier(deps: Deps, org_id: UUID) -> str | None:
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        found = await uow.session.get(Account, org_id)
    return found.tier if found else None


async def report(deps: Deps, body: bytes) -> StripeEvent:
    await webhook.deliver(deps, body=body, signature=sign(body))
    await webhook.apply_waiting(deps)
    return await row(deps, body)


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def event(org_id: UUID, **changes: Any) -> bytes:
    """A subscription event about the org, with changes to the subscription; those named `event_*` to the event."""
    own = {name.removeprefix("event_"): changes.pop(name) for name in list(changes) if name.startswith("event_")}
    return stripe_event("customer.subscription.updated", subscription(org_id, **changes), **own)


GOOD = event(new_id())
REFUSED: dict[str, tuple[bytes, Callable[[bytes], str | None], int, str]] = {
    "unsigned": (GOOD, lambda _: None, 400, "invalid_signature"),
    "signed with another secret": (GOOD, lambda it: sign(it, secret="whsec_other"), 400, "invalid_signature"),
    "signed for another body": (GOOD, lambda it: sign(it + b" "), 400, "invalid_signature"),
    "six minutes old": (GOOD, lambda it: sign(it, at=time.time() - 360), 400, "invalid_signature"),
    "two minutes ahead": (GOOD, lambda it: sign(it, at=time.time() + 120), 400, "invalid_signature"),
    "a time stamp that is no number": (GOOD, lambda _: "t=soon,v1=00", 400, "invalid_signature"),
    "a time stamp twice": (GOOD, lambda it: sign(it, at=1) + "," + sign(it), 400, "invalid_signature"),
    "not UTF-8": (b'{"id":"\xff"}', sign, 400, "invalid_signature"),
    "truncated": (GOOD[:-20], sign, 400, "invalid_payload"),
    "empty": (b"", sign, 400, "invalid_payload"),
    "5 MB": (b"x" * 5_000_000, sign, 413, "body_too_large"),
    **{
        name: (body, sign, 400, "invalid_payload")
        for name, body in {
            "a list": b"[]",
            "a NUL in its id": stripe_event("invoice.paid", {}, event_id="evt_\x00"),
            "a NUL in its type": stripe_event("invoice.\x00", {}),
            "an id of a megabyte's tenth": stripe_event("invoice.paid", {}, event_id="e" * 100_000),
            "nested a hundred thousand deep": b'{"id":"evt_1","type":"x","created":1,"data":{"object":'
            + b'{"a":' * 50_000,
            "dated with a word": b'{"id":"evt_1","type":"x","created":"soon","data":{"object":{}}}',
            "dated beyond the calendar": b'{"id":"evt_1","type":"x","created":99999999999999999,"data":{"object":{}}}',
            "an object that is none": b'{"id":"evt_1","type":"x","created":1,"data":{"object":"x"}}',
        }.items()
    },
}


class TestRefused:
    @pytest.mark.parametrize("case", REFUSED)
    async def test_it_is_refused_as_the_contract_says_and_leaves_nothing(
        self, patient: httpx.AsyncClient, deps: Deps, case: str
    ) -> None:
        body, signature, status, error = REFUSED[case]
        before, counted = await count(deps), metric("bidwright_stripe_deliveries_total", outcome=error)
        header = signature(body)
        headers = {"stripe-signature": header} if header is not None else {}
        answer = await patient.post("/api/stripe/webhook", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert await count(deps) == before
        if status == 400:
            assert metric("bidwright_stripe_deliveries_total", outcome=error) == counted + 1


ORG = new_id()
BUNDLE = {"id": "in_1", "customer": f"cus_{ORG}", "created": 1, "metadata": {"org_id": str(ORG)}}
PARKED: dict[str, tuple[Callable[[], bytes], str]] = {
    "of another account": (lambda: event(ORG, event_account="acct_other"), "wrong_account"),
    "of a customer that nobody is": (lambda: event(ORG, metadata={}, customer="cus_stranger"), "unknown_customer"),
    "of no customer": (lambda: event(ORG, metadata={}, customer=None), "unknown_customer"),
    "an org that is no id": (
        lambda: event(ORG, metadata={"org_id": "1; DROP TABLE"}, customer="cus_x"),
        "unknown_customer",
    ),
    "a price that is not ours": (lambda: event(ORG, price="price_elsewhere"), "unknown_price"),
    "a bundle's price for a plan": (lambda: event(ORG, price="price_b10"), "unknown_price"),
    "no items": (lambda: event(ORG, items={"object": "list", "data": []}), "unknown_price"),
    "no seats": (lambda: event(ORG, quantity=0), "bad_quantity"),
    "negative seats": (lambda: event(ORG, quantity=-3), "bad_quantity"),
    "a billion seats": (lambda: event(ORG, quantity=1_000_000_000), "bad_quantity"),
    "seats past a bigint": (lambda: event(ORG, quantity=10**30), "bad_quantity"),
    "half a seat": (lambda: event(ORG, quantity=1.5), "unreadable"),
    "an id that is a number": (lambda: event(ORG, id=5), "unreadable"),
    "a NUL in its id": (lambda: event(ORG, id="sub_\x00"), "unreadable"),
    "a foreign currency": (lambda: event(ORG, currency="xaf"), "foreign_currency"),
    "an invoice in a foreign currency": (
        lambda: stripe_event("invoice.paid", {**BUNDLE, "currency": "xaf"}),
        "foreign_currency",
    ),
    "an invoice for what we do not sell": (
        lambda: stripe_event(
            "invoice.paid",
            {**BUNDLE, "lines": {"data": [{"quantity": 1, "pricing": {"price_details": {"price": "price_hat"}}}]}},
        ),
        "unknown_price",
    ),
    "minus five bundles": (
        lambda: stripe_event(
            "invoice.paid",
            {**BUNDLE, "lines": {"data": [{"quantity": -5, "pricing": {"price_details": {"price": "price_b10"}}}]}},
        ),
        "bad_quantity",
    ),
    "a session for what we do not sell": (
        lambda: stripe_event(
            "checkout.session.completed",
            {"id": "cs_1", "mode": "payment", "payment_status": "paid", "metadata": {"org_id": str(ORG)}},
        ),
        "unknown_price",
    ),
    "an invoice that is none": (lambda: stripe_event("invoice.paid", {"id": "in_1"}), "unreadable"),
}


class TestParked:
    @pytest.mark.parametrize("case", PARKED)
    async def test_it_is_kept_with_a_reason_changes_nothing_and_can_be_replayed(
        self, patient: httpx.AsyncClient, deps: Deps, case: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make, reason = PARKED[case]
        body, before = make(), await tier(deps, ORG)
        counted = metric("bidwright_stripe_events_handled_total", outcome="parked", reason=reason)
        answer = await patient.post("/api/stripe/webhook", content=body, headers={"stripe-signature": sign(body)})
        assert answer.status_code == 200
        await webhook.apply_waiting(deps)
        found = await row(deps, body)
        assert (found.outcome, found.reason) == ("parked", reason)
        assert found.error
        assert await tier(deps, ORG) == before
        assert metric("bidwright_stripe_events_handled_total", outcome="parked", reason=reason) == counted + 1
        assert "stripe.parked" in capsys.readouterr().out
        await webhook.measure(deps)
        assert metric("bidwright_stripe_events_parked") >= 1
        # It is still wrong, so it is parked again: replaying is no way round the check.
        assert await operate.replay(deps, [found.event_id], dry_run=False) == 0
        assert (await row(deps, body)).outcome == "parked"

    async def test_an_event_of_our_own_account_and_currency_is_applied(self, deps: Deps, org_id: UUID) -> None:
        body = event(org_id, currency="EUR", event_account="acct_ours")
        assert (await report(deps, body)).outcome == "applied"

    async def test_once_its_cause_is_gone_a_replay_applies_it(
        self, deps: Deps, org_id: UUID, make_settings: Callable[..., Settings], clock: FrozenClock, database: Any
    ) -> None:
        body = event(org_id, price="price_new")
        parked = await report(deps, body)
        assert (parked.reason, await tier(deps, org_id)) == ("unknown_price", None)
        settings = make_settings(database.worker_url, price_pro_yearly="price_new")
        async with open_deps(settings, clock=clock) as mended:
            await operate.replay(mended, [parked.event_id], dry_run=True)
            assert ((await row(deps, body)).outcome, await tier(deps, org_id)) == ("parked", None)
            await operate.replay(mended, [parked.event_id], dry_run=False)
        assert ((await row(deps, body)).outcome, await tier(deps, org_id)) == ("applied", "pro")

    async def test_one_that_is_parked_holds_up_no_other(self, deps: Deps, org_id: UUID) -> None:
        bad, good = event(org_id, id=5), event(org_id)
        for body in (bad, good):
            await webhook.deliver(deps, body=body, signature=sign(body))
        await webhook.apply_waiting(deps)
        assert await tier(deps, org_id) == "pro"

    async def test_an_end_is_believed_whatever_else_is_wrong_with_it(self, deps: Deps, org_id: UUID) -> None:
        await report(deps, event(org_id))
        odd = event(org_id, status="canceled", price="price_elsewhere", quantity=0)
        assert (await report(deps, odd)).outcome == "applied"
        assert await tier(deps, org_id) == "free"

    async def test_a_subscription_does_not_move_to_another_org(self, deps: Deps, org_id: UUID) -> None:
        await report(deps, event(org_id))
        found = await report(deps, event(org_id, metadata={"org_id": str(new_id())}))
        assert (found.outcome, found.reason) == ("parked", "org_conflict")


class TestDeletedOrg:
    async def test_money_that_is_still_taken_is_parked_and_its_end_is_only_noted(
        self, deps: Deps, org_id: UUID
    ) -> None:
        await report(deps, event(org_id))
        deleted = OrgDeleted.model_validate({**OrgDeleted.EXAMPLE, "org_id": org_id, "version": 1})
        await Consumer(deps.db, deps.bus, EVENT_HANDLERS, deps).apply(deleted, new_id())
        found = await report(deps, event(org_id))
        assert (found.outcome, found.reason) == ("parked", "org_deleted")
        ended = await report(deps, event(org_id, status="canceled"))
        assert (ended.outcome, ended.reason) == ("ignored", "org_deleted")
        assert await tier(deps, org_id) is None


class TestWithAKey:
    @pytest.mark.parametrize(
        ("key", "expected"),
        [("sk_live_1", ("parked", "unknown_at_stripe", None)), ("sk_test_1", ("applied", None, "pro"))],
    )
    async def test_what_stripe_does_not_know_is_believed_where_no_money_is_moved(
        self,
        stripe_settings: Callable[..., Settings],
        clock: FrozenClock,
        database: Any,
        org_id: UUID,
        key: str,
        expected: tuple[str, str | None, str | None],
    ) -> None:
        async with open_deps(stripe_settings(database.worker_url, stripe_secret_key=key), clock=clock) as deps:
            body = event(org_id, price="price_pro_monthly", event_livemode=key.startswith("sk_live"))
            await webhook.store(deps, webhook.Event.parse(body), body)
            await webhook.apply_waiting(deps)
            found = await row(deps, body)
            assert (found.outcome, found.reason, await tier(deps, org_id)) == expected

    async def test_a_test_event_moves_nothing_where_the_key_is_live(
        self, stripe_settings: Callable[..., Settings], clock: FrozenClock, database: Any, org_id: UUID
    ) -> None:
        async with open_deps(stripe_settings(database.worker_url, stripe_secret_key="sk_live_1"), clock=clock) as deps:
            body = event(org_id, event_livemode=False)
            await webhook.store(deps, webhook.Event.parse(body), body)
            await webhook.apply_waiting(deps)
            assert (await row(deps, body)).reason == "wrong_mode"

    async def test_while_stripe_is_away_events_wait(
        self, stripe_settings: Callable[..., Settings], clock: FrozenClock, database: Any, stripe_server: FakeProcess
    ) -> None:
        org_id = new_id()
        made = stripe_settings(database.worker_url, stripe_api_base="http://127.0.0.1:9")
        async with open_deps(made, clock=clock) as deps:
            body = event(org_id, price="price_pro_monthly")
            await webhook.store(deps, webhook.Event.parse(body), body)
            await webhook.apply_waiting(deps)
            found = await row(deps, body)
            assert (found.handled_at, found.outcome) == (None, None)
            await webhook.measure(deps)
            assert metric("bidwright_stripe_events_waiting") >= 1
