"""Several events that wait together: those of an org are applied in one transaction, and none at the others' mercy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from billing.deps import Deps
from billing.models import StripeEvent
from billing.repository import BillingRepository
from billing.service import applying, webhook
from billing.stripe_events import StripeEventRepository
from billing.stripe_objects import Event
from billing.testing import NOW, stripe_event, subscription
from common.db import Tenant
from common.ids import new_id


async def store(deps: Deps, *bodies: bytes) -> list[str]:
    for body in bodies:
        await webhook.store(deps, Event.parse(body), body)
    return [Event.parse(body).id for body in bodies]


async def rows(deps: Deps, event_ids: list[str]) -> list[StripeEvent]:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = [await StripeEventRepository(uow).find(event_id) for event_id in event_ids]
    return [row for row in found if row is not None]


async def outcomes(deps: Deps, event_ids: list[str]) -> list[tuple[str | None, str | None]]:
    return [(row.outcome, row.reason) for row in await rows(deps, event_ids)]


async def seats(deps: Deps, org_id: UUID) -> int | None:
    async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        row = await BillingRepository(uow, org_id).subscriptions.find(f"sub_{org_id}")
        return row.seats if row is not None else None


def updated(org_id: UUID, second: int, **changes: Any) -> bytes:
    return stripe_event(
        "customer.subscription.updated", subscription(org_id, **changes), created=NOW + timedelta(seconds=second)
    )


def unreadable_by_postgres(org_id: UUID, second: int) -> bytes:
    """Sound for Stripe's documentation, and no text that PostgreSQL can hold: what nobody has thought of yet."""
    coupon = {"source": {"coupon": {"id": "co_1", "name": "ten\0percent"}}}
    return updated(org_id, second, quantity=9, discounts=[coupon])


async def test_one_that_is_parked_leaves_the_others_alone(worker_deps: Deps, org_id: UUID) -> None:
    ids = await store(
        worker_deps,
        updated(org_id, 1, quantity=2),
        updated(org_id, 2, price="price_of_nobody"),
        updated(org_id, 3, quantity=-4),
        updated(org_id, 4, quantity=5),
    )
    await webhook.apply_waiting(worker_deps)
    assert await outcomes(worker_deps, ids) == [
        ("applied", None),
        ("parked", "unknown_price"),
        ("parked", "bad_quantity"),
        ("applied", None),
    ]
    assert await seats(worker_deps, org_id) == 5


async def test_one_that_fails_leaves_the_others_alone_and_is_tried_again(worker_deps: Deps, org_id: UUID) -> None:
    other = new_id()
    ids = await store(
        worker_deps,
        updated(org_id, 1, quantity=2),
        unreadable_by_postgres(org_id, 2),
        updated(org_id, 3, quantity=5),
        updated(other, 4, quantity=3),
    )
    await webhook.apply_waiting(worker_deps)
    assert await outcomes(worker_deps, ids) == [("applied", None), (None, None), ("applied", None), ("applied", None)]
    assert (await seats(worker_deps, org_id), await seats(worker_deps, other)) == (5, 3)
    failed = (await rows(worker_deps, ids))[1]
    assert failed.attempts == 1
    assert failed.claimed_until is not None, "it waits before it is tried again"


async def test_an_account_is_not_opened_for_what_is_parked(worker_deps: Deps, org_id: UUID) -> None:
    await store(worker_deps, updated(org_id, 1, price="price_of_nobody"))
    await webhook.apply_waiting(worker_deps)
    async with worker_deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
        assert await BillingRepository(uow, org_id).find_account() is None


async def test_an_event_may_tell_whose_customer_another_is_that_waits_beside_it(
    worker_deps: Deps, org_id: UUID
) -> None:
    customer = f"cus_{org_id}"
    nameless = {"id": f"in_{org_id}", "customer": customer, "created": int(NOW.timestamp())}
    checkout = {
        "id": f"cs_{org_id}",
        "mode": "payment",
        "payment_status": "paid",
        "customer": customer,
        "metadata": {"org_id": str(org_id), "price": "bundle_10"},
    }
    ids = await store(
        worker_deps,
        stripe_event("invoice.payment_failed", nameless, created=NOW),
        stripe_event("checkout.session.completed", checkout, created=NOW + timedelta(seconds=1)),
    )
    await webhook.apply_waiting(worker_deps)
    assert await outcomes(worker_deps, ids) == [("applied", None), ("applied", None)]


async def test_what_there_is_no_time_for_is_given_back(worker_deps: Deps, org_id: UUID) -> None:
    ids = await store(worker_deps, updated(org_id, 1))
    async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
        claimed = await StripeEventRepository(uow).claim(10)
        await uow.commit()
    assert [row.event_id for row in claimed] == ids
    assert await applying.apply_all(worker_deps, [Event.parse(row.body) for row in claimed], until=0) == {}
    async with worker_deps.db.unit_of_work(Tenant.none()) as uow:
        await StripeEventRepository(uow).give_back(ids)
        await uow.commit()
    row = (await rows(worker_deps, ids))[0]
    assert (row.attempts, row.claimed_until, row.outcome) == (0, None, None)
    await webhook.apply_waiting(worker_deps)
    assert await outcomes(worker_deps, ids) == [("applied", None)]
