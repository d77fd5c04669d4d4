"""The real thing: gateway and worker as processes, Envoy before them, an echo in the place of the other services."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import nats
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.billing import EntitlementsChanged
from devstack import ports
from devstack.servers import Envoy
from gateway.edge.config import render
from gateway.edge.settings import EdgeSettings

PASSWORD = "correct horse battery"
BODY_CAP = 100_000
UPLOAD_CAP = 200_000
START_SECONDS = 60


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what arrived; a path that ends in /events streams, slowly."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode(), []).append(value.decode())
    stream = scope["path"].endswith("/events")
    kind = b"text/event-stream" if stream else b"application/json"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    if stream:
        for number in range(3):
            await send({"type": "http.response.body", "body": f"id: {number}\n\n".encode(), "more_body": True})
            await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b""})
        return
    body = {"method": scope["method"], "path": scope["path"], "headers": headers, "size": size}
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """An ASGI app on a port of the loopback, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)  # uvicorn sets a flag and no event
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)


@pytest.fixture(scope="session")
def echo_port() -> Iterator[int]:
    """Where the echo listens."""
    port = ports.free_port()
    with served(echo, port):
        yield port


@dataclass
class Stack:
    """What a test needs to talk to it."""

    base_url: str
    gateway_url: str
    mailbox: Path
    nats_billing: str
    env: dict[str, str]
    database: Any
    folder: Path
    access_log: Path
    _entitlement_versions: dict[UUID, int] = field(default_factory=dict)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser of its own, on our own pages."""
        return httpx.AsyncClient(
            base_url=self.base_url, headers={"origin": self.base_url, **headers}, timeout=20, trust_env=False
        )

    async def mail(self, to: str, subject: str = "", seconds: float = 10) -> dict[str, Any]:
        """The newest mail to someone, waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for file in sorted(self.mailbox.glob("*.json"), reverse=True):
                found: dict[str, Any] = json.loads(file.read_text())
                if found["to"] == to and subject in found["subject"]:
                    return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"no mail to {to}")

    async def mailed_token(self, to: str, subject: str = "") -> str:
        """The token in the newest mail's link."""
        link = (await self.mail(to, subject))["links"][0]
        return re.search(r"token=([\w-]+)", link)[1]  # type: ignore[index]

    async def new_person(self, client: httpx.AsyncClient, email: str | None = None) -> dict[str, Any]:
        """Registers, follows the mailed link and is signed in; returns /api/me."""
        email = email or f"{uuid4().hex[:12]}@example.org"
        body = {"email": email, "password": PASSWORD, "name": "Ada"}
        answer = await client.post("/api/auth/register", json=body)
        assert answer.status_code == 202, answer.text
        token = await self.mailed_token(email, "Confirm")
        answer = await client.post("/api/auth/email/verify", json={"token": token})
        assert answer.status_code == 200, answer.text
        me: dict[str, Any] = answer.json()
        return me

    async def set_tier(self, org_id: str, tier: str, seats: int | None = 1) -> None:
        """What billing would publish."""
        org = UUID(org_id)
        version = self._entitlement_versions.get(org, 0) + 1
        self._entitlement_versions[org] = version
        limits = {**EntitlementsChanged.EXAMPLE["limits"], "seats": seats}
        event = EntitlementsChanged.model_validate(
            EntitlementsChanged.EXAMPLE | {"org_id": org, "version": version, "tier": tier, "limits": limits}
        )
        event_id = str(uuid4())
        connection = await nats.connect(self.nats_billing, inbox_prefix="_INBOX_billing")
        await connection.jetstream().publish(
            event.META.subject,
            event.model_dump_json().encode(),
            headers={"ce-id": event_id, "ce-type": event.META.type, "ce-subject": org_id, "Nats-Msg-Id": event_id},
        )
        await connection.close()

    async def until_tier(self, client: httpx.AsyncClient, org_id: str, tier: str, seconds: float = 5) -> None:
        """Waits until the gateway knows it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            orgs = (await client.get("/api/me")).json()["orgs"]
            if any(org["id"] == org_id and org["tier"] == tier for org in orgs):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{org_id} did not become {tier}")


def start(args: list[str], env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A process of the gateway."""
    with log.open("ab") as out:
        return subprocess.Popen([sys.executable, "-m", "gateway.main", *args], env=env, stdout=out, stderr=out)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    """Overridden by a module that needs other settings."""
    return {}


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    service_database: Any,
    nats_url: Any,
    redis_url: str,
    echo_port: int,
    gateway_settings: dict[str, str],
) -> Iterator[Stack]:
    """Everything, for the module."""
    folder = tmp_path_factory.mktemp("gateway")
    chosen = ports.choose(["gateway", "worker", "edge", "envoy-admin"])
    database = service_database("gateway")
    web = folder / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html><title>Bidwright</title>")
    (web / "assets" / "app-1a2b3c.js").write_text("export const x = 1;\n" * 200)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    base_url = f"http://127.0.0.1:{chosen['edge']}"
    upstreams = {f"{name}_UPSTREAM": f"127.0.0.1:{echo_port}" for name in ("BILLING", "AI", "EXPORTS", "UPLOADS")}
    upstreams["GATEWAY_UPSTREAM"] = f"127.0.0.1:{chosen['gateway']}"
    env = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "s" * 40,
        "JWT_SIGNING_KEY": pem,
        "PUBLIC_BASE_URL": base_url,
        "NATS_URL": nats_url("gateway"),
        "REDIS_URL": redis_url,
        "MAILBOX_DIR": str(folder / "mailbox"),
        "WEB_DIST": str(web),
        "API_RATE_PER_MIN_ANON": "100000",
        "LOGIN_RATE_PER_MIN_ADDRESS": "100000",
        "API_RATE_PER_MIN_FREE": "2000",
        **upstreams,
        **gateway_settings,
    }
    api_env = env | {"DATABASE_URL": database.app_url, "PORT": str(chosen["gateway"])}
    worker_env = env | {"DATABASE_URL": database.worker_url, "PORT": str(chosen["worker"])}
    edge = EdgeSettings(
        public_base_url=base_url,
        edge_port=chosen["edge"],
        envoy_admin_port=chosen["envoy-admin"],
        file_upload_max_bytes=UPLOAD_CAP,
        edge_body_max_bytes=BODY_CAP,
        edge_access_log=folder / "access.log",
        upstreams={name.removesuffix("_UPSTREAM").lower(): value for name, value in upstreams.items()},
    )
    config = folder / "envoy.json"
    config.write_text(json.dumps(render(edge)))
    envoy = Envoy(folder / "envoy", port=chosen["edge"], admin_port=chosen["envoy-admin"], config=config)
    log = folder / "gateway.log"
    processes = [start(["api"], api_env, log), start(["worker"], worker_env, log)]
    gateway_url = f"http://127.0.0.1:{chosen['gateway']}"
    try:
        envoy.start()
        wait_for(f"{gateway_url}/readyz", processes[0], log)
        wait_for(f"http://127.0.0.1:{chosen['worker']}/readyz", processes[1], log)
        yield Stack(
            base_url,
            gateway_url,
            folder / "mailbox",
            nats_url("billing"),
            api_env,
            database,
            folder,
            edge.edge_access_log,
        )
    finally:
        envoy.stop()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        if "Traceback" in log.read_text():
            sys.stderr.write(log.read_text()[-8000:])


@pytest.fixture
def second_gateway(stack: Stack) -> Iterator[str]:
    """Another process of the gateway on the same servers."""
    port = ports.free_port()
    log = stack.folder / "second.log"
    process = start(["api"], stack.env | {"PORT": str(port)}, log)
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/healthz", process, log)
    yield url
    process.terminate()
    process.wait(30)


async def logged(access_log: Path, request_id: str, seconds: float = 5) -> dict[str, Any]:
    """The access log's line of a request; Envoy writes them once a second."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for line in (await asyncio.to_thread(access_log.read_text)).splitlines():
            if request_id in line:
                found: dict[str, Any] = json.loads(line)
                return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"no line with {request_id}")


@dataclass
class Edge:
    """An Envoy of a test's own, before the module's gateway."""

    url: str
    admin_url: str
    access_log: Path
    envoy: Envoy


@contextmanager
def another_edge(
    stack: Stack, folder: Path, *, upstreams: dict[str, str] | None = None, **settings: Any
) -> Iterator[Edge]:
    """Starts one with these settings; `upstreams` are host:port by service, in place of the module's."""
    chosen = ports.choose(["edge", "envoy-admin"])
    known = {key.removesuffix("_UPSTREAM").lower(): value for key, value in stack.env.items() if "_UPSTREAM" in key}
    edge = EdgeSettings(
        public_base_url=stack.base_url,
        edge_port=chosen["edge"],
        envoy_admin_port=chosen["envoy-admin"],
        edge_access_log=folder / "access.log",
        upstreams=known | (upstreams or {}),
        **settings,
    )
    config = folder / "envoy.json"
    config.write_text(json.dumps(render(edge)))
    envoy = Envoy(folder / "envoy", port=chosen["edge"], admin_port=chosen["envoy-admin"], config=config)
    envoy.start()
    try:
        base = "http://127.0.0.1"
        yield Edge(f"{base}:{chosen['edge']}", f"{base}:{chosen['envoy-admin']}", folder / "access.log", envoy)
    finally:
        envoy.stop()


@pytest.fixture
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session."""
    async with stack.client() as client:
        yield client


@pytest.fixture
async def person(stack: Stack, browser: httpx.AsyncClient) -> dict[str, Any]:
    """Someone who is signed in with `browser`."""
    return await stack.new_person(browser)
