"""A process that is killed at the worst moment: its file is in the object store, its transaction not yet committed.

python dying_process.py ORG USER PROPOSAL
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any
from uuid import UUID

from common.db import Tenant
from common.jobs import JobRunner
from common.storage import ObjectStore
from exports import service
from exports.bootstrap import open_deps
from exports.domain import Wish
from exports.jobs import job_kinds
from exports.settings import Settings

stored = ObjectStore.put


async def put_and_die(self: ObjectStore, *arguments: Any) -> None:
    await stored(self, *arguments)
    os.kill(os.getpid(), signal.SIGKILL)


async def main(org_id: str, user_id: str, proposal_id: str) -> None:
    ObjectStore.put = put_and_die  # type: ignore[method-assign]  # the moment to die in
    async with open_deps(Settings()) as deps:
        tenant = Tenant(org_id=UUID(org_id), user_id=UUID(user_id))
        runner = JobRunner(deps.db, job_kinds(60), deps)
        await service.request(deps, runner, tenant, UUID(proposal_id), Wish("docx"), revision=None, asynchronous=False)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
