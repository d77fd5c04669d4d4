"""Valkey may be lost at any moment: decisions go on, limits stay bounded, and what was revoked stays revoked."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack import ports
from devstack.servers import Valkey

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey of this module's own, to stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    folder.chmod(0o711)
    server = Valkey(folder, port=ports.free_port(), password="secret", log=folder / "valkey.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def redis_url(valkey: Valkey) -> str:
    return valkey.url(0)


@pytest.fixture(scope="module")
def gateway_settings() -> dict[str, str]:
    return {"API_RATE_PER_MIN_FREE": "30"}


@pytest.fixture
async def valkey_away(valkey: Valkey) -> AsyncIterator[None]:
    valkey.stop()
    yield
    if not valkey.alive:
        valkey.start()


async def metric(stack: Any, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{stack.gateway_url}/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_decisions_go_on_from_postgres_with_bounded_limits(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, valkey_away: None
) -> None:
    answers = await asyncio.gather(*(browser.get("/api/proposals") for _ in range(50)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 429}
    assert codes.count(200) == 30
    assert await metric(stack, "gateway_valkey_up") == 0
    assert await metric(stack, "gateway_local_limits_total") >= 50
    assert (await browser.get("/readyz")).json()["services"]["gateway"]["status"] == "ok"


async def test_what_is_revoked_meanwhile_stays_revoked_when_it_is_back(
    stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, valkey: Valkey
) -> None:
    async with stack.client() as other:
        body = {"email": person["user"]["email"], "password": "correct horse battery"}
        await other.post("/api/auth/login", json=body)
        assert (await other.get("/api/proposals")).status_code == 200  # now Valkey knows the session
        valkey.process.send_signal(19)  # SIGSTOP: it hangs with what it knows
        try:
            assert (await browser.delete("/api/auth/sessions")).status_code == 204
            assert (await other.get("/api/proposals")).status_code == 401
        finally:
            valkey.process.send_signal(18)
        await asyncio.sleep(2)
        assert (await other.get("/api/proposals")).status_code == 401
    assert await metric(stack, "gateway_valkey_up") == 1
