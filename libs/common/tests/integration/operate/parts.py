"""The command as its own process, billing's consumer, and what the tests of `common.operate` do with them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nats.js import JetStreamContext

from common.bus import Bus
from common.clock import SystemClock
from common.db import Database, Tenant
from common.ids import new_id
from common.inbox import Consumer
from common.operate import letters
from contracts.gateway import OrgCreated, OrgRenamed

CLOCK = SystemClock()


@dataclass
class Command:
    """The command with a stack's addresses."""

    env: dict[str, str]

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        argv = (sys.executable, "-m", "common.operate", *words)
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe, env={**os.environ, **self.env})

    async def run(self, *words: str) -> tuple[int, str]:
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, (out + err).decode()

    async def items(self, *words: str) -> list[dict[str, Any]]:
        code, said = await self.run(*words, "--json")
        assert code == 0, said
        found: list[dict[str, Any]] = json.loads(said)["items"]
        return found


@dataclass
class Billing:
    """Billing's consumer with a handler that may be broken, and what came of each event."""

    database: Database
    bus: Bus
    consumer: Consumer
    names: list[str]
    broken: set[str]
    failures: list[str]


async def publish(database: Database, *events: OrgCreated | OrgRenamed) -> list[UUID]:
    async with database.unit_of_work(Tenant(org_id=events[0].org_id)) as uow:
        ids = [uow.publish(event) for event in events]
        await uow.commit()
    return ids


def created(org: UUID) -> OrgCreated:
    return OrgCreated(
        org_id=org, version=1, name="A", personal=False, owner_user_id=new_id(), created_at=datetime.now(UTC)
    )


async def until(check: Any, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


async def parked(js: JetStreamContext, count: int = 1) -> list[letters.Letter]:
    async def enough() -> bool:
        return len(await letters.read(js, "billing")) >= count

    await until(enough)
    return await letters.read(js, "billing")
