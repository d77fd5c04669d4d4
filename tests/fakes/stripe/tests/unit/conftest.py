"""One fake and one webhook for the whole run, emptied before each test, and a buyer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from stripe_fake.testing import Buyer, FakeProcess, Receiver, listen, make_client


@pytest.fixture(scope="session")
def webhook() -> Iterator[Receiver]:
    with listen() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory, webhook: Receiver) -> Iterator[FakeProcess]:
    started = FakeProcess(tmp_path_factory.mktemp("stripe"), webhook.url)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def receiver(process: FakeProcess, webhook: Receiver) -> Receiver:
    webhook.statuses.clear()
    process.control("reset")
    webhook.received.clear()
    return webhook


@pytest.fixture
def fake(process: FakeProcess, receiver: Receiver) -> FakeProcess:
    return process


@pytest.fixture
def client(fake: FakeProcess) -> stripe.StripeClient:
    return make_client(fake)


@pytest.fixture
def buyer(client: stripe.StripeClient) -> Buyer:
    return Buyer(client)
