"""The version of a picture that is handed out: made by the worker, in the sandboxed child, from the original.

It lies beside the original under the original's SHA-256, and lives as long as that does. The original itself is read
for its text and is never handed out.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from common.db import Tenant, UnitOfWork
from common.errors import Conflict, NotYetConsistent
from common.jobs import JobContext
from common.plumbing import Job
from common.telemetry import get_logger
from uploads import sandbox, storing, telemetry
from uploads.deps import Deps
from uploads.models import Upload
from uploads.repository import UploadRepository

PICTURE: Final = "picture"
PICTURES: Final = frozenset({"png", "jpeg"})
OUTPUT_FACTOR: Final = 4
OUTPUT_LEAST: Final = 16 << 20
"""So large may the new file become: a PNG that was packed with great care, or a JPEG of low quality, grows."""
SECONDS: Final = 60.0
"""For one picture; the largest that is accepted (64 megapixels) takes some ten."""

log = get_logger()


class CannotBeShown(Conflict):
    """This picture cannot be made ready for download; save it with another program and upload that."""

    error = "cannot_be_shown"
    title = "No download"


async def run(ctx: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Encodes one picture anew; its row names the result together with the job's success."""
    deps, upload_id, org_id = ctx.deps, UUID(payload["upload_id"]), _org(ctx.job)
    async with ctx.unit_of_work() as uow:
        upload = await UploadRepository(uow.session, org_id).get(upload_id)
    made: tuple[str, int] | None = None
    if upload is not None and upload.shown_sha256 is None:
        made = await _make(deps, upload)

    async def finish(uow: UnitOfWork) -> None:
        repository = UploadRepository(uow.session, org_id)
        await repository.lock_storage()
        current = await repository.get(upload_id, for_update=True)
        if current is None:
            # Deleted meanwhile, maybe before our write: the sweep looks once more.
            storing.mark(deps, repository, Upload(id=upload_id, org_id=org_id, sha256=payload["sha256"]))
        elif made is not None:
            current.shown_sha256, current.shown_size = made

    ctx.on_finish = finish
    return {"size": made[1] if made else None}


async def on_failure(uow: UnitOfWork, job: Job, _deps: Deps) -> None:
    """Every attempt failed: whoever asks for the picture is told."""
    upload = await UploadRepository(uow.session, _org(job)).get(UUID(job.payload["upload_id"]), for_update=True)
    if upload is not None and upload.shown_sha256 is None:
        upload.shown_size = 0


async def shown(deps: Deps, upload: Upload) -> tuple[str, int]:
    """SHA-256 and size of what is handed out.

    Raises NotYetConsistent until it is made, CannotBeShown when it cannot be.
    """
    if upload.shown_sha256 is not None and upload.shown_size is not None:
        return upload.shown_sha256, upload.shown_size
    if upload.shown_size is not None:
        raise CannotBeShown
    async with deps.db.unit_of_work(Tenant(org_id=upload.org_id)) as uow:
        if not await UploadRepository(uow.session, upload.org_id).has_job(
            PICTURE, upload.id
        ):  # of before there were any
            enqueue(uow, upload)
            await uow.commit()
    raise NotYetConsistent("The picture is being made ready for download; try again in a moment.", retry_after=2)


def enqueue(uow: UnitOfWork, upload: Upload) -> None:
    """Has the picture made, if it is one."""
    if upload.kind in PICTURES:
        uow.enqueue(PICTURE, {"upload_id": str(upload.id), "sha256": upload.sha256}, org_id=upload.org_id)


async def _make(deps: Deps, upload: Upload) -> tuple[str, int]:
    chunks = deps.store.stream(upload.org_id, upload.sha256)
    async with deps.staging.copy(chunks) as source, deps.staging.new() as target:
        limits = sandbox.Limits(deps.extraction_limits.memory_bytes, SECONDS, SECONDS)
        most = max(OUTPUT_LEAST, OUTPUT_FACTOR * upload.size)
        try:
            await sandbox.encode(upload.kind, source, target.path, limits, output_bytes=most)
        except sandbox.ChildFailed as failed:
            log.warning("upload.picture_failed", upload_id=str(upload.id), failure=failed.failure, error=failed.detail)
            raise
        made = await asyncio.to_thread(_measure, target.path)
        await deps.store.put_at(storing.shown_key(upload.org_id, upload.sha256), target.path)
    telemetry.PICTURES.inc()
    return made


def _measure(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _org(job: Job) -> UUID:
    if job.org_id is None:
        raise ValueError(f"job {job.id} has no org")
    return job.org_id
