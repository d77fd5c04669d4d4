"""The service on real PostgreSQL and NATS: its API on a socket, its worker as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import nats
import pytest
import uvicorn
from nats.js import JetStreamContext

from ai.app import create_app
from ai.bootstrap import open_deps
from ai.deps import Deps
from ai.generation.ports import JobDeps
from ai.handlers import HANDLERS
from ai.providers.local import LocalProvider
from ai.providers.port import Provider
from ai.settings import Settings
from common.bus import Bus
from common.clock import SystemClock
from common.db import Database
from common.health import Health
from common.ids import new_id
from common.inbox import Consumer
from common.serve import uvicorn_config
from common.settings import read
from common.testing import IdentityIssuer
from contracts import Event
from contracts.billing import EntitlementsChanged, Limits
from contracts.uploads import FileAccepted, FileExtracted, Page
from devstack.pytest_plugin import DatabaseFactory, ServiceDatabase, UrlFactory

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Caller:
    """A person of an org, and the client that speaks for them."""

    http: httpx.AsyncClient
    org_id: UUID
    user_id: UUID
    headers: dict[str, str]

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.call("POST", path, json=body, headers=headers)

    async def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.call("PATCH", path, json=body, headers=headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        extra = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return await self.http.request(method, path, headers={**self.headers, **extra}, **options)

    async def proposal(self, **wish: Any) -> dict[str, Any]:
        answer = await self.post("/api/proposals", {"title": "Clean water for all", **wish})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def section(self, proposal_id: str, title: str = "Need", text: str = "") -> dict[str, Any]:
        answer = await self.post(f"/api/proposals/{proposal_id}/sections", {"title": title, "text": text})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until_done(self, job_id: str, seconds: float = 30) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                job: dict[str, Any] = (await self.get(f"/api/ai/jobs/{job_id}")).json()
                if job["status"] in ("succeeded", "failed", "cancelled"):
                    return job
                await asyncio.sleep(0.05)


@dataclass
class World:
    """What a module's tests share."""

    database: ServiceDatabase
    env: dict[str, str]
    issuer: IdentityIssuer
    consumer: Consumer
    js: JetStreamContext
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    def settings(self, url: str, **changes: str) -> Settings:
        with pytest.MonkeyPatch.context() as patch:
            for key, value in {**self.env, "DATABASE_URL": url, **changes}.items():
                patch.setenv(key, value)
            return read(Settings)

    async def hear(self, event: Event) -> None:
        """The service receives an event, as its consumer would apply it."""
        await self.consumer.apply(event, new_id())

    async def entitle(
        self, org_id: UUID, *, tier: str = "pro", version: int = 1, extras: int = 0, **limits: Any
    ) -> None:
        now = datetime.now(UTC)
        known = {
            "active_cap": 1 if tier == "free" else None,
            "monthly_cap": None if tier == "free" else 20,
            "seats": 1,
            "ai_per_minute": None,
            "ai_daily": None,
            "ai_monthly_tokens": None,
            "storage_bytes": None,
            "upload_max_bytes": 10_000_000,
        }
        await self.hear(
            EntitlementsChanged.model_validate(
                {
                    "org_id": org_id,
                    "version": version,
                    "tier": tier,
                    "status": "active",
                    "limits": Limits.model_validate(known | limits),
                    "extras_granted": extras,
                    "period_start": now - timedelta(days=1),
                    "period_end": now + timedelta(days=29),
                    "grace_ends_at": None,
                }
            )
        )

    async def upload(
        self, org_id: UUID, pages: list[str], *, status: str = "ready", proposal_id: UUID | None = None
    ) -> UUID:
        """An upload of the org, as the uploads service tells of it."""
        upload_id = new_id()
        accepted = FileAccepted.EXAMPLE | {"org_id": org_id, "upload_id": upload_id, "proposal_id": proposal_id}
        await self.hear(FileAccepted.model_validate(accepted))
        extracted = FileExtracted(
            org_id=org_id,
            version=2,
            upload_id=upload_id,
            filename="report.pdf",
            proposal_id=proposal_id,
            status="ready" if status == "ready" else "unreadable",
            pages=tuple(Page(number=number, text=text) for number, text in enumerate(pages, start=1)),
        )
        await self.hear(extracted)
        return upload_id

    async def start_worker(self, *program: str, **changes: str) -> asyncio.subprocess.Process:
        """The worker as a process; `program` replaces it by another script, `changes` are settings."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(program or ("-m", "ai.main", "worker")),
            env={**self.env, "DATABASE_URL": self.database.worker_url, "PORT": str(free_port()), **changes},
        )
        self.workers.append(process)
        return process

    async def stop_worker(self, process: asyncio.subprocess.Process, how: int = signal.SIGTERM) -> int:
        if process.returncode is None:
            process.send_signal(how)
        self.workers.remove(process)
        return await process.wait()

    @asynccontextmanager
    async def serve(self, provider: Provider | None = None, **changes: str) -> AsyncIterator[httpx.AsyncClient]:
        """The API on a socket; a client for it."""
        settings = self.settings(self.database.app_url, **changes)
        port = free_port()
        app = create_app(
            settings, open_deps(settings, provider=provider), health=Health(), verifier=self.issuer.verifier
        )
        server = uvicorn.Server(uvicorn_config(app, host="127.0.0.1", port=port, grace_seconds=2))
        task = asyncio.create_task(server._serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            yield client
        server.should_exit = True
        await task

    def caller(self, client: httpx.AsyncClient, org_id: UUID | None = None, **identity: Any) -> Caller:
        """A person in an org; by default in a new one."""
        org, user = org_id or new_id(), new_id()
        return Caller(client, org, user, self.issuer.headers(user_id=user, org_id=org, **identity))

    async def published(self, subject: str, org_id: UUID, count: int, seconds: float = 15) -> list[dict[str, Any]]:
        """The first so many events about an org under a subject, once a worker has sent them."""
        import json

        found: list[dict[str, Any]] = []
        subscription = await self.js.subscribe(subject, ordered_consumer=True)
        try:
            async with asyncio.timeout(seconds):
                while len(found) < count:
                    body = json.loads((await subscription.next_msg(timeout=seconds)).data)
                    if body["org_id"] == str(org_id):
                        found.append(body)
        finally:
            await subscription.unsubscribe()
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def world(service_database: DatabaseFactory, nats_url: UrlFactory) -> AsyncIterator[World]:
    database = service_database("ai")
    env = {
        "PATH": os.environ["PATH"],
        "NATS_URL": nats_url("ai"),
        "SECRET_KEY": "s" * 32,
        "PORT": "0",
        "LOG_FORMAT": "console",
        "LOG_LEVEL": "warning",
    }
    bus = Bus(env["NATS_URL"], service="ai")
    await bus.connect()
    db = Database(database.worker_url, service="ai", clock=SystemClock(), poke=bus.poke)
    admin = await nats.connect(nats_url("admin"))
    consumer = Consumer(db, bus, HANDLERS, JobDeps(SystemClock(), LocalProvider()))
    world = World(database, env, IdentityIssuer("ai"), consumer, admin.jetstream())
    yield world
    for process in list(world.workers):
        await world.stop_worker(process)
    await admin.close()
    await db.close()
    await bus.close()


@pytest.fixture(scope="module")
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.serve() as client:
        yield client


Entitled = Callable[..., Awaitable[Caller]]


@pytest.fixture
def entitled(world: World, http: httpx.AsyncClient) -> Entitled:
    """Makes a person in a new org of a tier (pro unless said otherwise)."""

    async def make(client: httpx.AsyncClient = http, **entitlement: Any) -> Caller:
        caller = world.caller(client)
        await world.entitle(caller.org_id, **entitlement)
        return caller

    return make


__all__ = ["Caller", "Deps", "Entitled", "World"]
