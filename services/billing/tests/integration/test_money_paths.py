"""What is paid, and that it is paid once: by the real SDK, at a Stripe that listens on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import stripe

from billing.app import create_app
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.handlers import EVENT_HANDLERS
from billing.service import webhook
from billing.settings import Settings
from common.clock import SystemClock
from common.health import Health
from common.ids import new_id
from common.inbox import Consumer
from common.testing import IdentityIssuer
from contracts.gateway import MemberAdded
from stripe_fake.testing import FakeProcess, Receiver, make_client

from .paying import pass_on, pay, subscribe

pytestmark = pytest.mark.integration

Headers = dict[str, str]


@pytest.fixture
def at_stripe(stripe_server: FakeProcess) -> stripe.StripeClient:
    return make_client(stripe_server, "sk_test_1")


@pytest.fixture
def open_shop(stripe_settings: Callable[..., Settings], issuer: IdentityIssuer) -> Callable[..., Any]:
    """Billing with other settings, by the machine's clock."""

    @asynccontextmanager
    async def make(**changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        made = stripe_settings(**changes)
        app = create_app(made, open_deps(made, clock=SystemClock()), health=Health(), verifier=issuer.verifier)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing", timeout=60) as client,
        ):
            yield client

    return make


async def customer_of(client: httpx.AsyncClient, at_stripe: stripe.StripeClient, headers: Headers, org: UUID) -> str:
    """The org's customer, once it has one."""
    found = await asyncio.to_thread(at_stripe.v1.customers.list, {"limit": 100})
    return next(it.id for it in found.data if it.metadata and it.metadata.to_dict().get("org_id") == str(org))


async def order(client: httpx.AsyncClient, headers: Headers, **body: Any) -> httpx.Response:
    return await client.post("/api/billing/checkout", json={"price": "pro_monthly", **body}, headers=headers)


async def add_members(deps: Deps, org_id: UUID, count: int) -> None:
    consumer = Consumer(deps.db, deps.bus, EVENT_HANDLERS, deps)
    for _ in range(count):
        event = MemberAdded.model_validate({**MemberAdded.EXAMPLE, "org_id": org_id, "user_id": new_id()})
        await consumer.apply(event, new_id())


class TestOneSubscription:
    async def test_thirty_clicks_at_once_open_one_page(
        self, shop: httpx.AsyncClient, headers: Headers, at_stripe: stripe.StripeClient, org_id: UUID
    ) -> None:
        answers = await asyncio.gather(*(order(shop, headers, seats=2) for _ in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["session_id"] for answer in answers}) == 1
        customer = await customer_of(shop, at_stripe, headers, org_id)
        listed = await asyncio.to_thread(at_stripe.v1.checkout.sessions.list, {"customer": customer})
        assert len(listed.data) == 1

    async def test_of_two_windows_with_other_plans_the_first_page_is_useless(
        self, shop: httpx.AsyncClient, headers: Headers
    ) -> None:
        first = (await order(shop, headers)).json()
        second = (await order(shop, headers, price="pro_yearly")).json()
        assert first["session_id"] != second["session_id"]
        assert (await pay(first["url"])).status_code != 303
        assert (await pay(second["url"])).status_code == 303

    async def test_other_seats_or_another_code_is_another_page(self, shop: httpx.AsyncClient, headers: Headers) -> None:
        pages = [(await order(shop, headers, seats=seats)).json()["session_id"] for seats in (1, 2, 2, 1)]
        assert pages[1] == pages[2]
        assert len(set(pages)) == 3, "a page that was closed does not come back"

    async def test_who_has_paid_is_not_sold_a_second_plan_though_no_webhook_came(
        self, shop: httpx.AsyncClient, headers: Headers, receiver: Receiver
    ) -> None:
        assert (await pay((await order(shop, headers)).json()["url"])).status_code == 303
        receiver.received.clear()
        again = await order(shop, headers, price="enterprise_monthly")
        assert (again.status_code, again.json()["reason"]) == (409, "already_subscribed")

    async def test_a_plan_can_be_bought_again_after_it_ended(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        await subscribe(shop, headers, shop_worker, receiver)
        await shop.post("/api/billing/cancel", json={"immediate": True}, headers=headers)
        assert (await order(shop, headers, price="pro_yearly")).status_code == 200

    @pytest.mark.parametrize(
        ("price", "tier"), [("pro_monthly", "pro"), ("pro_yearly", "pro"), ("enterprise_monthly", "enterprise")]
    )
    async def test_each_plan_opens_its_tier(
        self,
        shop: httpx.AsyncClient,
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
        price: str,
        tier: str,
    ) -> None:
        assert (await pay((await order(shop, headers, price=price)).json()["url"])).status_code == 303
        await pass_on(shop, receiver)
        await webhook.apply_waiting(shop_worker)
        usage = (await shop.get("/api/usage", headers=headers)).json()
        assert (usage["tier"], usage["subscription"]["price"]) == (tier, price)


class TestBundles:
    async def test_the_page_and_its_invoice_credit_it_once_and_the_invoice_has_a_document(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        pages = await asyncio.gather(*(order(shop, headers, price="bundle_10") for _ in range(4)))
        assert len({page.json()["session_id"] for page in pages}) == 1
        await pay(pages[0].json()["url"])
        assert {"checkout.session.completed", "invoice.paid"} <= set(await posted(receiver))
        await pass_on(shop, receiver)
        await webhook.apply_waiting(shop_worker)
        assert (await shop.get("/api/usage", headers=headers)).json()["limits"]["extras"] == 10
        [invoice] = (await shop.get("/api/billing/invoices", headers=headers)).json()["items"]
        assert (invoice["status"], invoice["total"], invoice["currency"]) == ("paid", 7900, "usd")
        async with httpx.AsyncClient() as browser:
            document = await browser.get(invoice["pdf_url"])
        assert document.content.startswith(b"%PDF")

    async def test_two_bought_one_after_the_other_are_two(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        for _ in range(2):
            await pay((await order(shop, headers, price="bundle_1")).json()["url"])
        await pass_on(shop, receiver)
        await webhook.apply_waiting(shop_worker)
        assert (await shop.get("/api/usage", headers=headers)).json()["limits"]["extras"] == 2


async def posted(receiver: Receiver) -> list[str]:
    await asyncio.sleep(0.5)
    return receiver.types()


class TestPromotionCodes:
    async def test_a_code_takes_its_part_off_and_is_shown(
        self,
        shop: httpx.AsyncClient,
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
        at_stripe: stripe.StripeClient,
    ) -> None:
        coupon = await asyncio.to_thread(
            at_stripe.v1.coupons.create, {"percent_off": 50, "duration": "forever", "name": "Half price"}
        )
        code = f"HALF{str(new_id())[-6:].upper()}"
        await asyncio.to_thread(
            at_stripe.v1.promotion_codes.create, {"code": code, "promotion": {"type": "coupon", "coupon": coupon.id}}
        )
        page = await order(shop, headers, promotion_code=code)
        assert (await pay(page.json()["url"])).status_code == 303
        await pass_on(shop, receiver)
        await webhook.apply_waiting(shop_worker)
        assert (await shop.get("/api/usage", headers=headers)).json()["subscription"]["discount"] == "Half price"
        [invoice] = (await shop.get("/api/billing/invoices", headers=headers)).json()["items"]
        assert invoice["total"] == 1450
        # What is changed here keeps it, before any webhook tells so.
        for change in (
            shop.patch("/api/billing/seats", json={"seats": 2}, headers=headers),
            shop.post("/api/billing/cancel", headers=headers),
            shop.post("/api/billing/resume", headers=headers),
        ):
            assert (await change).status_code == 200
            subscription = (await shop.get("/api/usage", headers=headers)).json()["subscription"]
            assert subscription["discount"] == "Half price"

    async def test_a_wrong_code_says_so_and_opens_nothing(self, shop: httpx.AsyncClient, headers: Headers) -> None:
        answer = await order(shop, headers, promotion_code="NOPE")
        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")
        assert "promotion code" in answer.json()["errors"][0]["message"]

    async def test_without_one_the_page_takes_it(
        self, shop: httpx.AsyncClient, headers: Headers, at_stripe: stripe.StripeClient
    ) -> None:
        page = (await order(shop, headers)).json()
        session = await asyncio.to_thread(at_stripe.v1.checkout.sessions.retrieve, page["session_id"])
        assert session.allow_promotion_codes is True


class TestTrialAndTax:
    async def test_the_first_plan_has_the_trial_and_the_second_none(
        self,
        open_shop: Callable[..., Any],
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
    ) -> None:
        async with open_shop(trial_days=14) as client:
            assert (await client.get("/api/billing/offers", headers=headers)).json()["trial_days"] == 14
            await subscribe(client, headers, shop_worker, receiver)
            usage = (await client.get("/api/usage", headers=headers)).json()
            assert (usage["tier"], usage["status"]) == ("pro", "trialing")
            assert usage["subscription"]["current_period_end"][:10] == f"{datetime.now(UTC) + timedelta(days=14):%F}"
            preview = await client.post("/api/billing/seats/preview", json={"seats": 5}, headers=headers)
            assert (preview.json()["amount_due_now"], preview.json()["next_invoice_amount"]) == (0, 14500)
            await client.post("/api/billing/cancel", json={"immediate": True}, headers=headers)
            await subscribe(client, headers, shop_worker, receiver)
            assert (await client.get("/api/usage", headers=headers)).json()["status"] == "active"

    async def test_without_the_setting_there_is_no_trial(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        await subscribe(shop, headers, shop_worker, receiver)
        assert (await shop.get("/api/usage", headers=headers)).json()["status"] == "active"

    @pytest.mark.parametrize("on", [False, True])
    async def test_tax_is_stripes_when_it_is_switched_on(
        self, open_shop: Callable[..., Any], headers: Headers, at_stripe: stripe.StripeClient, on: bool
    ) -> None:
        async with open_shop(stripe_automatic_tax=on) as client:
            page = (await order(client, headers)).json()
        session = await asyncio.to_thread(at_stripe.v1.checkout.sessions.retrieve, page["session_id"])
        assert session.automatic_tax.enabled is on


class TestSeats:
    async def test_what_the_preview_says_is_what_is_then_paid(
        self,
        open_shop: Callable[..., Any],
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
    ) -> None:
        async with open_shop() as client:
            await subscribe(client, headers, shop_worker, receiver, seats=2)
            preview = (await client.post("/api/billing/seats/preview", json={"seats": 5}, headers=headers)).json()
            assert preview["currency"] == "usd"
            assert 0 < preview["amount_due_now"] <= 3 * 2900
            assert preview["next_invoice_amount"] == 5 * 2900
            unchanged = (await client.get("/api/billing/subscription", headers=headers)).json()
            assert (unchanged["seats"], unchanged["current_period_end"]) == (2, preview["next_invoice_at"])
            await asyncio.sleep(1.2)  # the price of now is another one
            changed = await client.patch(
                "/api/billing/seats", json={"seats": 5, "prorated_at": preview["prorated_at"]}, headers=headers
            )
            assert changed.json()["seats"] == 5
            latest = (await client.get("/api/billing/invoices", headers=headers)).json()["items"][0]
            assert (latest["status"], latest["total"]) == ("paid", preview["amount_due_now"])

    async def test_fewer_seats_are_a_credit(
        self,
        open_shop: Callable[..., Any],
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
    ) -> None:
        async with open_shop() as client:
            await subscribe(client, headers, shop_worker, receiver, seats=3)
            preview = (await client.post("/api/billing/seats/preview", json={"seats": 1}, headers=headers)).json()
            assert preview["amount_due_now"] == 0
            assert 0 < preview["credit"] <= 2 * 2900
            changed = await client.patch("/api/billing/seats", json={"seats": 1}, headers=headers)
            assert changed.json()["seats"] == 1

    async def test_a_moment_at_the_periods_end_makes_no_seat_free(
        self, open_shop: Callable[..., Any], headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        async with open_shop() as client:
            await subscribe(client, headers, shop_worker, receiver, seats=1)
            end = (await client.get("/api/billing/subscription", headers=headers)).json()["current_period_end"]
            await client.patch("/api/billing/seats", json={"seats": 2, "prorated_at": end}, headers=headers)
            latest = (await client.get("/api/billing/invoices", headers=headers)).json()["items"][0]
            assert latest["total"] > 2800

    async def test_a_card_that_fails_leaves_the_seats_as_they_were(
        self,
        shop: httpx.AsyncClient,
        headers: Headers,
        shop_worker: Deps,
        receiver: Receiver,
        at_stripe: stripe.StripeClient,
        org_id: UUID,
    ) -> None:
        await subscribe(shop, headers, shop_worker, receiver, seats=2)
        customer = await customer_of(shop, at_stripe, headers, org_id)
        [subscription] = (await asyncio.to_thread(at_stripe.v1.subscriptions.list, {"customer": customer})).data
        await asyncio.to_thread(
            at_stripe.v1.subscriptions.update, subscription.id, {"default_payment_method": "pm_card_chargeCustomerFail"}
        )
        refused = await shop.patch("/api/billing/seats", json={"seats": 9}, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (422, "validation_failed")
        assert "declined" in refused.json()["errors"][0]["message"]
        usage = (await shop.get("/api/usage", headers=headers)).json()
        assert (usage["limits"]["seats"], usage["status"]) == (2, "active")

    async def test_never_fewer_than_there_are_members(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver, org_id: UUID
    ) -> None:
        await subscribe(shop, headers, shop_worker, receiver, seats=4)
        await add_members(shop_worker, org_id, 3)
        for method, path in (("POST", "/api/billing/seats/preview"), ("PATCH", "/api/billing/seats")):
            refused = await shop.request(method, path, json={"seats": 2}, headers=headers)
            assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
            assert (refused.json()["reason"], refused.json()["seats_taken"]) == ("seats_taken", 3)
        assert (await shop.patch("/api/billing/seats", json={"seats": 3}, headers=headers)).json()["seats"] == 3

    async def test_a_plan_is_bought_for_everyone_who_is_there(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver, org_id: UUID
    ) -> None:
        await add_members(shop_worker, org_id, 3)
        refused = await order(shop, headers, seats=2)
        assert (refused.status_code, refused.json()["reason"]) == (409, "seats_taken")
        assert (await pay((await order(shop, headers)).json()["url"])).status_code == 303
        await pass_on(shop, receiver)
        await webhook.apply_waiting(shop_worker)
        assert (await shop.get("/api/usage", headers=headers)).json()["limits"]["seats"] == 3

    async def test_on_free_there_is_nothing_to_preview(self, shop: httpx.AsyncClient, headers: Headers) -> None:
        refused = await shop.post("/api/billing/seats/preview", json={"seats": 2}, headers=headers)
        assert (refused.status_code, refused.json()["reason"]) == (409, "not_subscribed")


class TestManyAtOnce:
    async def test_thirty_changes_at_once_all_get_their_answer(
        self, shop: httpx.AsyncClient, headers: Headers, shop_worker: Deps, receiver: Receiver
    ) -> None:
        """None waits for a connection that another one holds while it waits for its lock."""
        await subscribe(shop, headers, shop_worker, receiver, seats=2)
        answers = await asyncio.gather(
            *(shop.patch("/api/billing/seats", json={"seats": 2 + it % 5}, headers=headers) for it in range(30))
        )
        assert {answer.status_code for answer in answers} == {200}


class TestOffers:
    async def test_what_is_on_sale_is_listed(self, shop: httpx.AsyncClient, headers: Headers) -> None:
        offers = (await shop.get("/api/billing/offers", headers=headers)).json()
        assert offers == {
            "available": True,
            "prices": ["pro_monthly", "pro_yearly", "enterprise_monthly", "bundle_1", "bundle_10", "bundle_25"],
            "trial_days": 0,
        }

    async def test_without_a_key_nothing_is_and_all_that_is_no_purchase_works(
        self, client: httpx.AsyncClient, headers: Headers
    ) -> None:
        offers = (await client.get("/api/billing/offers", headers=headers)).json()
        assert (offers["available"], offers["prices"]) == (False, [])
        for path in ("/api/usage", "/api/billing/subscription", "/api/billing/invoices"):
            assert (await client.get(path, headers=headers)).status_code == 200
        for method, path, body in (
            ("POST", "/api/billing/portal", None),
            ("POST", "/api/billing/cancel", {}),
            ("POST", "/api/billing/resume", None),
            ("POST", "/api/billing/seats/preview", {"seats": 2}),
            ("PATCH", "/api/billing/seats", {"seats": 2}),
        ):
            answer = await client.request(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (503, "billing_unavailable"), path
            assert answer.headers["retry-after"]
