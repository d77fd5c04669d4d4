"""All SQL of the uploads service. The tenant is in the constructor, beside what row-level security enforces anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from common.plumbing import Job
from contracts.uploads import StorageChanged
from uploads.extraction import ExtractedPage
from uploads.models import Entitlement, OrgStorage, StorageClaim, Upload, UploadPage
from uploads.resumable.repository import ResumableRepository

_PAGES_PER_INSERT = 200


@dataclass(frozen=True, slots=True)
class Storage:
    """An org's storage, read under its lock."""

    used: int
    elsewhere: int
    erased: bool


class UploadRepository:
    """Files, pages and storage of one org."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def get(self, upload_id: UUID, *, for_update: bool = False) -> Upload | None:
        """The file, or None when this org has no such file."""
        query = select(Upload).where(Upload.org_id == self._org_id, Upload.id == upload_id)
        return cast("Upload | None", await self._session.scalar(query.with_for_update() if for_update else query))

    async def page(self, *, limit: int, before: UUID | None, proposal_id: UUID | None) -> Sequence[Upload]:
        """Files, newest first."""
        query = select(Upload).where(Upload.org_id == self._org_id)
        if before is not None:
            query = query.where(Upload.id < before)
        if proposal_id is not None:
            query = query.where(Upload.proposal_id == proposal_id)
        return (await self._session.scalars(query.order_by(Upload.id.desc()).limit(limit))).all()

    def add(self, upload: Upload) -> None:
        """Adds a file."""
        self._session.add(upload)

    async def delete(self, upload: Upload) -> None:
        """Removes a file's row, and its pages with it."""
        await self._session.execute(delete(Upload).where(Upload.org_id == self._org_id, Upload.id == upload.id))

    async def delete_all(self) -> None:
        """Removes every file's row, the jobs that have ended, and what is known of the org's rights."""
        await self._session.execute(delete(Upload).where(Upload.org_id == self._org_id))
        await self._session.execute(delete(Job).where(Job.org_id == self._org_id, Job.finished_at.is_not(None)))
        await self._session.execute(delete(StorageClaim).where(StorageClaim.org_id == self._org_id))
        await ResumableRepository(self._session, self._org_id).delete_all()
        await self._session.execute(delete(Entitlement).where(Entitlement.org_id == self._org_id))
        await self._session.execute(
            update(OrgStorage).where(OrgStorage.org_id == self._org_id).values(bytes_used=0, bytes_elsewhere=0)
        )

    async def has_content(self, sha256: str) -> bool:
        """Whether any file of the org has these bytes."""
        query = select(Upload.id).where(Upload.org_id == self._org_id, Upload.sha256 == sha256).limit(1)
        return await self._session.scalar(query) is not None

    async def has_job(self, kind: str, upload_id: UUID) -> bool:
        """Whether a job of this kind for this file has not ended."""
        query = select(Job.id).where(
            Job.org_id == self._org_id,
            Job.kind == kind,
            Job.payload["upload_id"].astext == str(upload_id),
            Job.finished_at.is_(None),
        )
        return await self._session.scalar(query.limit(1)) is not None

    async def pages(self, upload_id: UUID) -> Sequence[UploadPage]:
        """The text of a file, in order."""
        query = select(UploadPage).where(UploadPage.org_id == self._org_id, UploadPage.upload_id == upload_id)
        return (await self._session.scalars(query.order_by(UploadPage.number))).all()

    async def replace_pages(self, upload_id: UUID, pages: Sequence[ExtractedPage]) -> None:
        """Stores the text of a file instead of what was there."""
        await self._session.execute(
            delete(UploadPage).where(UploadPage.org_id == self._org_id, UploadPage.upload_id == upload_id)
        )
        rows = [
            {"upload_id": upload_id, "number": page.number, "org_id": self._org_id, "text": page.text, "ocr": page.ocr}
            for page in pages
        ]
        for start in range(0, len(rows), _PAGES_PER_INSERT):
            await self._session.execute(insert(UploadPage), rows[start : start + _PAGES_PER_INSERT])

    async def lock_storage(self) -> Storage:
        """The org's storage, locked until the end of the transaction."""
        await self._session.execute(upsert(OrgStorage).values(org_id=self._org_id).on_conflict_do_nothing())
        row = (
            await self._session.execute(
                select(OrgStorage.bytes_used, OrgStorage.bytes_elsewhere, OrgStorage.erased_at)
                .where(OrgStorage.org_id == self._org_id)
                .with_for_update()
            )
        ).one()
        return Storage(used=row.bytes_used, elsewhere=row.bytes_elsewhere, erased=row.erased_at is not None)

    async def storage_used(self) -> int:
        """The org's stored bytes, without a lock."""
        query = select(OrgStorage.bytes_used).where(OrgStorage.org_id == self._org_id)
        return await self._session.scalar(query) or 0

    async def change_storage(self, by: int) -> StorageChanged:
        """Adds to the org's stored bytes (or takes away); the event that tells what they are now."""
        row = (
            await self._session.execute(
                update(OrgStorage)
                .where(OrgStorage.org_id == self._org_id)
                .values(bytes_used=OrgStorage.bytes_used + by, version=OrgStorage.version + 1)
                .returning(OrgStorage.bytes_used, OrgStorage.version)
            )
        ).one()
        return StorageChanged(org_id=self._org_id, version=row.version, bytes_used=row.bytes_used)

    async def set_elsewhere(self, bytes_used: int) -> None:
        """Keeps what the org's exports take up."""
        if not (await self.lock_storage()).erased:
            await self._session.execute(
                update(OrgStorage).where(OrgStorage.org_id == self._org_id).values(bytes_elsewhere=bytes_used)
            )

    async def mark_erased(self, at: datetime) -> None:
        """From now on nothing is stored for this org."""
        await self.lock_storage()
        await self._session.execute(update(OrgStorage).where(OrgStorage.org_id == self._org_id).values(erased_at=at))

    async def storage_limit(self, default: int) -> int | None:
        """How many bytes the org may store; None: no cap."""
        entitlement = await self._session.get(Entitlement, self._org_id)
        return default if entitlement is None else entitlement.storage_bytes

    async def set_entitlement(self, *, tier: str, storage_bytes: int | None) -> None:
        """Keeps what billing says."""
        values = {"tier": tier, "storage_bytes": storage_bytes}
        await self._session.execute(
            upsert(Entitlement)
            .values(org_id=self._org_id, **values)
            .on_conflict_do_update(index_elements=[Entitlement.org_id], set_=values)
        )

    async def reserved(self, now: datetime, *, besides: str = "", upload_id: UUID | None = None) -> int:
        """The bytes of uploads under way that no file has yet, each content counted once.

        Args:
            besides: the SHA-256 of content that is not counted.
            upload_id: a resumable upload that is not counted.
        """
        has_file = select(Upload.id).where(Upload.org_id == self._org_id, Upload.sha256 == StorageClaim.sha256)
        claims = (
            select(func.max(StorageClaim.size).label("size"))
            .where(
                StorageClaim.org_id == self._org_id,
                StorageClaim.expires_at > now,
                StorageClaim.sha256 != besides,
                ~has_file.exists(),
            )
            .group_by(StorageClaim.sha256)
            .subquery()
        )
        claimed = int(await self._session.scalar(select(func.coalesce(func.sum(claims.c.size), 0))) or 0)
        return claimed + await ResumableRepository(self._session, self._org_id).reserved(now, besides=upload_id)

    async def has_claim(self, sha256: str, *, now: datetime) -> bool:
        """Whether an upload of these bytes is under way."""
        query = select(StorageClaim.id).where(
            StorageClaim.org_id == self._org_id, StorageClaim.sha256 == sha256, StorageClaim.expires_at > now
        )
        return await self._session.scalar(query.limit(1)) is not None

    def claim(self, claim: StorageClaim) -> None:
        """Adds a claim."""
        self._session.add(claim)

    async def drop_claim(self, claim_id: UUID) -> bool:
        """Removes a claim; False when the sweep was faster."""
        query = delete(StorageClaim).where(StorageClaim.org_id == self._org_id, StorageClaim.id == claim_id)
        return await self._session.scalar(query.returning(StorageClaim.id)) is not None


async def expired_claims(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[StorageClaim]:
    """What the sweep has to look at, of every org (worker role)."""
    query = select(StorageClaim).where(StorageClaim.expires_at <= now).order_by(StorageClaim.expires_at).limit(limit)
    return (await session.scalars(query)).all()


async def forget_person(session: AsyncSession, user_id: UUID) -> None:
    """Takes a person's id away from what they uploaded, in every org (worker role)."""
    await session.execute(text("SELECT set_config('app.erasing_user_id', :user, true)"), {"user": str(user_id)})
    await session.execute(update(Upload).where(Upload.uploaded_by == user_id).values(uploaded_by=None))
    await session.execute(update(Job).where(Job.user_id == user_id).values(user_id=None))
