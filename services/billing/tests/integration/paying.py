"""Somebody who buys: fills in Stripe's hosted page, and has what Stripe then posts handed on."""

from __future__ import annotations

import asyncio

import httpx

from billing.deps import Deps
from billing.service import webhook
from stripe_fake.testing import Receiver

CARD = "4242 4242 4242 4242"


async def pay(url: str, **fields: str) -> httpx.Response:
    """Fills in Stripe's hosted page."""
    async with httpx.AsyncClient() as browser:
        form = {"email": "ada@example.org", "card": CARD, "expiry": "12 / 34", "cvc": "123"}
        return await browser.post(url, data={**form, **fields})


async def pass_on(client: httpx.AsyncClient, receiver: Receiver) -> None:
    """Hands what Stripe has posted so far to billing."""
    await asyncio.sleep(0.5)
    for body, signature in receiver.received:
        answer = await client.post("/api/stripe/webhook", content=body, headers={"stripe-signature": signature})
        assert answer.status_code == 200
    receiver.received.clear()


async def subscribe(
    client: httpx.AsyncClient, headers: dict[str, str], worker: Deps, receiver: Receiver, seats: int = 2
) -> None:
    checkout = await client.post(
        "/api/billing/checkout", json={"price": "pro_monthly", "seats": seats}, headers=headers
    )
    assert checkout.status_code == 200, checkout.text
    assert (await pay(checkout.json()["url"])).status_code == 303
    await pass_on(client, receiver)
    await webhook.apply_waiting(worker)
