"""The use cases of an upload in pieces: begin, ask how far it is, append, finish, give up; and the sweep.

Each piece becomes an object of its own, so that any replica can go on; nothing is locked while bytes come in. A piece
counts once its row is committed, on the condition that the upload still goes on where the piece begins: of two appends
at once one wins, and the other's object is removed. Whatever a kill leaves behind lies below the upload's own prefix,
which the sweep removes with the row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from common.db import Tenant
from common.errors import NotFound
from common.ids import new_id
from common.storage import StorageError
from common.telemetry import get_logger
from uploads import domain, service, storing, telemetry
from uploads.deps import Deps
from uploads.errors import FileRefused, FileTooLarge, StorageExhausted, StorageUnavailable, file_refused
from uploads.inspection import Refused, check_declared_type, kind_of
from uploads.models import ResumableUpload, Upload
from uploads.repository import UploadRepository
from uploads.resumable.domain import Checksum
from uploads.resumable.errors import ChecksumMismatch, Incomplete, MoreThanAnnounced, OffsetConflict
from uploads.resumable.repository import ResumableRepository, expired

PART_BYTES: Final = 1 << 20
"""What a kill can cost: so much of an append lies in memory before it is stored."""
UNSTARTED_LIFE: Final = timedelta(hours=1)
"""Until the first byte: an answer to a creation may be lost, and its reservation must not stand in the way for long."""
SWEEP_BATCH: Final = 200

log = get_logger()


class ConnectionLost(Exception):
    """Raised by the chunks of a request whose client has gone."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is to come."""

    length: int
    filename: str
    declared_type: str | None
    proposal_id: UUID | None


async def create(deps: Deps, tenant: Tenant, announced: Announced) -> ResumableUpload:
    """Reserves the room. Raises FileTooLarge, FileRefused, StorageExhausted, NotFound when the org was deleted."""
    org_id, user_id = service.who(tenant)
    if announced.length > deps.settings.file_upload_max_bytes:
        raise FileTooLarge(limit=deps.settings.file_upload_max_bytes)
    filename = domain.display_name(announced.filename)
    try:
        check_declared_type(kind_of(filename, deps.settings.allowed_upload_extensions), announced.declared_type)
    except Refused as refused:
        telemetry.REFUSED.labels(refused.code).inc()
        raise file_refused(refused) from refused
    now = deps.clock.now()
    upload = ResumableUpload(
        id=new_id(),
        org_id=org_id,
        user_id=user_id,
        state="receiving",
        filename=filename,
        declared_type=announced.declared_type,
        proposal_id=announced.proposal_id,
        length=announced.length,
        received=0,
        created_at=now,
        expires_at=now + min(UNSTARTED_LIFE, _life(deps)),
    )
    async with deps.db.unit_of_work(tenant) as uow:
        repository = UploadRepository(uow.session, org_id)
        storage = await repository.lock_storage()
        if storage.erased:
            raise NotFound
        limit = await repository.storage_limit(deps.settings.quota_storage_bytes_free)
        reserved, used = await repository.reserved(now), storage.used + storage.elsewhere
        if not domain.fits(used=used, reserved=reserved, size=upload.length, limit=limit):
            raise StorageExhausted(used=used, limit=limit or 0)
        ResumableRepository(uow.session, org_id).add(upload)
        await uow.commit()
    return upload


async def find(deps: Deps, tenant: Tenant, upload_id: UUID) -> ResumableUpload:
    """An upload of this person in this org that has not been given up. Raises NotFound."""
    org_id, user_id = service.who(tenant)
    async with deps.db.unit_of_work(tenant) as uow:
        upload = await ResumableRepository(uow.session, org_id).get(upload_id)
    if upload is None or upload.user_id != user_id or upload.state in ("cancelled", "expired"):
        raise NotFound
    if upload.state == "receiving" and upload.expires_at <= deps.clock.now():
        raise NotFound
    return upload


async def append(
    deps: Deps,
    tenant: Tenant,
    upload: ResumableUpload,
    chunks: AsyncIterator[bytes],
    *,
    offset: int,
    checksum: Checksum | None = None,
) -> None:
    """Stores bytes as they come; what has come before the connection broke stays. `upload` says how far it is now.

    With a checksum all of them are taken, or none.

    Raises OffsetConflict, MoreThanAnnounced, ChecksumMismatch, StorageUnavailable, ConnectionLost.
    """
    if upload.state != "receiving" or upload.received != offset:
        raise OffsetConflict(offset=upload.received)
    pieces = _Pieces(deps, tenant, upload, at_once=checksum is None)
    digest = checksum.start() if checksum else None
    buffer, room = bytearray(), upload.length - offset
    size_of_part = min(PART_BYTES, deps.settings.file_upload_max_memory_size)
    try:
        async for chunk in _counted(chunks):
            room -= len(chunk)
            if room < 0:
                raise MoreThanAnnounced
            if digest is not None:
                digest.update(chunk)
            buffer += chunk
            if len(buffer) >= size_of_part:
                await pieces.add(bytes(buffer))
                buffer.clear()
        await pieces.add(bytes(buffer))
        if checksum and digest and digest.digest() != checksum.digest:
            raise ChecksumMismatch
        await pieces.commit()
    except ConnectionLost:
        if checksum is None:
            await pieces.add(bytes(buffer))
        raise
    finally:
        await pieces.drop()


class _Pieces:
    """Parts of one append: objects first, then their rows."""

    def __init__(self, deps: Deps, tenant: Tenant, upload: ResumableUpload, *, at_once: bool) -> None:
        self._deps, self._tenant, self._upload = deps, tenant, upload
        self._at_once = at_once
        self._pending: list[tuple[int, int, str]] = []
        self._offset = upload.received

    async def add(self, data: bytes) -> None:
        if not data:
            return
        key = f"{prefix_of(self._upload)}/{self._offset:015d}-{new_id().hex}"
        self._pending.append((self._offset, len(data), key))
        try:
            await self._deps.store.put_at(key, data)
        except StorageError as error:
            log.error("upload.store_failed", error=str(error))
            raise StorageUnavailable from error
        self._offset += len(data)
        if self._at_once:
            await self.commit()

    async def commit(self) -> None:
        # A commit that fails may have happened all the same: then only the sweep may remove its objects.
        parts, self._pending = self._pending, []
        if not parts:
            return
        now = self._deps.clock.now()
        expires_at = now + _life(self._deps)
        async with self._deps.db.unit_of_work(self._tenant) as uow:
            repository = ResumableRepository(uow.session, self._upload.org_id)
            taken = await repository.append(self._upload.id, parts, now=now, expires_at=expires_at)
            if taken is None:
                self._pending = parts
                raise OffsetConflict
            await uow.commit()
        self._upload.received, self._upload.expires_at = self._offset, expires_at

    async def drop(self) -> None:
        """Removes what did not count."""
        for _, _, key in self._pending:
            try:
                await self._deps.store.delete_at(key)
            except StorageError as error:  # the sweep removes it with the rest
                log.warning("upload.remove_failed", error=str(error))


async def complete(deps: Deps, tenant: Tenant, upload_id: UUID) -> Upload:
    """Makes a file of the pieces: checked, scanned and stored as any other. Asked again, it answers the same.

    Raises NotFound, Incomplete, FileRefused, StorageExhausted, StorageUnavailable.
    """
    upload = await find(deps, tenant, upload_id)
    if upload.state == "stored":
        return await service.find(deps, tenant, upload_id)
    if upload.state == "refused" and upload.refused_code is not None:
        raise file_refused(Refused(upload.refused_code, upload.refused_detail or ""))
    if upload.received < upload.length:
        raise Incomplete(offset=upload.received, length=upload.length)
    async with deps.db.unit_of_work(tenant) as uow:
        parts = await ResumableRepository(uow.session, upload.org_id).parts(upload_id)
    async with deps.staging.new() as staged:
        try:
            for part in parts:
                async for chunk in deps.store.stream_at(part.key):
                    await staged.write(chunk)
        except StorageError as error:
            log.error("upload.read_failed", upload_id=str(upload_id), error=str(error))
            raise StorageUnavailable from error
        await staged.flush()
        if staged.size != upload.length:
            log.error("upload.parts_differ", upload_id=str(upload_id), size=staged.size, length=upload.length)
            raise StorageUnavailable
        incoming = service.Incoming(
            staged=staged,
            filename=upload.filename,
            declared_type=upload.declared_type,
            proposal_id=upload.proposal_id,
            resumable=upload_id,
            remembered_until=deps.clock.now() + _life(deps),
        )
        try:
            accepted = await service.accept(deps, tenant, incoming)
        except service.EndedMeanwhile:  # by another request to complete, or by a cancellation
            return await service.find(deps, tenant, upload_id)
        except FileRefused:
            await _remove_bytes(deps, upload)
            raise
    await _remove_bytes(deps, upload)
    return accepted


async def cancel(deps: Deps, tenant: Tenant, upload_id: UUID) -> None:
    """Gives an upload up: its bytes and its reservation go. Raises NotFound, also for one that is a file by now."""
    upload = await find(deps, tenant, upload_id)
    async with deps.db.unit_of_work(tenant) as uow:
        repository = ResumableRepository(uow.session, upload.org_id)
        if not await repository.end(upload_id, "cancelled", expires_at=deps.clock.now() + storing.CLAIM_LIFE):
            raise NotFound
        await uow.commit()
    await _remove_bytes(deps, upload)


async def sweep(deps: Deps) -> int:
    """Removes what was given up or left alone, of every org. Needs the worker role. Returns how many."""
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        old = await expired(uow.session, now=now, limit=SWEEP_BATCH)
    for upload in old:
        async with deps.db.unit_of_work(Tenant(org_id=upload.org_id)) as uow:
            repository = ResumableRepository(uow.session, upload.org_id)
            if upload.state == "receiving":
                # Its row stays for as long as an append that has begun may still write.
                if not await repository.expire(upload.id, now=now, expires_at=now + storing.CLAIM_LIFE):
                    continue
            elif await _remove_bytes(deps, upload):
                await repository.delete(upload.id)
            await uow.commit()
        if upload.state == "receiving":
            await _remove_bytes(deps, upload)
    if old:
        telemetry.SWEPT.labels("resumable").inc(len(old))
        log.info(telemetry.SWEEP_REMOVED, what="resumable", count=len(old))
    return len(old)


def prefix_of(upload: ResumableUpload) -> str:
    """Where its pieces lie; below the org's own, which an erasure removes."""
    return f"{upload.org_id}/.parts/{upload.id}"


async def _remove_bytes(deps: Deps, upload: ResumableUpload) -> bool:
    try:
        await deps.store.delete_under(prefix_of(upload))
    except StorageError as error:
        log.warning("upload.remove_failed", upload_id=str(upload.id), error=str(error))
        return False
    return True


async def _counted(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        telemetry.RECEIVED_BYTES.inc(len(chunk))
        yield chunk


def _life(deps: Deps) -> timedelta:
    return timedelta(seconds=deps.settings.upload_resumable_seconds)
