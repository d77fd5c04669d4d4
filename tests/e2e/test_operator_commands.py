"""What an operator types, on a running product: jobs, dead letters, events, the clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import nats
import psycopg
import pytest

from devstack.data import DataFolder
from devstack.doctor import subject as subjects
from devstack.running import RunningStack, running_stack

from .person import Person, eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """A product of its own, whose clock is moved."""
    with running_stack(pytestconfig.rootpath, "DEBUG=1", "API_RATE_PER_MIN_ANON=5000") as running:
        yield running


@pytest.fixture(scope="module")
def person(stack: RunningStack) -> Person:
    found = Person(stack)
    found.sign_up()
    return found


def items(stack: RunningStack, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.command(*words, "--json").stdout)["items"]
    return found


def findings(stack: RunningStack, page: str) -> list[dict[str, Any]]:
    """What doctor says that has this page."""
    checks = json.loads(stack.command("doctor", "--json", check=False).stdout)["checks"]
    return [one for check in checks for one in check["findings"] if one["page"].endswith(f"/{page}.md")]


class TestJobs:
    def test_a_mail_that_failed_is_sent_when_its_job_is_retried(self, stack: RunningStack, person: Person) -> None:
        done = next(job for job in items(stack, "jobs", "list", "--service", "gateway") if job["state"] == "succeeded")
        with psycopg.connect(stack.env["GATEWAY_WORKER_DATABASE_URL"]) as connection:
            connection.execute(
                "UPDATE jobs SET status = 'failed', error_code = 'no_route', result = NULL, finished_at = now()"
                " WHERE id = %s",
                (done["id"],),
            )
        assert [job["id"] for job in items(stack, "jobs", "list", "--state", "failed")] == [done["id"]]
        (finding,) = findings(stack, "stuck-jobs")
        assert "./bidwright jobs retry --failed --service gateway" in finding["fix"]
        assert "1 queued again" in stack.command("jobs", "retry", "--failed", "--service", "gateway").stdout

        def succeeded() -> bool:
            return done["id"] in {job["id"] for job in items(stack, "jobs", "list", "--state", "succeeded")}

        eventually(succeeded, "the job runs")
        assert stack.command("jobs", "retry", done["id"], check=False).returncode == 1


class TestEvents:
    def test_a_dead_letter_is_seen_by_doctor_and_replayed_by_the_fix_that_it_names(
        self, stack: RunningStack, person: Person
    ) -> None:
        asyncio.run(self.bury(stack))
        (finding,) = findings(stack, "dead-letters")
        assert "./bidwright events dead replay --all --service ai" in finding["fix"]
        (letter,) = items(stack, "events", "dead", "list")
        assert stack.command("events", "dead", "show", str(letter["id"])).stdout.startswith("{")
        said = stack.command("events", "dead", "replay", "--all", "--service", "ai").stdout
        assert "was applied before" in said
        assert items(stack, "events", "dead", "list") == []

    def test_one_that_nobody_can_mend_is_ignored_and_doctor_has_nothing_to_say(
        self, stack: RunningStack, person: Person
    ) -> None:
        asyncio.run(self.bury(stack, b"{"))
        (finding,) = findings(stack, "dead-letters")
        assert "./bidwright events dead ignore ID --reason TEXT" in finding["fix"]
        (letter,) = items(stack, "events", "dead", "list")
        stack.command("events", "dead", "ignore", str(letter["id"]), "--reason", "made by hand")
        assert findings(stack, "dead-letters") == []
        (kept,) = items(stack, "events", "dead", "list", "--ignored")
        assert kept["ignored"]["reason"] == "made by hand"

    async def bury(self, stack: RunningStack, body: bytes | None = None) -> None:
        """An event that ai has applied, or this body instead of its own, as a dead letter of ai."""
        plan = subjects.of_stack(stack.root, DataFolder(stack.data)).plan
        assert plan is not None
        client = await nats.connect(plan.nats_url("admin"))
        js = client.jetstream()
        event = await js.get_last_msg("EVENTS", "events.gateway.org.created")
        headers = {name: value for name, value in (event.headers or {}).items() if name != "Nats-Msg-Id"}
        headers["bidwright-reason"] = "handler_failed"
        await js.publish(
            "dead.ai.events.gateway.org.created", event.data or b"" if body is None else body, headers=headers
        )
        await client.close()

    def test_tail_shows_what_happened(self, stack: RunningStack, person: Person) -> None:
        said = stack.command("events", "tail", "gateway", "--since", "1h", "--no-follow").stdout
        assert "events.gateway.user.registered" in said

    def test_rebuild_has_a_service_send_again_what_it_sent(self, stack: RunningStack, person: Person) -> None:
        assert "would be sent again" in stack.command("events", "rebuild", "gateway", "--dry-run").stdout
        assert "are sent again" in stack.command("events", "rebuild", "gateway", "billing").stdout

        def sent() -> bool:
            with psycopg.connect(stack.env["GATEWAY_WORKER_DATABASE_URL"]) as connection:
                row = connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()
            return row == (0,)

        eventually(sent, "the relay sends")
        assert items(stack, "events", "dead", "list") == []


class TestClock:
    def test_a_session_ends_when_the_clock_is_moved_past_it(self, stack: RunningStack, person: Person) -> None:
        person.call("GET", "/api/me", expect=200)
        stack.command("clock", "advance", "400d")
        try:
            assert str(datetime.now(UTC).year + 1) in stack.command("clock", "show").stdout

            def signed_out() -> bool:
                return person.http.get("/api/me").status_code == 401

            eventually(signed_out, "the session ends")
            late = Person(stack)
            late.sign_up()  # what begins now is valid now
            late.call("GET", "/api/me", expect=200)
        finally:
            stack.command("clock", "reset")
        assert "the machine's time" in stack.command("clock", "show").stdout
