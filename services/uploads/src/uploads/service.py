"""The use cases: accept, list, read and delete files. Each opens its own unit of work and commits aloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.db import Tenant, UnitOfWork
from common.errors import NotFound
from common.ids import new_id
from common.storage import StorageError
from common.telemetry import get_logger
from uploads import domain, events, pictures, sandbox, storing, telemetry
from uploads.deps import Deps
from uploads.errors import StorageUnavailable, file_refused
from uploads.inspection import Kind, Refused, check_declared_type, check_signature, kind_of
from uploads.inspection.signature import is_ole
from uploads.inspection.text import encoding_of
from uploads.models import Upload, UploadPage
from uploads.repository import UploadRepository
from uploads.resumable.repository import ResumableRepository
from uploads.staging import StagedFile

log = get_logger()

EXTRACT = "extract"
ERASE_ORG = "erase_org"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that has been received, and what its sender says about it."""

    staged: StagedFile
    filename: str
    declared_type: str | None
    proposal_id: UUID | None
    resumable: UUID | None = None
    """Set when it came in pieces: then this is the upload's id, and that row ends with the upload's beginning."""
    remembered_until: datetime | None = None
    """Until then that row can tell how it ended."""


class EndedMeanwhile(Exception):
    """The resumable upload has ended otherwise while its file was looked at."""


async def accept(deps: Deps, tenant: Tenant, incoming: Incoming) -> Upload:
    """Checks, scans and stores a file, and queues its reading.

    Raises FileRefused, StorageExhausted, StorageUnavailable, EndedMeanwhile; whatever is raised, no bytes of the file
    are kept.
    """
    org_id, user_id = who(tenant)
    upload_id = incoming.resumable or new_id()
    filename = domain.display_name(incoming.filename)
    try:
        kind = await _check(deps, filename, incoming)
    except Refused as refused:
        telemetry.REFUSED.labels(refused.code).inc()
        log.info(telemetry.UPLOAD_REFUSED, upload_id=str(upload_id), error=refused.code)
        async with deps.db.unit_of_work(tenant) as uow:
            await _end(uow, org_id, incoming, "refused", (refused.code, refused.detail))
            uow.publish(events.file_refused(org_id=org_id, upload_id=upload_id, filename=filename, error=refused.code))
            await uow.commit()
        raise file_refused(refused) from refused

    upload = Upload(
        id=upload_id,
        org_id=org_id,
        uploaded_by=user_id,
        proposal_id=incoming.proposal_id,
        filename=filename,
        kind=kind.name,
        content_type=_stored_type(kind, incoming.staged.head),
        size=incoming.staged.size,
        sha256=incoming.staged.sha256,
        status="processing",
        reason=None,
        page_count=None,
        shown_sha256=None,
        shown_size=None,
        version=1,
        created_at=deps.clock.now(),
    )
    async with storing.reserve(deps, tenant, upload) as claim:
        try:
            await deps.store.put(org_id, upload.sha256, incoming.staged.path)
        except StorageError as error:
            log.error("upload.store_failed", error=str(error))
            raise StorageUnavailable from error
        async with deps.db.unit_of_work(tenant) as uow:
            await _end(uow, org_id, incoming, "stored")
            repository = UploadRepository(uow.session, org_id)
            if (changed := await claim.redeem(repository, upload)) is not None:
                uow.publish(changed)
            used = changed.bytes_used if changed else await repository.storage_used()
            uow.publish(events.file_accepted(upload, uploaded_by=user_id, storage_bytes_used=used))
            uow.enqueue(EXTRACT, {"upload_id": str(upload_id)}, org_id=org_id, user_id=user_id)
            pictures.enqueue(uow, upload)
            await uow.commit()
    telemetry.ACCEPTED.labels(kind.name).inc()
    log.info(telemetry.UPLOAD_ACCEPTED, upload_id=str(upload_id), kind=kind.name, size=upload.size)
    return upload


async def _end(
    uow: UnitOfWork,
    org_id: UUID,
    incoming: Incoming,
    state: Literal["stored", "refused"],
    refused: tuple[str, str] | None = None,
) -> None:
    if incoming.resumable is None or incoming.remembered_until is None:
        return
    repository = ResumableRepository(uow.session, org_id)
    if not await repository.end(incoming.resumable, state, expires_at=incoming.remembered_until, refused=refused):
        raise EndedMeanwhile


async def _check(deps: Deps, filename: str, incoming: Incoming) -> Kind:
    staged = incoming.staged
    kind = kind_of(filename, deps.settings.allowed_upload_extensions)
    ole = kind.name == "docx" and is_ole(staged.head)
    more = await asyncio.to_thread(staged.path.read_bytes) if ole else b""
    check_signature(kind, staged.head, ole_directory=more)
    check_declared_type(kind, incoming.declared_type)
    async with deps.inspections:
        await sandbox.inspect(kind.name, staged.path, deps.inspection_caps, deps.inspection_limits)
    await deps.scanner.scan(staged.path)
    return kind


def _stored_type(kind: Kind, head: bytes) -> str:
    if kind.name == "text" and encoding_of(head) == "utf-16":
        return "text/plain; charset=utf-16"
    return kind.content_type


async def find(deps: Deps, tenant: Tenant, upload_id: UUID) -> Upload:
    """The file. Raises NotFound."""
    org_id, _ = who(tenant)
    async with deps.db.unit_of_work(tenant) as uow:
        upload = await UploadRepository(uow.session, org_id).get(upload_id)
    if upload is None:
        raise NotFound
    return upload


async def list_page(
    deps: Deps, tenant: Tenant, *, limit: int, before: UUID | None, proposal_id: UUID | None
) -> tuple[Sequence[Upload], bool]:
    """Files, newest first, and whether there are more."""
    org_id, _ = who(tenant)
    async with deps.db.unit_of_work(tenant) as uow:
        repository = UploadRepository(uow.session, org_id)
        uploads = await repository.page(limit=limit + 1, before=before, proposal_id=proposal_id)
    return uploads[:limit], len(uploads) > limit


async def read_text(deps: Deps, tenant: Tenant, upload_id: UUID) -> tuple[Upload, Sequence[UploadPage]]:
    """The file and its text so far. Raises NotFound."""
    org_id, _ = who(tenant)
    async with deps.db.unit_of_work(tenant) as uow:
        repository = UploadRepository(uow.session, org_id)
        upload = await repository.get(upload_id)
        if upload is None:
            raise NotFound
        return upload, await repository.pages(upload_id)


async def what_is_shown(deps: Deps, upload: Upload) -> tuple[str, int]:
    """SHA-256 and size of what is handed out: the file, or a picture as we have encoded it.

    Raises NotYetConsistent, CannotBeShown.
    """
    if upload.kind in pictures.PICTURES:
        return await pictures.shown(deps, upload)
    return upload.sha256, upload.size


async def open_bytes(deps: Deps, upload: Upload, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes that are handed out, from `start` up to, not including, `end`.

    The first of them are read here, so that a store that is away is an answer, not a torn stream.

    Raises StorageUnavailable.
    """
    is_picture = upload.kind in pictures.PICTURES
    key = (storing.shown_key if is_picture else deps.store.key)(upload.org_id, upload.sha256)
    chunks = deps.store.stream_at(key, start=start, end=end)
    try:
        first = await anext(chunks)
    except (StorageError, StopAsyncIteration) as error:
        log.error("upload.read_failed", upload_id=str(upload.id), error=str(error))
        raise StorageUnavailable from error

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return body()


async def delete(deps: Deps, tenant: Tenant, upload_id: UUID) -> None:
    """Deletes a file, its text, and its bytes unless another file of the org has the same. Raises NotFound."""
    org_id, _ = who(tenant)
    async with deps.db.unit_of_work(tenant) as uow:
        repository = UploadRepository(uow.session, org_id)
        storage = await repository.lock_storage()
        upload = await repository.get(upload_id, for_update=True)
        if upload is None:
            raise NotFound
        await repository.delete(upload)
        used, remains = storage.used, None
        if not await repository.has_content(upload.sha256):
            changed = await repository.change_storage(-upload.size)
            used = changed.bytes_used
            uow.publish(changed)
            remains = storing.mark(deps, repository, upload)
        uow.publish(events.file_deleted(upload, storage_bytes_used=used))
        await uow.commit()
    log.info(telemetry.UPLOAD_DELETED, upload_id=str(upload_id))
    if remains is not None:
        await storing.try_now(deps, remains)


def who(tenant: Tenant) -> tuple[UUID, UUID]:
    """The org and the person that a use case is for."""
    if tenant.org_id is None or tenant.user_id is None:
        raise ValueError("a use case needs an org and a person")
    return tenant.org_id, tenant.user_id
