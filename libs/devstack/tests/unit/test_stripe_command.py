from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from devstack import stripe_command
from devstack.cli import parser
from devstack.errors import StackError, UsageError
from stripe_fake.testing import FakeProcess, Receiver, listen

ORG = "0192f0c4-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def webhook() -> Iterator[Receiver]:
    with listen() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory, webhook: Receiver) -> Iterator[FakeProcess]:
    process = FakeProcess(tmp_path_factory.mktemp("stripe"), webhook.url)
    process.start()
    yield process
    process.stop()


def run(fake_url: str, *words: str) -> int:
    arguments = parser().parse_args(["--root", ".", "stripe", *words])
    return stripe_command.run(arguments, lambda: {"STRIPE_FAKE_URL": fake_url})


class TestTrigger:
    def test_tells_each_event_and_how_it_was_answered(
        self, fake: FakeProcess, webhook: Receiver, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(fake.url, "trigger", "checkout.session.completed", "--org", ORG, "--quantity", "4") == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert "checkout.session.completed" in [line[0] for line in lines]
        assert {line[2] for line in lines} == {"200"}
        (event,) = webhook.wait_for("customer.subscription.created")
        told = event["data"]["object"]
        assert (told["metadata"]["org_id"], told["items"]["data"][0]["quantity"]) == (ORG, 4)

    def test_each_org_that_is_named_gets_its_own(self, fake: FakeProcess, webhook: Receiver) -> None:
        webhook.received.clear()
        assert run(fake.url, "trigger", "customer.created", "--org", "a", "--org", "b") == 0
        told = [event["data"]["object"]["metadata"]["org_id"] for event in webhook.wait_for("customer.created", 2)]
        assert told == ["a", "b"]

    def test_a_refusal_of_the_webhook_that_passes_is_told_with_the_try_that_worked(
        self, fake: FakeProcess, webhook: Receiver, capsys: pytest.CaptureFixture[str]
    ) -> None:
        webhook.statuses += [500]
        assert run(fake.url, "trigger", "product.created") == 0
        assert "200 at try 2" in capsys.readouterr().out

    def test_a_drop_on_demand_is_told_and_is_no_failure(
        self, fake: FakeProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        httpx.post(f"{fake.url}/_fake/faults", json={"drop": 1})
        assert run(fake.url, "trigger", "product.created") == 0
        assert "dropped on demand" in capsys.readouterr().out

    def test_a_webhook_that_never_takes_it_is_a_failure(
        self, fake: FakeProcess, webhook: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(stripe_command, "_DELIVERY_SECONDS", 0.2)
        webhook.statuses += [500, 500]
        assert run(fake.url, "trigger", "product.created") == 1
        assert "500" in capsys.readouterr().out
        webhook.statuses.clear()

    def test_without_a_name_the_names_are_listed_even_when_nothing_runs(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = parser().parse_args(["--root", ".", "stripe", "trigger"])
        assert stripe_command.run(arguments, lambda: pytest.fail("no stack is needed")) == 0
        assert "customer.subscription.trial_will_end" in capsys.readouterr().out.splitlines()

    def test_what_cannot_be_is_said(self, fake: FakeProcess) -> None:
        with pytest.raises(UsageError, match="unknown event 'nonsense'"):
            run(fake.url, "trigger", "nonsense")
        with pytest.raises(StackError, match="start it without STRIPE_SECRET_KEY"):
            run("", "trigger", "product.created")
        with pytest.raises(StackError, match="No such subscription"):
            run(fake.url, "trigger", "customer.subscription.updated", "--subscription", "sub_none")
        with pytest.raises(StackError, match="does not answer"):
            run("http://127.0.0.1:9", "trigger", "product.created")
