"""Billing on real servers: its app, the use cases of its worker, and a caller who is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from billing.app import create_app
from billing.bootstrap import open_deps
from billing.deps import Deps
from billing.settings import Settings
from billing.testing import NOW, SECRET
from common.clock import FrozenClock
from common.health import Health
from common.ids import new_id
from common.testing import IdentityIssuer
from stripe_fake.testing import SECRET as STRIPE_SECRET
from stripe_fake.testing import FakeProcess, Receiver, listen

SOLD = ("pro_monthly", "pro_yearly", "enterprise_monthly", "bundle_1", "bundle_10", "bundle_25")


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


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with listen() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def stripe_server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[FakeProcess]:
    state: Path = tmp_path_factory.mktemp("stripe")
    fake = FakeProcess(state, receiver.url)
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def stripe_settings(
    make_settings: Callable[..., Settings], database: Any, stripe_server: FakeProcess
) -> Callable[..., Settings]:
    def make(url: str = database.app_url, **changes: Any) -> Settings:
        values = {
            "stripe_secret_key": "sk_test_1",
            "stripe_api_base": stripe_server.url,
            "stripe_webhook_secret": STRIPE_SECRET,
            "stripe_max_retries": 0,
            **{f"price_{name}": f"price_{name}" for name in SOLD},
        }
        return make_settings(url, **{**values, **changes})

    return make


@pytest.fixture
async def shop(
    stripe_settings: Callable[..., Settings], clock: FrozenClock, issuer: IdentityIssuer
) -> AsyncIterator[httpx.AsyncClient]:
    made = stripe_settings()
    app = create_app(made, open_deps(made, clock=clock), health=Health(), verifier=issuer.verifier)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client,
    ):
        yield client


@pytest.fixture
async def shop_worker(
    stripe_settings: Callable[..., Settings], clock: FrozenClock, database: Any
) -> AsyncIterator[Deps]:
    async with open_deps(stripe_settings(database.worker_url), clock=clock) as deps:
        yield deps
