"""Sends events to the webhook endpoints: signed, in order, again with back-off until they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import sqlite3
import ssl
import time
from pathlib import Path

import httpx

from stripe_fake import endpoints
from stripe_fake.store import Obj
from stripe_fake.world import World

_LOG = logging.getLogger("stripe_fake.deliveries")
_TIMEOUT = 10.0
_IDLE = 30.0
_PEM_END = "-----END CERTIFICATE-----"


def sign(payload: str, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header; a comma list of secrets signs with each, as during a rotation."""
    parts = [f"t={timestamp}"]
    for one in filter(None, (item.strip() for item in secret.split(","))):
        digest = hmac.new(one.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
        parts.append(f"v1={digest}")
    return ",".join(parts)


def pinned(ca: Path) -> ssl.SSLContext:
    """Trust in one certificate: the first of the file, or one that it signed.

    It need not bear the name that it is reached by: who holds its key is the one that was meant, and nobody else is
    trusted at all.
    """
    pem, end, _ = ca.read_text().partition(_PEM_END)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem + end)
    return context


def _changed(file: Path) -> float:
    return file.stat().st_mtime


def _client(verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, verify=verify)


class Deliverer:
    """The loop behind the webhooks; `run` until cancelled. Each endpoint gets its events one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known_by: tuple[float, httpx.AsyncClient] | None = None

    async def run(self) -> None:
        async with _client() as client:
            try:
                while True:
                    async with self._world.sending:
                        wait = await self._round(client)
                    if wait > 0:
                        await self._sleep(wait)
            finally:
                if self._known_by is not None:
                    await self._known_by[1].aclose()

    async def _sleep(self, seconds: float) -> None:
        """Until the time is up, or something new is due."""
        self._world.wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._world.wake.wait(), min(seconds, _IDLE))

    async def _round(self, client: httpx.AsyncClient) -> float:
        """Send each endpoint what is due to it first; returns the seconds until the next is due."""
        ready, soonest = [], _IDLE
        for endpoint in self._world.store.all(endpoints.KIND):
            row = self._world.store.next_delivery(endpoint["id"])
            if row is not None and (wait := float(row["due_at"]) - time.time()) > 0:
                soonest = min(soonest, wait)
            elif row is not None:
                ready.append(self._send(client, endpoint, row))
        if not ready:
            return soonest
        await asyncio.gather(*ready)
        return 0

    async def _send(self, client: httpx.AsyncClient, endpoint: Obj, row: sqlite3.Row) -> None:
        event = self._world.store.get("event", row["event_id"])
        status, error = (None, "the event is gone") if event is None else await self._post(client, endpoint, event)
        self._settle(row, event, status, error)

    async def _post(self, client: httpx.AsyncClient, endpoint: Obj, event: Obj) -> tuple[int | None, str | None]:
        payload = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(payload, endpoint["_secret"], int(time.time())),
        }
        try:
            if endpoint["id"] == endpoints.PRESET and self._world.config.webhook_ca is not None:
                client = await self._client_that_knows(self._world.config.webhook_ca)
            answer = await client.post(endpoint["url"], content=payload.encode(), headers=headers)
        except (httpx.HTTPError, OSError) as problem:  # OSError: the certificate cannot be read, or is none
            return None, f"{type(problem).__name__}: {problem}"
        return answer.status_code, None if answer.is_success else answer.text[:500]

    async def _client_that_knows(self, ca: Path) -> httpx.AsyncClient:
        """A client that trusts this certificate; made anew when the file is, because certificates are replaced."""
        changed = _changed(ca)
        if self._known_by is None or self._known_by[0] != changed:
            if self._known_by is not None:
                await self._known_by[1].aclose()
            self._known_by = (changed, _client(pinned(ca)))
        return self._known_by[1]

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
            error = None
        world.store.settle_delivery(
            row["id"], status=outcome, due_at=due_at, now=now, response_status=status, error=error
        )
        event = world.store.get("event", row["event_id"])  # read again: it may have changed while we posted
        if event is not None:
            world.store.put({**event, "pending_webhooks": world.store.waiting_endpoints(event["id"])})
        world.store.commit()
