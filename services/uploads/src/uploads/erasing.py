"""The job that erases a deleted org."""

from __future__ import annotations

from typing import Any

from common.db import UnitOfWork
from common.jobs import JobContext
from common.telemetry import get_logger
from uploads import events, telemetry
from uploads.deps import Deps
from uploads.repository import UploadRepository

log = get_logger()


async def erase_org(ctx: JobContext[Deps], _payload: dict[str, Any]) -> dict[str, Any]:
    """Removes every byte and row of a deleted org; the receipt commits with the rows."""
    org_id = ctx.job.org_id
    if org_id is None:
        raise ValueError(f"job {ctx.job.id} has no org")
    await ctx.deps.store.delete_org(org_id)

    async def finish(uow: UnitOfWork) -> None:
        await UploadRepository(uow.session, org_id).delete_all()
        uow.publish(events.org_erased(org_id, ctx.deps.clock.now()))
        log.info(telemetry.ORG_ERASED, org_id=str(org_id))

    ctx.on_finish = finish
    return {}
