"""The job that reads a file: its bytes to a child, page by page, and the text into rows and events."""

from __future__ import annotations

import time
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from common.db import UnitOfWork
from common.jobs import JobContext
from common.plumbing import Job
from common.telemetry import get_logger
from uploads import domain, events, sandbox, telemetry
from uploads.deps import Deps
from uploads.extraction import ExtractedPage
from uploads.models import Upload
from uploads.repository import UploadRepository

BROKEN_PAGES: Final = 3
"""So many pages may each defeat a child before the file counts as unreadable."""
PROGRESS_SECONDS: Final = 2.0

log = get_logger()


async def run(ctx: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Reads one upload; its pages, status and events commit together with the job's success."""
    upload_id = UUID(payload["upload_id"])
    org_id = _org(ctx.job)
    async with ctx.unit_of_work() as uow:
        upload = await UploadRepository(uow.session, org_id).get(upload_id)
    if upload is None or upload.status != "processing":
        return {"skipped": "deleted" if upload is None else "done"}

    started = time.monotonic()
    if upload.size > ctx.deps.settings.text_extraction_max_bytes:
        verdict = domain.Verdict("unreadable", (), "too_large_to_read")
    else:
        verdict = await _read(ctx, upload)
    telemetry.EXTRACTION_SECONDS.labels(upload.kind).observe(time.monotonic() - started)

    async def finish(uow: UnitOfWork) -> None:
        await _store(uow, org_id, upload_id, verdict)

    ctx.on_finish = finish
    return {"status": verdict.status, "reason": verdict.reason, "pages": len(verdict.pages)}


async def on_failure(uow: UnitOfWork, job: Job, _deps: Deps) -> None:
    """Every attempt failed: the file stays, and its owner is told that it cannot be read."""
    verdict = domain.Verdict("unreadable", (), "cannot_be_read")
    await _store(uow, _org(job), UUID(job.payload["upload_id"]), verdict)


async def _store(uow: UnitOfWork, org_id: UUID, upload_id: UUID, verdict: domain.Verdict) -> None:
    repository = UploadRepository(uow.session, org_id)
    upload = await repository.get(upload_id, for_update=True)
    if upload is None or upload.status != "processing":
        return
    await repository.replace_pages(upload_id, verdict.pages)
    upload.status = verdict.status
    upload.reason = verdict.reason
    upload.page_count = len(verdict.pages) if verdict.status == "ready" else None
    for event in events.file_extracted(upload, verdict):
        uow.publish(event)
    telemetry.EXTRACTED.labels(upload.kind, verdict.status, verdict.reason or "").inc()
    for page in verdict.pages:
        telemetry.PAGES.labels("1" if page.ocr else "0").inc()
    log.info(telemetry.UPLOAD_EXTRACTED, upload_id=str(upload_id), status=verdict.status, reason=verdict.reason)


async def _read(ctx: JobContext[Deps], upload: Upload) -> domain.Verdict:
    chunks = ctx.deps.store.stream(upload.org_id, upload.sha256)
    async with ctx.deps.staging.copy(chunks) as path:
        pages = await _pages(ctx, upload, path)
    return domain.Verdict("unreadable", (), "cannot_be_read") if pages is None else domain.verdict(pages)


async def _pages(ctx: JobContext[Deps], upload: Upload, path: Path) -> list[ExtractedPage] | None:
    """All pages; one that defeats the child is left empty and the next child starts behind it. None: given up."""
    deps = ctx.deps
    pages: list[ExtractedPage] = []
    told = time.monotonic()
    for _ in range(BROKEN_PAGES):
        options = sandbox.starting_at(deps.extraction_options, len(pages) + 1)
        try:
            async with aclosing(sandbox.extract(upload.kind, path, options, deps.extraction_limits)) as read:
                async for page in read:
                    pages.append(page)
                    if page.total and time.monotonic() - told > PROGRESS_SECONDS:
                        told = time.monotonic()
                        await ctx.progress(page.number, page.total)
            return pages
        except sandbox.ChildFailed as failed:
            number = len(pages) + 1
            log.warning(telemetry.UPLOAD_PAGE_SKIPPED, upload_id=str(upload.id), page=number, failure=failed.failure)
            pages.append(ExtractedPage(number, ""))
            if upload.kind != "pdf":
                return None  # only a PDF can be read from a later page on
    return None


def _org(job: Job) -> UUID:
    if job.org_id is None:
        raise ValueError(f"job {job.id} has no org")
    return job.org_id
