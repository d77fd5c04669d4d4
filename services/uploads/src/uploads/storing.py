"""Bytes and rows, kept in step.

An upload first claims its bytes (a committed row), then writes them, then turns the claim into its own row. A deletion
turns its row into a claim that has expired. So whatever a kill leaves behind is named by a claim: the sweep removes the
bytes of expired claims that no upload has. All of it happens under the lock of the org's storage row, which also makes
the quota exact: what is under way counts as used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from common.db import Tenant
from common.errors import NotFound
from common.ids import new_id
from common.storage import ObjectStore, StorageError
from common.telemetry import get_logger
from contracts.uploads import StorageChanged
from uploads import domain, telemetry
from uploads.deps import Deps
from uploads.errors import StorageExhausted, StorageUnavailable
from uploads.models import StorageClaim, Upload
from uploads.repository import UploadRepository, expired_claims

CLAIM_LIFE: Final = timedelta(minutes=30)
"""Longer than any write to the object store may take."""
SWEEP_BATCH: Final = 200

log = get_logger()


@dataclass(frozen=True, slots=True)
class Claim:
    """Bytes that are reserved for an upload under way."""

    id: UUID
    org_id: UUID
    sha256: str

    async def redeem(self, repository: UploadRepository, upload: Upload) -> StorageChanged | None:
        """Turns the claim into the row; the org's storage, when that changes it. Too late: StorageUnavailable."""
        await repository.lock_storage()
        if not await repository.drop_claim(self.id):
            raise StorageUnavailable
        known = await repository.has_content(upload.sha256)
        repository.add(upload)
        return None if known else await repository.change_storage(upload.size)


@asynccontextmanager
async def reserve(deps: Deps, tenant: Tenant, upload: Upload) -> AsyncIterator[Claim]:
    """Claims the bytes of an upload; when the block fails, they are given back and removed.

    Raises StorageExhausted when the org's plan has no room for them, NotFound when the org was deleted.
    """
    claim = Claim(new_id(), upload.org_id, upload.sha256)
    now = deps.clock.now()
    async with deps.db.unit_of_work(tenant) as uow:
        repository = UploadRepository(uow.session, upload.org_id)
        storage = await repository.lock_storage()
        if storage.erased:
            raise NotFound
        limit = await repository.storage_limit(deps.settings.quota_storage_bytes_free)
        size = 0 if await repository.has_content(upload.sha256) else upload.size
        reserved = await repository.reserved(now, besides=upload.sha256, upload_id=upload.id)
        used = storage.used + storage.elsewhere
        if limit is not None and not domain.fits(used=used, reserved=reserved, size=size, limit=limit):
            raise StorageExhausted(used=used, limit=limit)
        repository.claim(_claim(claim.id, upload, size=upload.size, expires_at=now + CLAIM_LIFE))
        await uow.commit()
    try:
        yield claim
    except BaseException:  # cancelled too: whoever went away leaves no bytes behind
        await try_now(deps, claim)
        raise


def mark(deps: Deps, repository: UploadRepository, upload: Upload) -> Claim:
    """In the transaction that deletes an upload: its bytes are to be removed."""
    claim = Claim(new_id(), upload.org_id, upload.sha256)
    repository.claim(_claim(claim.id, upload, size=0, expires_at=deps.clock.now()))
    return claim


def shown_key(org_id: UUID, sha256: str) -> str:
    """Where the version of a picture lies that is handed out."""
    return f"{org_id}/.shown/{sha256}"


async def try_now(deps: Deps, claim: Claim) -> None:
    """Removes what a claim holds; when that fails, the sweep tries again."""
    try:
        await _remove(deps, claim)
    except (StorageError, OSError) as error:
        log.warning("upload.remove_failed", sha256=claim.sha256, error=str(error))


async def sweep(deps: Deps) -> int:
    """Removes the bytes of expired claims, of every org, and stale staged files. Needs the worker role."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        expired = await expired_claims(uow.session, now=deps.clock.now(), limit=SWEEP_BATCH)
    for row in expired:
        await try_now(deps, Claim(row.id, row.org_id, row.sha256))
    staged = await deps.staging.sweep()
    for what, count in (("claims", len(expired)), ("staged", staged)):
        if count:
            telemetry.SWEPT.labels(what).inc(count)
            log.info(telemetry.SWEEP_REMOVED, what=what, count=count)
    return len(expired) + staged


async def _remove(deps: Deps, claim: Claim) -> None:
    async with deps.db.unit_of_work(Tenant(org_id=claim.org_id)) as uow:
        repository = UploadRepository(uow.session, claim.org_id)
        await repository.lock_storage()
        if not await repository.drop_claim(claim.id):
            return
        if not await repository.has_claim(claim.sha256, now=deps.clock.now()):
            if not await repository.has_content(claim.sha256):
                await deps.store.delete(claim.org_id, claim.sha256)
                await deps.store.delete_at(shown_key(claim.org_id, claim.sha256))
            for key in (ObjectStore.key(claim.org_id, claim.sha256), shown_key(claim.org_id, claim.sha256)):
                await deps.staging.sweep_object(key)
        await uow.commit()


def _claim(claim_id: UUID, upload: Upload, *, size: int, expires_at: datetime) -> StorageClaim:
    return StorageClaim(
        id=claim_id,
        org_id=upload.org_id,
        upload_id=upload.id,
        sha256=upload.sha256,
        size=size,
        expires_at=expires_at,
    )
