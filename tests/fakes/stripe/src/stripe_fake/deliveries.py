"""Sends events to the webhook: signed, one after the other, again with back-off until they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import sqlite3
import time

import httpx

from stripe_fake.store import Obj
from stripe_fake.world import World

_LOG = logging.getLogger("stripe_fake.deliveries")
_TIMEOUT = 10.0
_IDLE = 30.0


def sign(payload: str, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header; a comma list of secrets signs with each, as during a rotation."""
    parts = [f"t={timestamp}"]
    for one in filter(None, (item.strip() for item in secret.split(","))):
        digest = hmac.new(one.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
        parts.append(f"v1={digest}")
    return ",".join(parts)


class Deliverer:
    """The loop behind the webhook; `run` until cancelled."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
            while True:
                async with self._world.sending:
                    wait = await self._step(client)
                if wait > 0:
                    await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        """Until the time is up, or something new is due."""
        self._world.wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._world.wake.wait(), min(seconds, _IDLE))

    async def _step(self, client: httpx.AsyncClient) -> float:
        """Send what is due first; returns the seconds until the next is due."""
        row = self._world.store.next_delivery()
        if row is None:
            return _IDLE
        wait = float(row["due_at"]) - time.time()
        if wait > 0:
            return wait
        event = self._world.store.get("event", row["event_id"])
        status, error = (None, "the event is gone") if event is None else await self._post(client, event)
        self._settle(row, event, status, error)
        return 0

    async def _post(self, client: httpx.AsyncClient, event: Obj) -> tuple[int | None, str | None]:
        payload = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(payload, self._world.config.webhook_secret, int(time.time())),
        }
        try:
            answer = await client.post(self._world.config.webhook_url, content=payload.encode(), headers=headers)
        except httpx.HTTPError as problem:
            return None, f"{type(problem).__name__}: {problem}"
        return answer.status_code, None if answer.is_success else answer.text[:500]

    def _settle(self, row: sqlite3.Row, event: Obj | None, status: int | None, error: str | None) -> None:
        world, config = self._world, self._world.config
        now = time.time()
        attempts = int(row["attempts"]) + 1
        outcome, due_at = "delivered", float(row["due_at"])
        if status is None or not 200 <= status < 300:
            outcome = "failed" if event is None or attempts >= config.max_attempts else "pending"
            due_at = now + min(config.retry_base * 2 ** (attempts - 1), config.retry_max)
            _LOG.warning("delivery of %s: attempt %d got %s", row["event_type"], attempts, status or error)
        else:
            event = world.store.get("event", row["event_id"])  # read again: a reset may have come while we posted
            if event is not None and event["pending_webhooks"]:
                event["pending_webhooks"] = 0
                world.store.put(event)
        world.store.settle_delivery(
            row["id"], status=outcome, due_at=due_at, now=now, response_status=status, error=error
        )
        world.store.commit()
