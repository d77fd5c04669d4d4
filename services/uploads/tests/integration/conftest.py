"""The service as it runs: its API on a socket, its worker as a process, on real PostgreSQL and NATS."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import nats
import pytest
import uvicorn
from nats.js import JetStreamContext

from common.health import Health
from common.ids import new_id
from common.serve import uvicorn_config
from common.testing import IdentityIssuer
from contracts import Event
from devstack.pytest_plugin import DatabaseFactory, ServiceDatabase, UrlFactory
from uploads.app import create_app
from uploads.bootstrap import open_deps
from uploads.deps import Deps
from uploads.settings import Settings

LIMIT = 300_000


@dataclass(frozen=True)
class Caller:
    """A person of an org, and the client that speaks for them."""

    http: httpx.AsyncClient
    org_id: UUID
    user_id: UUID
    headers: dict[str, str]

    async def upload(self, data: bytes, filename: str, **fields: Any) -> httpx.Response:
        content_type = fields.pop("content_type", "application/octet-stream")
        files = {"file": (filename, data, content_type)}
        return await self.http.post("/api/uploads", headers=self.headers, files=files, data=fields)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={**self.headers, **headers})

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(path, headers=self.headers)

    async def until(self, upload_id: str, status: str = "ready", seconds: float = 30) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                body: dict[str, Any] = (await self.get(f"/api/uploads/{upload_id}")).json()
                if body["status"] == status:
                    return body
                await asyncio.sleep(0.05)


@dataclass
class Workers:
    """Starts workers as processes and stops them."""

    env: dict[str, str]
    log: Path
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, **env: str) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "uploads.main", "worker"),
                env={**self.env, "PORT": str(free_port()), **env},
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    async def stop(self, process: asyncio.subprocess.Process, how: int = signal.SIGTERM) -> int:
        if process.returncode is None:
            process.send_signal(how)
        self.running.remove(process)
        return await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def database(service_database: DatabaseFactory) -> ServiceDatabase:
    return service_database("uploads")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def env(database: ServiceDatabase, nats_url: UrlFactory, objects: Path) -> dict[str, str]:
    """What the launcher would give a worker."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.worker_url,
        "NATS_URL": nats_url("uploads"),
        "STORAGE_URL": f"file://{objects}",
        "SECRET_KEY": "s" * 32,
        "PORT": "0",
        "FILE_UPLOAD_MAX_BYTES": str(LIMIT),
        "LOG_FORMAT": "console",
    }


@pytest.fixture(scope="module")
def make_settings(env: dict[str, str], database: ServiceDatabase) -> Callable[..., Settings]:
    """Settings of an API; `changes` are environment variables."""

    def make(url: str = database.app_url, **changes: str) -> Settings:
        values: dict[str, Any] = {**env, "DATABASE_URL": url, **changes}
        return Settings(**{key.lower(): value for key, value in values.items()})

    return make


@pytest.fixture(scope="module")
async def deps(make_settings: Callable[..., Settings]) -> AsyncIterator[Deps]:
    """What the API's use cases have."""
    async with open_deps(make_settings()) as opened:
        yield opened


ServeApi = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="module")
async def serve_api(make_settings: Callable[..., Settings], issuer: IdentityIssuer) -> AsyncIterator[ServeApi]:
    """Puts an API with these settings on a socket; returns a client for it."""
    started: list[tuple[uvicorn.Server, asyncio.Task[None], httpx.AsyncClient]] = []

    async def start(**changes: str) -> httpx.AsyncClient:
        port, settings = free_port(), make_settings(**changes)
        app = create_app(settings, open_deps(settings), health=Health(), verifier=issuer.verifier)
        server = uvicorn.Server(uvicorn_config(app, host="127.0.0.1", port=port, grace_seconds=2))
        task = asyncio.create_task(server._serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        started.append((server, task, client))
        return client

    yield start
    for server, task, client in started:
        await client.aclose()
        server.should_exit = True
        await task


@pytest.fixture(scope="module")
def issuer() -> IdentityIssuer:
    return IdentityIssuer("uploads")


@pytest.fixture(scope="module")
async def http(serve_api: ServeApi) -> httpx.AsyncClient:
    return await serve_api()


@pytest.fixture
def caller(http: httpx.AsyncClient, issuer: IdentityIssuer) -> Callable[..., Caller]:
    """Makes a person in an org; by default each in a new one."""

    def make(org_id: UUID | None = None, client: httpx.AsyncClient = http, **identity: Any) -> Caller:
        org, user = org_id or new_id(), new_id()
        return Caller(client, org, user, issuer.headers(user_id=user, org_id=org, **identity))

    return make


@pytest.fixture(scope="module")
async def large(serve_api: Any) -> httpx.AsyncClient:
    """An API that takes files above the size from which clients use this path."""
    client: httpx.AsyncClient = await serve_api(FILE_UPLOAD_MAX_BYTES="10485760")
    return client


@pytest.fixture
def ada(caller: Any, large: httpx.AsyncClient) -> Any:
    return caller(client=large)


@pytest.fixture
async def workers(env: dict[str, str], tmp_path: Path) -> AsyncIterator[Workers]:
    group = Workers(env, tmp_path / "worker.log")
    yield group
    for process in list(group.running):
        await group.stop(process)


@pytest.fixture(scope="module")
async def admin_js(nats_url: UrlFactory) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(nats_url("admin"))
    yield client.jetstream()
    await client.close()


@pytest.fixture
def tell(admin_js: JetStreamContext) -> Callable[[Event], Awaitable[None]]:
    """Publishes an event as its producer would."""

    async def publish(event: Event) -> None:
        event_id = str(new_id())
        headers = {"ce-id": event_id, "ce-type": event.META.type, "Nats-Msg-Id": event_id}
        await admin_js.publish(event.META.subject, event.model_dump_json().encode(), headers=headers)

    return publish


@pytest.fixture
def heard(admin_js: JetStreamContext) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Waits until so many events about an org have been published under a subject, and returns them."""

    async def wait(subject: str, org_id: UUID, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        subscription = await admin_js.subscribe(subject, ordered_consumer=True)
        try:
            async with asyncio.timeout(seconds):
                while len(found) < count:
                    body = json.loads((await subscription.next_msg(timeout=seconds)).data)
                    if body["org_id"] == str(org_id):
                        found.append(body)
        finally:
            await subscription.unsubscribe()
        return found

    return wait


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def files_of(objects: Path) -> Callable[[UUID], list[Path]]:
    """The objects that are stored for an org."""
    return lambda org_id: stored_files(objects / "uploads" / str(org_id))


@pytest.fixture
def staged(objects: Path) -> Callable[[], list[Path]]:
    """The files that lie in the staging folder."""
    return lambda: stored_files(objects / "uploads" / ".staging")
