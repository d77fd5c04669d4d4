"""Every part of a running product is restarted, one after the other, while people work in all of them: what anybody was
told is kept is there afterwards, and whoever is refused is told to come back."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from ai_fake.testing import FakeProcess
from contracts import SERVICES
from devstack.running import RunningStack, running_stack

from .steady_load import SteadyLoad

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

TEXT = " ".join(f"word{number}" for number in range(80))
AGAIN_SECONDS = 30.0
"""Until everything answers again after a restart."""
KINDS = ("read", "proposal", "upload", "invite", "webhook", "text", "export")
ROLLED = (*((service, f"{service}-worker") for service in SERVICES), ("valkey", "nats"), ("postgres",))
"""Part by part; between the groups everybody gets something done."""


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """A product of its own: this test restarts its parts."""
    limits = ("DEBUG=1", "QUOTA_FREE_ACTIVE_CAP=100000", "API_RATE_PER_MIN_FREE=100000", "API_RATE_PER_MIN_ANON=100000")
    with FakeProcess() as fake:
        fake.always("openai", {"text": TEXT, "delta_ms": 100, "usage": [100, 50]})
        vendor = ("AI_PROVIDER=openai", f"OPENAI_BASE_URL={fake.url}/v1")
        with running_stack(pytestconfig.rootpath, *limits, *vendor) as running:
            yield running


@contextlib.asynccontextmanager
async def someone(stack: RunningStack) -> Any:
    headers = {"Origin": stack.base_url}
    async with httpx.AsyncClient(base_url=stack.base_url, headers=headers, timeout=60, trust_env=False) as http:
        body = {"email": "rolling@example.org", "password": "correct horse battery", "name": "Rolling"}
        token = (await http.post("/api/auth/register", json=body)).json()["verify_token"]
        (await http.post("/api/auth/email/verify", json={"token": token})).raise_for_status()
        yield http


async def test_no_restart_loses_a_write_or_a_stream_or_answers_but_come_back(
    stack: RunningStack, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []
    async with someone(stack) as http:
        load = SteadyLoad(http, stack.env["STRIPE_WEBHOOK_SECRET"], TEXT)
        await load.start()
        await load.all_answer_again(KINDS, AGAIN_SECONDS)
        for parts in ROLLED:
            for part in parts:
                load.part = part
                since = time.monotonic()
                await asyncio.to_thread(stack.command, "restart", part)
                refused = sum(count for (which, _), count in load.refused.items() if which == part)
                lines.append(f"{part:<16} restarted in {time.monotonic() - since:4.1f} s, {refused} refused")
            again = await load.all_answer_again(KINDS, AGAIN_SECONDS)
            lines[-1] += f", everything again after {again:.1f} s"
        await load.stop()
        with capsys.disabled():
            kept = {kind: len(promised) for kind, promised in load.promises.items()}
            print("\n" + "\n".join(lines) + f"\n{load.succeeded.total()} succeeded, promised {kept}")
        assert dict(load.faults) == {}
        assert all(load.promises.values()), "nothing of one kind was promised: nothing was tried"
        await everything_is_kept(stack, http, load)


async def everything_is_kept(stack: RunningStack, http: httpx.AsyncClient, load: SteadyLoad) -> None:
    """Every promise, asked for where it is kept: by the API where it lists one by one, in the tables for the many."""
    promises = load.promises
    for section, text in promises["text"].items():
        kept = (await http.get(f"/api/sections/{section}")).raise_for_status().json()["text"]
        assert kept in {text, *load.maybe[section]}
    query = {
        "proposal": "SELECT id::text FROM ai.proposals",
        "webhook": "SELECT event_id FROM billing.stripe_events WHERE handled_at IS NOT NULL",
        "upload": "SELECT id::text FROM uploads.uploads WHERE status = 'ready'",
        "export": "SELECT id::text FROM exports.exports WHERE status = 'done'",
        "draft": "SELECT id::text FROM ai.jobs WHERE status = 'succeeded'",
    }
    for kind, statement in query.items():
        await until(lambda k=kind, s=statement: promises[k].keys() - column(stack, s), f"{kind} promised and not kept")
    for upload, sha256 in list(promises["upload"].items())[-20:]:
        content = await http.get(f"/api/uploads/{upload}/file")
        kept = (await http.get(f"/api/uploads/{upload}")).raise_for_status().json()
        assert (kept["sha256"], content.status_code, hashlib.sha256(content.content).hexdigest()) == (
            sha256,
            200,
            sha256,
        )
    # What goes on behind the answers: a mail for each invite, a count for each proposal, no message left or laid aside.
    await until(lambda: promises["invite"].keys() - {mail["to"] for mail in mails(stack)}, "invites without a mail")
    made, counted = "SELECT id FROM ai.proposals", "SELECT proposal_id FROM billing.proposal_counts"
    await until(lambda: column(stack, made) ^ column(stack, counted), "proposals that billing has not heard of")
    for service in SERVICES:
        left = f"SELECT id FROM {service}.outbox WHERE published_at IS NULL"
        await until(lambda s=left: column(stack, s), f"{service}'s outbox is not empty")
    assert stack.command("events", "dead", "list", check=False).stdout.count("\n") <= 1


def column(stack: RunningStack, statement: str) -> set[Any]:
    with psycopg.connect(stack.env["BACKUP_DATABASE_URL"], connect_timeout=5) as connection:
        return {row[0] for row in connection.execute(statement)}  # type: ignore[arg-type]  # statements of this file


def mails(stack: RunningStack) -> list[dict[str, Any]]:
    return list(json.loads(stack.command("mail", "--json").stdout)["items"])


async def until(missing: Any, what: str, seconds: float = AGAIN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while found := await asyncio.to_thread(missing):
        assert time.monotonic() < deadline, f"{what}: {len(found)}, such as {list(found)[:3]}"
        await asyncio.sleep(0.3)
