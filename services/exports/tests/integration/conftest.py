"""The service on real servers: its API in this process, its worker as the process that production runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from common.health import Health
from common.testing import IdentityIssuer
from devstack import ports
from devstack.pytest_plugin import DatabaseFactory, ServiceDatabase, UrlFactory
from exports.app import create_app
from exports.bootstrap import open_deps
from exports.deps import Deps
from exports.settings import Settings

from .story import MakeOrg, Org, Publisher, eventually

SECRET = "a secret that is long enough to be one: 0123456789"


@pytest.fixture(scope="module")
def database(service_database: DatabaseFactory) -> ServiceDatabase:
    return service_database("exports")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def environment(database: ServiceDatabase, nats_url: UrlFactory, objects: Path) -> dict[str, str]:
    """What the launcher would give a process of this service."""
    return {
        "SECRET_KEY": SECRET,
        "PORT": "0",
        "DATABASE_URL": database.app_url,
        "NATS_URL": nats_url("exports"),
        "STORAGE_URL": f"file://{objects}",
        "EXPORT_WAIT_SECONDS": "4",
        "EXPORT_SYNC_SECONDS": "20",
        "IDENTITY_JWKS_URL": "",
    }


def read_settings(environment: dict[str, str]) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment.items():
            patch.setenv(key, value)
        return Settings()


@dataclass
class Process:
    """A child of ours that is stopped with the test."""

    child: asyncio.subprocess.Process
    log: Path

    async def stop(self) -> int:
        if self.child.returncode is None:
            self.child.terminate()
        async with asyncio.timeout(15):
            return await self.child.wait()


async def start_worker(environment: dict[str, str], database: ServiceDatabase, folder: Path) -> Process:
    """The worker's process, ready."""
    log = folder / f"worker-{uuid4().hex[:6]}.log"
    port = ports.free_port()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exports.main",
        "worker",
        env={**os.environ, **environment, "DATABASE_URL": database.worker_url, "PORT": str(port)},
        stderr=log.open("wb"),
    )

    async def ready() -> bool:
        assert child.returncode is None, log.read_text()
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    await eventually(ready, "the worker is ready", seconds=30)
    return Process(child, log)


@pytest.fixture(scope="module")
async def worker(
    environment: dict[str, str], database: ServiceDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    process = await start_worker(environment, database, tmp_path_factory.mktemp("worker"))
    yield process
    code = await process.stop()
    assert code == 0, process.log.read_text()[-3000:]


@pytest.fixture(scope="module")
async def deps(environment: dict[str, str]) -> AsyncIterator[Deps]:
    async with open_deps(read_settings(environment)) as deps:
        yield deps


@pytest.fixture(scope="module")
def issuer() -> IdentityIssuer:
    return IdentityIssuer("exports")


@pytest.fixture(scope="module")
async def client(deps: Deps, issuer: IdentityIssuer) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(deps.settings, nullcontext(deps), health=Health(), verifier=issuer.verifier)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exports", timeout=60) as client:
            yield client


@pytest.fixture(scope="module")
async def publish(nats_url: UrlFactory) -> AsyncIterator[Publisher]:
    publisher = Publisher(nats_url)
    yield publisher
    await publisher.close()


@pytest.fixture(scope="module")
def new_org(publish: Publisher, client: httpx.AsyncClient, issuer: IdentityIssuer, worker: Process) -> MakeOrg:
    return lambda: Org(publish, client, issuer)


@pytest.fixture
async def org(new_org: MakeOrg) -> Org:
    return await new_org().created()
