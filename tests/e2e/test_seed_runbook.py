"""What the runbook that this product began with names is here and works: endpoints, settings, tasks, pages, scripts.

Its words are Celery's and Django's in places; `NOW` says what stands there instead.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.options import is_known
from devstack.running import RunningStack, running_stack

from .person import Person, eventually

ROOT = Path(__file__).resolve().parents[2]

TASKS = (
    "API: runserver (DEBUG)",
    "API: test (accounts+billing+exports)",
    "API: test (RLS on Postgres)",
    "API: celery worker",
    "Web: dev",
)
PAGES = (
    "docs/README.md",
    "docs/ops_coolify_deployment_guide.md",
    "docs/security_hardening.md",
    "docs/rls_postgres.md",
    "docs/ai_rate_limiting.md",
    "docs/deterministic_exports.md",
)
SCRIPTS = ("scripts/pg_dump_daily.sh", "scripts/media_backup.sh")
NOW = {
    "db_policies/migrations/0001_rls.py": "services/*/src/*/migrations/versions/0001_start.py",
    "db_policies/tests/test_rls_matrix.py": "tests/contract/test_rls_matrix.py",
}
_NAMED = """
SECRET_KEY DEBUG ALLOWED_HOSTS PUBLIC_BASE_URL EXPORTS_ASYNC AI_ASYNC REDIS_URL DATABASE_URL MEDIA_ROOT
GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET GITHUB_CLIENT_ID GITHUB_CLIENT_SECRET FACEBOOK_APP_ID FACEBOOK_APP_SECRET
STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET PRICE_PRO_MONTHLY PRICE_PRO_YEARLY PRICE_ENTERPRISE_MONTHLY PRICE_BUNDLE_1
FAILED_PAYMENT_GRACE_DAYS QUOTA_FREE_ACTIVE_CAP QUOTA_PRO_MONTHLY_CAP QUOTA_PRO_PER_SEAT
QUOTA_ENTERPRISE_MONTHLY_CAP FILE_UPLOAD_MAX_BYTES FILE_UPLOAD_MAX_MEMORY_SIZE TEXT_EXTRACTION_MAX_BYTES
ALLOWED_UPLOAD_EXTENSIONS VIRUSSCAN_CMD VIRUSSCAN_TIMEOUT_SECONDS AI_RATE_PER_MIN_FREE AI_RATE_PER_MIN_PRO
AI_RATE_PER_MIN_ENTERPRISE AI_ENFORCE_RATE_LIMIT_DEBUG AI_TEST_OPEN CSP_SCRIPT_SRC CSP_STYLE_SRC CSP_CONNECT_SRC
CSP_ALLOW_INLINE_STYLES
"""
SETTINGS = _NAMED.split()
SYMPTOMS = {
    "subscription state not reflecting changes": "stripe-webhooks",
    "free users blocked or over-cap, pro caps not applied": "quota",
    "402 ai_requires_pro; async jobs not completing": "ai-gate",
    "unexpected 429s under light load": "ai-rate-limits",
    "export not generating or missing URL": "exports",
    "400 mismatched_signature or infected; 413 file_too_large": "uploads",
}
DEBUG = ("DEBUG=1", "STRIPE_WEBHOOK_SECRET=", "AI_ENFORCE_RATE_LIMIT_DEBUG=1", "AI_RATE_PER_MIN_PRO=1",
         "AI_RATE_PER_MIN_FREE=5", "API_RATE_PER_MIN_ANON=5000", "CSP_CONNECT_SRC=https://api.example")  # fmt: skip


class TestNames:
    @pytest.mark.parametrize("task", TASKS)
    def test_the_task_is_there(self, task: str) -> None:
        tasks = json.loads((ROOT / ".vscode" / "tasks.json").read_text())["tasks"]
        assert task in {one["label"] for one in tasks}

    @pytest.mark.parametrize("file", [*PAGES, *SCRIPTS])
    def test_the_file_is_there(self, file: str) -> None:
        assert (ROOT / file).is_file()

    @pytest.mark.parametrize("page", PAGES[1:])
    def test_the_index_leads_to_the_page(self, page: str) -> None:
        assert f"({Path(page).name})" in (ROOT / PAGES[0]).read_text()

    @pytest.mark.parametrize(("then", "now"), NOW.items())
    def test_what_lies_elsewhere_now_is_named_on_the_page(self, then: str, now: str) -> None:
        assert list(ROOT.glob(now)), then
        assert Path(now).name in (ROOT / "docs" / "rls_postgres.md").read_text()

    @pytest.mark.parametrize("key", SETTINGS)
    def test_the_setting_exists_and_is_explained(self, key: str) -> None:
        assert is_known(key)
        assert re.search(rf"\b{key}\b", (ROOT / "docs" / "settings.md").read_text())

    @pytest.mark.parametrize(("symptom", "page"), SYMPTOMS.items())
    def test_the_symptom_has_its_page(self, symptom: str, page: str) -> None:
        text = (ROOT / "docs" / "runbook" / f"{page}.md").read_text()
        index = (ROOT / "docs" / "runbook" / "README.md").read_text()
        assert f"({page}.md)" in index
        for code in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", symptom):
            assert code in text + index

    @pytest.mark.parametrize("key", ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
    def test_doctor_says_that_celerys_keys_are_read_no_more(self, key: str, tmp_path: Path) -> None:
        (tmp_path / "env").write_text(f"{key}=redis://localhost\n")
        done = subprocess.run(
            [sys.executable, ROOT / "bidwright", "doctor", "--env", tmp_path / "env"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert key in done.stdout


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running_stack(ROOT, *DEBUG) as running:
        yield running


@pytest.fixture(scope="module")
def person(stack: RunningStack) -> Person:
    found = Person(stack)
    found.sign_up()
    return found


@pytest.mark.e2e
@pytest.mark.timeout(240)
class TestOnARunningProduct:
    def test_healthz_answers_200(self, stack: RunningStack) -> None:
        assert httpx.get(f"{stack.base_url}/healthz").status_code == 200

    def test_usage_with_and_without_an_org(self, stack: RunningStack, person: Person) -> None:
        personal = person.http.get("/api/usage")
        assert (personal.status_code, personal.json()["scope"]["personal"]) == (200, True)
        org = personal.json()["scope"]["org_id"]
        assert person.http.get("/api/usage", headers={"X-Org-ID": org}).json()["scope"]["org_id"] == org
        stranger = httpx.get(f"{stack.base_url}/api/usage")
        assert (stranger.status_code, stranger.headers["content-type"]) == (401, "application/problem+json")

    def test_the_app_loads(self, stack: RunningStack) -> None:
        answer = httpx.get(f"{stack.base_url}/app")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")

    def test_the_policy_takes_origins_and_always_has_self(self, stack: RunningStack) -> None:
        policy = httpx.get(f"{stack.base_url}/app").headers["content-security-policy"]
        assert "connect-src 'self' https://api.example" in policy
        assert "unsafe-inline" not in policy

    def test_in_debug_an_unsigned_webhook_is_taken(self, stack: RunningStack) -> None:
        event = {"id": "evt_seed", "object": "event", "type": "customer.created", "created": 1, "livemode": False}
        body: dict[str, Any] = {**event, "data": {"object": {"id": "cus_seed", "object": "customer"}}}
        assert httpx.post(f"{stack.base_url}/api/stripe/webhook", json=body).status_code == 200

    def test_the_second_rapid_ai_call_is_a_429_with_the_limit_in_its_headers(self, person: Person) -> None:
        made = person.json("POST", "/api/proposals", json={"title": "A", "call_text": "1. Need"}, expect=201)
        section = person.json("POST", f"/api/proposals/{made['id']}/sections", json={"title": "Need"}, expect=201)
        body = {"section_id": section["id"], "answers": {}}
        first, second = (person.http.post("/api/ai/write", json=body) for _ in range(2))
        assert first.status_code < 300, first.text
        assert (second.status_code, second.json()["error"]) == (429, "rate_limited"), second.text
        for answer in (first, second):
            assert {"x-ai-rate-limit", "x-ai-rate-remaining"} <= set(answer.headers)

    def test_its_stuck_key_can_be_removed(self, stack: RunningStack, person: Person) -> None:
        user = person.http.get("/api/me").json()["user"]["id"]
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "purge_single_write.py", user, "--yes"],
            env={"REDIS_URL": stack.env["REDIS_URL"]}, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def test_each_worker_runs_and_can_be_started_anew_by_the_task(self, stack: RunningStack) -> None:
        stack.command("restart", "ai-worker")
        parts = json.loads(stack.command("status", "--json").stdout)
        assert all(part["ready"] for part in parts if part["kind"] == "worker")

    def test_the_task_for_the_app_serves_it_in_front_of_the_product(self, stack: RunningStack) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        argv = [sys.executable, str(ROOT / "bidwright"), "web", "--data", str(stack.data), "--port", port]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

        def answers() -> bool:
            try:
                page = httpx.get(f"http://localhost:{port}/app/")
                usage = httpx.get(f"http://localhost:{port}/api/usage")
            except httpx.TransportError:
                return False
            return "text/html" in page.headers["content-type"] and usage.json()["error"] == "unauthenticated"

        try:
            assert eventually(answers, "the app is served")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=20)
