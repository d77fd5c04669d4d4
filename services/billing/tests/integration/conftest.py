"""Billing on real servers: its app, the use cases of its worker, and a caller who is signed in."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from billing.app import create_app
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.settings import Settings
from common.clock import FrozenClock
from common.health import Health
from common.ids import new_id
from common.testing import IdentityIssuer

SECRET = "whsec_test"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(service_database: Any) -> Any:
    return service_database("billing")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def make_settings(database: Any, nats_url: Any) -> Callable[..., Settings]:
    def make(url: str = database.app_url, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "secret_key": "k" * 32,
            "port": 0,
            "database_url": url,
            "nats_url": nats_url("billing"),
            "stripe_webhook_secret": f"whsec_old,{SECRET}",
            "price_pro_monthly": "price_pro",
            "price_enterprise_monthly": "price_ent",
            "price_bundle_10": "price_b10",
        }
        return Settings(**{**values, **changes})

    return make


@pytest.fixture
async def api_deps(make_settings: Callable[..., Settings], clock: FrozenClock) -> AsyncIterator[Deps]:
    async with open_deps(make_settings(), clock=clock) as deps:
        yield deps


@pytest.fixture
async def worker_deps(make_settings: Callable[..., Settings], clock: FrozenClock, database: Any) -> AsyncIterator[Deps]:
    async with open_deps(make_settings(database.worker_url), clock=clock) as deps:
        yield deps


@pytest.fixture
def issuer() -> IdentityIssuer:
    return IdentityIssuer("billing")


@pytest.fixture
async def client(
    make_settings: Callable[..., Settings], clock: FrozenClock, issuer: IdentityIssuer
) -> AsyncIterator[httpx.AsyncClient]:
    settings = make_settings()
    app = create_app(settings, open_deps(settings, clock=clock), health=Health(), verifier=issuer.verifier)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client,
    ):
        yield client


@pytest.fixture
def org_id() -> UUID:
    return new_id()


@pytest.fixture
def headers(issuer: IdentityIssuer, org_id: UUID) -> dict[str, str]:
    return issuer.headers(user_id=new_id(), org_id=org_id, role="owner", org_name="Northwind")


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """A Stripe-Signature header, https://docs.stripe.com/webhooks#verify-manually."""
    stamp = int(at if at is not None else time.time())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def stripe_event(kind: str, obj: dict[str, Any], *, event_id: str | None = None, created: datetime = NOW) -> bytes:
    """A webhook's body."""
    return json.dumps(
        {
            "id": event_id or f"evt_{new_id()}",
            "object": "event",
            "type": kind,
            "created": int(created.timestamp()),
            "data": {"object": obj},
        }
    ).encode()


def subscription(org_id: UUID, *, status: str = "active", price: str = "price_pro", **changes: Any) -> dict[str, Any]:
    """A subscription as Stripe sends it."""
    return {
        "id": f"sub_{org_id}",
        "object": "subscription",
        "customer": f"cus_{org_id}",
        "status": status,
        "cancel_at_period_end": False,
        "metadata": {"org_id": str(org_id)},
        "items": {
            "object": "list",
            "data": [
                {
                    "id": "si_1",
                    "price": {"id": price},
                    "quantity": changes.pop("quantity", 2),
                    "current_period_start": int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()),
                    "current_period_end": int(datetime(2026, 12, 20, tzinfo=UTC).timestamp()),
                }
            ],
        },
        **changes,
    }
