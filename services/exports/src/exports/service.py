"""The use cases: ask for a file, find it, read it, take it away, tell where one came from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final, cast
from uuid import UUID

from common.db import Tenant, UnitOfWork
from common.errors import Conflict, NotFound, NotYetConsistent, QuotaExceeded
from common.ids import new_id
from common.jobs import JobRunner, request_cancel
from common.storage import StorageError
from contracts.exports import Format
from exports import events
from exports.copies import Copies
from exports.deps import Deps
from exports.domain import Snapshot, Wish, filename, fits, is_current, snapshot
from exports.errors import ContentRefused, NotFinished, NothingApproved, RenderingFailed
from exports.jobs import PURGE, RENDER, STORAGE_EXHAUSTED, TEMPLATE_REPLACED
from exports.models import ExportRow
from exports.repository import Exports, fail, finish
from exports.telemetry import EXPORTS_REUSED
from exports.templates import Templates

FIRST_POLL_SECONDS: Final = 0.02
SLOWEST_POLL_SECONDS: Final = 0.25
CANCELLED: Final = "cancelled"
STORAGE_FULL: Final = "Your plan's storage is full; delete exports or uploads, or upgrade."


async def request(
    deps: Deps,
    runner: JobRunner[Deps],
    tenant: Tenant,
    proposal_id: UUID,
    wish: Wish,
    *,
    revision: int | None,
    asynchronous: bool,
) -> ExportRow:
    """The export of the proposal's approved text as it is now; made at once unless `asynchronous`, else still queued.

    The same content is made once: asking again for the same revision gives the same export, and another revision with
    the same text shares its file.

    Args:
        revision: the proposal's revision that the caller has seen; our copy is given a moment to reach it.

    Raises:
        NotFound, NotYetConsistent, NothingApproved, QuotaExceeded, ContentRefused, RenderingFailed.
    """
    content = await _current(deps, tenant, proposal_id, revision, wish)
    row, created = await _find_or_add(deps, tenant, content, inline=not asynchronous)
    if asynchronous or row.status == "done":
        return row
    if created:
        assert row.job_id is not None, "an export that is not done has a job"
        await runner.run_inline(row.job_id, tenant)
    row = await _ended(deps, tenant, row.id)
    if row.status == "failed":
        await _explain(deps, tenant, row)
    return row


async def _current(deps: Deps, tenant: Tenant, proposal_id: UUID, revision: int | None, wish: Wish) -> Snapshot:
    """What the export is made from, once our copy has what the caller has seen; waits for it a bounded time."""
    deadline = time.monotonic() + deps.settings.export_wait_seconds
    pause = FIRST_POLL_SECONDS
    while True:
        async with deps.db.unit_of_work(tenant) as uow:
            copies = Copies(uow, _org(tenant))
            outline = await copies.outline(proposal_id)
            if outline is None and revision is None:
                raise NotFound
            if outline is not None:
                texts = await copies.texts(outline.text_keys)
                org_name = await copies.org_name()
                if org_name is not None and is_current(outline, texts, revision):
                    if not outline.approved:
                        raise NothingApproved
                    template = await Templates(uow, _org(tenant)).sha256()
                    return snapshot(outline, texts, org_name, wish, template)
        if time.monotonic() >= deadline:
            raise NotYetConsistent
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)


async def _find_or_add(deps: Deps, tenant: Tenant, content: Snapshot, *, inline: bool) -> tuple[ExportRow, bool]:
    """The export of this content: the one that is there, or a new one, with a job or sharing a stored file."""
    file_format, page_limit = content.wish.format, content.wish.page_limit
    content_key = content.document.content_key(file_format)
    outline = content.outline
    async with deps.db.unit_of_work(tenant) as uow:
        exports = Exports(uow, _org(tenant))
        found = await exports.same(outline.proposal_id, outline.revision, content_key, page_limit)
        if found is not None:
            EXPORTS_REUSED.labels(file_format).inc()
            return found, False
        await exports.lock_storage()  # a stored file that we are about to share must not be purged meanwhile
        artifact = await exports.artifact(content_key)
        if artifact is None:
            await _refuse_when_full(deps, uow, tenant)
        export_id, job_id = new_id(), None if artifact else new_id()
        row = await exports.add(
            id=export_id,
            proposal_id=outline.proposal_id,
            proposal_revision=outline.revision,
            format=file_format,
            status="queued",
            content_key=content_key,
            document=content.document.canonical(),
            manifest=content.manifest(),
            page_limit=page_limit,
            filename=filename(content.document.title, file_format),
            sections_included=len(content.document.sections),
            sections_total=len(outline.sections),
            requested_by=tenant.user_id,
            job_id=job_id,
            created_at=deps.clock.now(),
        )
        if row is None:  # someone asked for the same at the same moment
            found = await exports.same(outline.proposal_id, outline.revision, content_key, page_limit)
            if found is None:
                raise RenderingFailed
            return found, False
        if artifact is not None:
            EXPORTS_REUSED.labels(file_format).inc()
            finish(row, artifact, at=deps.clock.now())
            uow.publish(events.finished(row, await exports.storage_used()))
        else:
            uow.enqueue(
                RENDER,
                {"export_id": str(export_id), "inline": inline},
                org_id=row.org_id,
                user_id=tenant.user_id,
                job_id=job_id,
                inline=inline,
            )
        await uow.commit()
        return row, True


async def _refuse_when_full(deps: Deps, uow: UnitOfWork, tenant: Tenant) -> None:
    copies = Copies(uow, _org(tenant))
    cap = await copies.storage_cap(unknown=deps.settings.quota_storage_bytes_free)
    used = await Exports(uow, _org(tenant)).storage_used() + await copies.storage_elsewhere()
    if not fits(0, used=used, cap=cap):
        raise _storage_exhausted(cap, used)


def _storage_exhausted(cap: int | None, used: int) -> QuotaExceeded:
    return QuotaExceeded(
        STORAGE_FULL, reason=STORAGE_EXHAUSTED, limits={"storage_bytes": cap}, usage={"storage_bytes": used}
    )


async def _ended(deps: Deps, tenant: Tenant, export_id: UUID) -> ExportRow:
    """The export once it is done or failed, or as it is when a synchronous caller has waited long enough.

    It may be made elsewhere: by the request that asked first, or by a worker after a failed attempt.
    """
    deadline = time.monotonic() + deps.settings.export_sync_seconds
    pause = FIRST_POLL_SECONDS
    while True:
        row = await get(deps, tenant, export_id)
        if row.status != "queued" or time.monotonic() >= deadline:
            return row
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)


async def _explain(deps: Deps, tenant: Tenant, row: ExportRow) -> None:
    """Raises the refusal that a failed export means for the one who waits for it."""
    detail = row.error_detail or None
    if row.error_code == STORAGE_EXHAUSTED:
        async with deps.db.unit_of_work(tenant) as uow:
            copies = Copies(uow, row.org_id)
            cap = await copies.storage_cap(unknown=deps.settings.quota_storage_bytes_free)
            used = await Exports(uow, row.org_id).storage_used() + await copies.storage_elsewhere()
            raise _storage_exhausted(cap, used)
    if row.error_code == "render_refused":
        raise ContentRefused(detail or "This proposal's text cannot be rendered as it is.")
    if row.error_code == TEMPLATE_REPLACED:
        raise Conflict(detail, reason=TEMPLATE_REPLACED)
    if row.error_code == CANCELLED:
        raise Conflict("This export was cancelled.", reason=CANCELLED)
    raise RenderingFailed(detail)


async def get(deps: Deps, tenant: Tenant, export_id: UUID) -> ExportRow:
    """The export; raises NotFound."""
    async with deps.db.unit_of_work(tenant) as uow:
        row = await Exports(uow, _org(tenant)).get(export_id)
    if row is None:
        raise NotFound
    return row


async def page(
    deps: Deps, tenant: Tenant, *, proposal_id: UUID | None, before: UUID | None, limit: int
) -> tuple[list[ExportRow], bool]:
    """The newest exports from before the cursor on, and whether there are more."""
    async with deps.db.unit_of_work(tenant) as uow:
        rows = await Exports(uow, _org(tenant)).page(proposal_id, before, limit + 1)
    return rows[:limit], len(rows) > limit


async def open_file(deps: Deps, row: ExportRow, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a finished export from `start` up to, not including, `end`. Raises NotFinished, RenderingFailed."""
    if row.status != "done" or row.sha256 is None:
        raise NotFinished(
            "This export failed, so it has no file; ask for it again." if row.status == "failed" else None
        )
    try:
        stored = await deps.store.size(row.org_id, row.sha256)
    except StorageError as error:
        raise RenderingFailed("The file store cannot be reached just now; try again in a moment.") from error
    if stored != row.size:
        raise RenderingFailed(
            "The stored file is missing or damaged; export again, and tell whoever runs this Bidwright."
        )
    return deps.store.stream(row.org_id, row.sha256, start=start, end=end)


async def remove(deps: Deps, tenant: Tenant, export_id: UUID) -> None:
    """Deletes the export; its file goes with the last export that shares it. Raises NotFound, NotFinished."""
    async with deps.db.unit_of_work(tenant) as uow:
        exports = Exports(uow, _org(tenant))
        await exports.lock_storage()
        row = await exports.get(export_id, for_update=True)
        if row is None:
            raise NotFound
        if row.status == "queued":
            raise NotFinished("This export is still being made; delete it when it is finished.")
        orphan = await exports.remove(row)
        uow.publish(events.deleted(row, await exports.storage_used()))
        if orphan is not None:
            uow.publish(await exports.storage_changed())
            uow.enqueue(PURGE, {"sha256": [orphan]}, org_id=row.org_id, max_attempts=10)
        await uow.commit()


async def verify(
    deps: Deps, tenant: Tenant, sha256: str, content_key: str | None = None
) -> tuple[ExportRow | None, ExportRow | None]:
    """The export of the caller's org that gave these bytes, and else the one whose content hash is inside them: the
    file was ours, and someone has changed it."""
    async with deps.db.unit_of_work(tenant) as uow:
        exports = Exports(uow, _org(tenant))
        found = await exports.by_sha256(sha256)
        altered = await exports.by_content(content_key) if found is None and content_key is not None else None
        return found, altered


async def cancel(deps: Deps, tenant: Tenant, export_id: UUID) -> ExportRow:
    """Stops an export that is being made; one that waits ends at once. Raises NotFound, Conflict when it has ended."""
    async with deps.db.unit_of_work(tenant) as uow:
        row = await Exports(uow, _org(tenant)).get(export_id)
        if row is None:
            raise NotFound
        if row.status != "queued" or row.job_id is None:
            raise Conflict(f"This export has already ended ({row.status}).")
        job = await request_cancel(uow, row.job_id)
        if job.status == CANCELLED:
            fail(row, code=CANCELLED, detail="It was cancelled.", at=deps.clock.now())
            uow.publish(events.failed(row))
        await uow.commit()
        return row


async def again(
    deps: Deps, runner: JobRunner[Deps], tenant: Tenant, export_id: UUID, *, asynchronous: bool
) -> ExportRow:
    """Asks once more for what a failed export was to be, of the text as it is now. Raises NotFound, Conflict."""
    row = await get(deps, tenant, export_id)
    if row.status != "failed":
        raise Conflict(f"Only a failed export can be tried again; this one is {row.status}.")
    wish = Wish.of(cast(Format, row.format), row.manifest.get("options", {}))
    return await request(
        deps, runner, tenant, row.proposal_id, wish, revision=row.proposal_revision, asynchronous=asynchronous
    )


def _org(tenant: Tenant) -> UUID:
    assert tenant.org_id is not None, "every caller acts for an org"
    return tenant.org_id
