"""Each fault of the runbook, on a running product: doctor finds it, the page's fix mends it, doctor is content.

The pages say which test goes with them; libs/devstack/tests/unit/test_runbook.py holds them to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nats
import psycopg
import pytest
import redis

from common.ids import new_id
from devstack.data import DataFolder
from devstack.doctor import subject as subjects
from devstack.doctor.command import LIMIT_SECONDS, examine
from devstack.doctor.findings import Finding
from devstack.doctor.registry import CHECKS
from devstack.doctor.subject import Subject
from devstack.running import RunningStack, running_stack

from .examining import (
    doctor,
    found,
    frozen,
    pages,
    part,
    subject_of,
    superuser,
    until_clear,
    write_certificate,
)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """A product of its own: these tests break it."""
    with running_stack(pytestconfig.rootpath, "AI_ASYNC=1", "EXPORTS_ASYNC=1", "API_RATE_PER_MIN_ANON=5000") as running:
        yield running


class TestAHealthyProduct:
    def test_has_nothing_to_say(self, stack: RunningStack) -> None:
        code, checks, seconds = doctor(stack)
        assert [check for check in checks if check["state"] != "fine"] == []
        assert code == 0
        assert seconds < 20
        assert "errors" in stack.command("doctor").stdout


class TestAPartThatHangs:
    @pytest.mark.parametrize(
        ("name", "page"),
        [("ai", "service-down"), ("uploads-worker", "worker-down"), ("envoy", "edge-down"), ("nats", "nats-down"),
         ("valkey", "valkey-down")],
    )  # fmt: skip
    def test_is_named_and_a_restart_mends_it(self, stack: RunningStack, name: str, page: str) -> None:
        with frozen(stack, name):
            code, checks, seconds = doctor(stack, "--strict")
            findings = [one for check in checks for one in check["findings"]]
            assert f"docs/runbook/{page}.md" in {one["page"] for one in findings}, checks
            assert any(name in one["fix"] for one in findings)
            assert code == 2
            assert seconds < 20
            stack.command("restart", name)
        until_clear(stack, "parts")
        until_clear(stack, "readiness")

    def test_postgres_is_named_and_a_restart_mends_it(self, stack: RunningStack) -> None:
        with frozen(stack, "postgres"):
            code, checks, seconds = doctor(stack)
            by_name = {check["check"]: check for check in checks}
            assert by_name["PostgreSQL"]["findings"][0]["page"].endswith("postgres-down.md")
            assert "PostgreSQL does not answer" in by_name["outbox"]["why_unknown"]
            assert (code, seconds < 20) == (1, True)
            stack.command("restart", "postgres")
        until_clear(stack, "PostgreSQL")
        until_clear(stack, "readiness")

    def test_the_gateway_takes_the_usage_payload_with_it(self, stack: RunningStack) -> None:
        with frozen(stack, "gateway"):
            assert "usage" in pages(found(stack, "usage payload"))
            stack.command("restart", "gateway")
        until_clear(stack, "usage payload")

    def test_billing_takes_the_webhook_with_it(self, stack: RunningStack) -> None:
        with frozen(stack, "billing"):
            assert pages(found(stack, "Stripe webhook")) == {"stripe-webhooks"}
            stack.command("restart", "billing")
        until_clear(stack, "Stripe webhook")

    @pytest.mark.parametrize(
        ("name", "check", "page"),
        [("ai-worker", "AI worker", "ai-gate"), ("exports-worker", "exports worker", "exports")],
    )
    def test_a_worker_that_jobs_depend_on(self, stack: RunningStack, name: str, check: str, page: str) -> None:
        with frozen(stack, name):
            assert pages(found(stack, check)) == {page}
            stack.command("restart", name)
        until_clear(stack, check)


class TestAHalfDeadProduct:
    def test_is_answered_for_in_time_and_says_what_could_not_be_checked(self, stack: RunningStack) -> None:
        """Nobody restarts anything, the three servers are dead, and a service hangs."""
        rows = {name: part(stack, name)["pid"] for name in ("postgres", "nats", "valkey", "exports")}
        supervisor = DataFolder(stack.data).read_state()["supervisor"]["pid"]
        os.kill(supervisor, signal.SIGSTOP)
        try:
            os.kill(rows["exports"], signal.SIGSTOP)
            for name in ("postgres", "nats", "valkey"):
                os.kill(rows[name], signal.SIGKILL)
            code, checks, seconds = doctor(stack)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rows["exports"], signal.SIGCONT)
            os.kill(supervisor, signal.SIGCONT)
        by_name = {check["check"]: check for check in checks}
        assert seconds < 20
        assert code == 1
        for name in ("PostgreSQL", "NATS", "Valkey"):
            assert by_name[name]["findings"], name
        for name in ("parts", "outbox", "dead letters", "single-write guard"):
            assert by_name[name]["state"] == "unknown", name
        for check in ("parts", "PostgreSQL", "NATS", "Valkey", "readiness", "outbox"):
            until_clear(stack, check)


class TestThePlumbing:
    def test_an_outbox_that_nobody_empties(self, stack: RunningStack) -> None:
        with frozen(stack, "uploads-worker"):
            with superuser(stack) as connection:
                connection.execute(
                    "INSERT INTO uploads.outbox (id, subject, headers, body, created_at)"
                    " VALUES (gen_random_uuid(), 'jobs.uploads.none', '{}', '{}', now() - interval '5 minutes')"
                )
            findings = found(stack, "outbox")
            assert pages(findings) == {"outbox-lag"}
            assert "uploads" in findings[0].cause
            stack.command("restart", "uploads-worker")
        until_clear(stack, "outbox")

    def test_a_job_that_nobody_takes(self, stack: RunningStack) -> None:
        with frozen(stack, "gateway-worker"):
            body = {"email": f"{new_id()}@example.org", "password": "a long enough one", "name": "Eve"}
            answer = httpx.post(
                f"{stack.base_url}/api/auth/register", json=body, headers={"Origin": stack.base_url}, timeout=30
            )
            assert answer.status_code == 202
            with superuser(stack) as connection:
                moved = connection.execute(
                    "UPDATE gateway.jobs SET run_after = now() - interval '10 minutes' WHERE status = 'queued'"
                )
                assert moved.rowcount >= 1
            assert pages(found(stack, "jobs")) == {"stuck-jobs"}
            stack.command("restart", "gateway-worker")
        until_clear(stack, "jobs")

    def test_a_message_that_was_given_up(self, stack: RunningStack) -> None:
        async def bury() -> None:
            plan = subject_of(stack).plan
            assert plan is not None
            client = await nats.connect(plan.nats_url("admin"))
            await client.jetstream().publish("dead.ai.events.gateway.org.created", b"{}")
            await client.close()

        asyncio.run(bury())
        findings = found(stack, "dead letters")
        assert pages(findings) == {"dead-letters"}
        assert findings[0].symptom.startswith("ai ")

    def test_stripes_events_that_nobody_applies(self, stack: RunningStack) -> None:
        with frozen(stack, "billing-worker"):
            with superuser(stack) as connection:
                connection.execute(
                    "INSERT INTO billing.stripe_events (event_id, type, created, body, received_at, attempts)"
                    " VALUES ('evt_forgotten', 'ping', now(), %s, now() - interval '10 minutes', 0)",
                    (
                        (
                            b'{"id": "evt_forgotten", "object": "event", "type": "ping", "created": 1,'
                            b' "data": {"object": {}}}'
                        ),
                    ),
                )
            (finding,) = found(stack, "Stripe events")
            assert (finding.page, "are not applied" in finding.cause) == ("stripe-events", True)
            stack.command("restart", "billing-worker")
        until_clear(stack, "Stripe events")

    def test_an_event_of_stripes_that_was_parked(self, stack: RunningStack) -> None:
        with superuser(stack) as connection:
            connection.execute(
                "INSERT INTO billing.stripe_events (event_id, type, created, body, attempts, handled_at,"
                " outcome, error) VALUES ('evt_parked', 'invoice.paid', now(), '', 1, now(), 'parked', 'no such price')"
            )
            (finding,) = found(stack, "Stripe events")
            assert "1 events invoice.paid are parked: no such price" in finding.cause
            connection.execute("DELETE FROM billing.stripe_events WHERE event_id = 'evt_parked'")
        until_clear(stack, "Stripe events")

    def test_who_pays_and_is_on_the_free_tier(self, stack: RunningStack) -> None:
        org = new_id()
        with superuser(stack) as connection:
            connection.execute(
                "INSERT INTO billing.accounts (org_id, name, personal, extras_granted, tier, status, limits,"
                " period_start, period_end, entitlements_version, subscription_version, credits_version,"
                " payment_version)"
                " VALUES (%s, 'x', false, 0, 'free', 'none', '{}', now(), now(), 0, 0, 0, 0)",
                (org,),
            )
            connection.execute(
                "INSERT INTO billing.subscriptions (subscription_id, org_id, status, price, cancel_at_period_end,"
                " as_of) VALUES ('sub_x', %s, 'active', 'pro_monthly', false, now())",
                (org,),
            )
            try:
                assert pages(found(stack, "plans")) == {"quota"}
            finally:
                connection.execute("DELETE FROM billing.subscriptions WHERE org_id = %s", (org,))
                connection.execute("DELETE FROM billing.accounts WHERE org_id = %s", (org,))
        until_clear(stack, "plans")


class TestPostgres:
    def test_a_lock_that_is_held_is_named_with_its_holder(self, stack: RunningStack) -> None:
        holder = psycopg.connect(stack.env["AI_DATABASE_URL"], application_name="holder")
        holder.execute("LOCK TABLE ai.proposals IN SHARE ROW EXCLUSIVE MODE")
        waiter = subprocess.Popen(
            [sys.executable, "-c", "import psycopg, sys; psycopg.connect(sys.argv[1]).execute(sys.argv[2])",
             stack.env["AI_DATABASE_URL"], "LOCK TABLE ai.proposals IN SHARE ROW EXCLUSIVE MODE"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            time.sleep(7)
            (finding,) = found(stack, "PostgreSQL locks")
            assert finding.page == "postgres-locks"
            assert str(holder.info.backend_pid) in finding.fix
            # The fix, as it says: with the service's own address.
            assert "$AI_DATABASE_URL" in finding.fix
            with psycopg.connect(stack.env["AI_DATABASE_URL"]) as operator:
                operator.execute("SELECT pg_terminate_backend(%s)", (holder.info.backend_pid,))
            until_clear(stack, "PostgreSQL locks")
        finally:
            waiter.kill()
            waiter.wait()
            holder.close()

    def test_a_schema_behind_the_code(self, stack: RunningStack) -> None:
        with superuser(stack) as connection:
            (version,) = connection.execute("SELECT version_num FROM gateway.alembic_version").fetchone() or ("",)
            connection.execute("UPDATE gateway.alembic_version SET version_num = '0001'")
            try:
                assert pages(found(stack, "migrations")) == {"migration-stuck"}
            finally:
                connection.execute("UPDATE gateway.alembic_version SET version_num = %s", (version,))
        until_clear(stack, "migrations")


class TestLimits:
    def test_a_guard_that_does_not_end_is_purged_by_the_script(self, stack: RunningStack) -> None:
        user, url = str(new_id()), stack.env["REDIS_URL"]
        script = [sys.executable, str(stack.root / "scripts" / "purge_single_write.py"), user]
        env = {**os.environ, "REDIS_URL": url}
        with redis.Redis.from_url(url) as client:
            client.set(f"ai_dbg_single_write:{user}", 1)
            (finding,) = found(stack, "single-write guard")
            assert (finding.page, user in finding.fix) == ("ai-rate-limits", True)
            assert "never ends" in subprocess.check_output(script, env=env, text=True)
            assert client.exists(f"ai_dbg_single_write:{user}"), "without --yes it only looks"
            assert "removed" in subprocess.check_output([*script, "--yes"], env=env, text=True)
            client.set(f"ai_dbg_single_write:{user}", 1, ex=60)
            assert found(stack, "single-write guard") == []

    def test_a_limit_of_one(self, stack: RunningStack) -> None:
        assert pages(found(stack, "rate limits", AI_RATE_PER_MIN_PRO="1")) == {"ai-rate-limits"}
        assert found(stack, "rate limits", AI_RATE_PER_MIN_PRO="20") == []


class TestFilesAndTheMachine:
    def test_an_object_store_that_lost_its_volume(self, stack: RunningStack) -> None:
        folder = stack.data / "objects"
        folder.rename(stack.data / "elsewhere")
        try:
            assert pages(found(stack, "object store")) == {"storage"}
        finally:
            (stack.data / "elsewhere").rename(folder)
        until_clear(stack, "object store")

    @pytest.mark.parametrize(
        ("command", "says"),
        [("false {path}", "exit code 1"), ("/no/such/scanner {path}", "No such file"),
         ("clamd://127.0.0.1:9", "clamd does not answer")],
    )  # fmt: skip
    def test_a_scanner_that_does_not_work(self, stack: RunningStack, command: str, says: str) -> None:
        (finding,) = found(stack, "virus scan", VIRUSSCAN_CMD=command)
        assert finding.page == "uploads"
        assert says in finding.cause
        assert found(stack, "virus scan", VIRUSSCAN_CMD="true {path}") == []

    def test_a_certificate_that_ends_soon(self, stack: RunningStack, tmp_path: Path) -> None:
        pair = {"EDGE_TLS_CERT_FILE": str(tmp_path / "cert.pem"), "EDGE_TLS_KEY_FILE": str(tmp_path / "key.pem")}
        for days, level in ((-1, "error"), (10, "warning"), (60, "")):
            write_certificate(tmp_path, days)
            findings = found(stack, "certificate", **pair)
            assert [finding.level for finding in findings] == ([level] if level else [])
        (tmp_path / "cert.pem").write_text("nonsense")
        assert pages(found(stack, "certificate", **pair)) == {"certificate"}

    def test_a_backup_that_was_not_made(self, stack: RunningStack, tmp_path: Path) -> None:
        assert pages(found(stack, "backups", BACKUP_DIR=str(tmp_path))) == {"backups"}
        stack.command("backup", str(tmp_path))
        assert found(stack, "backups", BACKUP_DIR=str(tmp_path)) == []

    def test_a_mail_server_that_takes_nothing(self, stack: RunningStack) -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            port = str(server.getsockname()[1])
            assert pages(found(stack, "mail server", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port)) == {"mail"}
            server.listen()
            assert found(stack, "mail server", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port) == []


class TestWithoutPermission:
    def test_it_says_what_it_may_not_read(self, stack: RunningStack) -> None:
        """As another user of the machine; in a child, since there is no way back from it."""
        if os.geteuid() != 0:
            pytest.skip("needs root, to become somebody else")
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgid(65534)
                os.setuid(65534)
                subject = subjects.of_stack(stack.root, DataFolder(stack.data))
                outcomes = examine(subject, CHECKS)
                os.write(write_end, json.dumps([outcome.as_dict() for outcome in outcomes]).encode())
            finally:
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            outcomes = json.loads(stream.read())
        os.waitpid(child, 0)
        assert len(outcomes) == len(CHECKS)
        states = {outcome["check"]: outcome for outcome in outcomes}
        assert states["PostgreSQL"]["state"] == "unknown"
        assert "no permission to read" in states["PostgreSQL"]["why_unknown"]


class TestTheLimit:
    def test_a_check_that_hangs_keeps_nobody_waiting(
        self, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from devstack.doctor import command
        from devstack.doctor.findings import Check

        monkeypatch.setattr(command, "LIMIT_SECONDS", 0.5)

        def hang(_subject: Subject) -> list[Finding]:
            time.sleep(30)
            return []

        def break_down(_subject: Subject) -> list[Finding]:
            raise ZeroDivisionError("oops")

        began = time.monotonic()
        hung, broken = examine(subject_of(stack), [Check("hangs", hang), Check("breaks", break_down)])
        assert time.monotonic() - began < 5
        assert "no answer" in hung.unknown
        assert "ZeroDivisionError: oops" in broken.unknown
        assert LIMIT_SECONDS < 20
