"""The work behind an export: render a file, take one away, erase an org's. What runs it is `common.jobs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from common.db import UnitOfWork
from common.jobs import JobContext, JobFailed, JobKind
from common.plumbing import Job
from common.storage import StorageError
from contracts.exports import Format
from exports import events
from exports.copies import Copies
from exports.domain import fits
from exports.rendering.document import Document
from exports.rendering.errors import RenderInterrupted, RenderRefused
from exports.rendering.process import Rendered
from exports.repository import Exports, fail, finish
from exports.telemetry import RENDER_SECONDS
from exports.templates import Templates

if TYPE_CHECKING:
    from exports.deps import Deps

RENDER: Final = "render"
PURGE: Final = "purge"
ERASE_ORG: Final = "erase_org"

STORAGE_EXHAUSTED: Final = "storage_exhausted"
STORAGE_UNAVAILABLE: Final = "storage_unavailable"
TEMPLATE_REPLACED: Final = "template_replaced"
RENDER_SLACK_SECONDS: Final = 300.0
"""How long a file may wait for its turn before its attempt counts as failed."""


def _org(job: Job) -> UUID:
    assert job.org_id is not None, "every job of this service belongs to an org"
    return job.org_id


async def render(ctx: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Renders the export's content in a child process; stored, and published, together with the job's success."""
    export_id, org_id = UUID(payload["export_id"]), _org(ctx.job)
    async with ctx.unit_of_work() as uow:
        row = await Exports(uow, org_id).get(export_id)
        if row is None or row.status == "done":
            return {}  # deleted, or made, meanwhile
        if row.document is None:
            raise JobFailed("export_ended", "This export has failed; ask for it again.")
        document, file_format = Document.parse(row.document), cast(Format, row.format)
        template = None
        if document.template_sha256 is not None:
            template = await Templates(uow, org_id).content(document.template_sha256)
            if template is None:
                raise JobFailed(TEMPLATE_REPLACED, "The Word template was replaced meanwhile; export again.")
    try:
        with RENDER_SECONDS.labels(file_format).time():
            file = await ctx.deps.renderer.render(document, file_format, template)
    except RenderRefused as refusal:
        raise JobFailed(refusal.code, str(refusal)) from refusal
    except RenderInterrupted as interruption:
        if ctx.job.attempt < ctx.job.max_attempts:
            raise
        raise JobFailed(interruption.code, f"{interruption} It was tried {ctx.job.attempt} times.") from interruption

    async def store(uow: UnitOfWork) -> None:
        try:
            await _store(uow, ctx.deps, org_id, export_id, file)
        except StorageError as error:
            # Someone who waits for the file is told now; a worker comes back until its last attempt.
            if payload.get("inline") or ctx.job.attempt >= ctx.job.max_attempts:
                raise JobFailed(STORAGE_UNAVAILABLE, "The file store cannot take the file just now.") from error
            raise

    await ctx.progress(1, 2)
    ctx.on_finish = store
    return {"sha256": file.sha256, "size": file.size}


async def _store(uow: UnitOfWork, deps: Deps, org_id: UUID, export_id: UUID, file: Rendered) -> None:
    """Puts the file into the object store within the org's cap, and ends the export."""
    exports = Exports(uow, org_id)
    await exports.lock_storage()
    row = await exports.get(export_id, for_update=True)
    if row is None or row.status != "queued":
        return
    artifact = await exports.artifact(row.content_key)
    if artifact is None:
        copies = Copies(uow, org_id)
        cap = await copies.storage_cap(unknown=deps.settings.quota_storage_bytes_free)
        used = await exports.storage_used() + await copies.storage_elsewhere()
        if not fits(file.size, used=used, cap=cap):
            raise JobFailed(STORAGE_EXHAUSTED, "This file would not fit into your plan's storage.")
        # Inside the lock: a file with these bytes that is being purged would otherwise take ours with it.
        await deps.store.put(org_id, file.sha256, file.data)
        artifact = await exports.put_artifact(
            row.content_key, sha256=file.sha256, size=file.size, pages=file.pages, missing=file.missing
        )
        uow.publish(await exports.storage_changed())
    finish(row, artifact, at=deps.clock.now())
    uow.publish(events.finished(row, await exports.storage_used()))


async def render_failed(uow: UnitOfWork, job: Job, deps: Deps) -> None:
    """The export ends with the reason of its job."""
    row = await Exports(uow, _org(job)).get(UUID(job.payload["export_id"]), for_update=True)
    if row is None or row.status != "queued":
        return
    fail(row, code=job.error_code or "render_failed", detail=job.error_detail or "", at=deps.clock.now())
    uow.publish(events.failed(row))


async def purge(ctx: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Removes files from the object store, unless a new export has come to need them."""
    org_id = _org(ctx.job)
    for sha256 in payload["sha256"]:
        async with ctx.unit_of_work() as uow:
            exports = Exports(uow, org_id)
            await exports.lock_storage()
            if not await exports.is_stored(sha256):
                await ctx.deps.store.delete(org_id, sha256)
            await uow.commit()
    return {}


async def erase_org(ctx: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Removes every file of the org, then gives the receipt."""
    org_id = _org(ctx.job)
    await ctx.deps.store.delete_org(org_id)

    async def receipt(uow: UnitOfWork) -> None:
        uow.publish(events.org_erased(org_id, ctx.deps.clock.now()))

    ctx.on_finish = receipt
    return {}


def job_kinds(render_timeout_seconds: float) -> Mapping[str, JobKind[Deps]]:
    """Every kind of job, for the worker and for the API that runs one inline."""
    return {
        RENDER: JobKind(
            render, timeout_seconds=render_timeout_seconds + RENDER_SLACK_SECONDS, on_failure=render_failed
        ),
        PURGE: JobKind(purge, timeout_seconds=300),
        ERASE_ORG: JobKind(erase_org, timeout_seconds=3600),
    }
