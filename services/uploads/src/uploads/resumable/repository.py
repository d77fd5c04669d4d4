"""All SQL of resumable uploads. The org is in the constructor, beside what row-level security enforces anyway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from uploads.models import ResumablePart, ResumableUpload, StorageClaim
from uploads.resumable.domain import State


class ResumableRepository:
    """Uploads under way of one org."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def get(self, upload_id: UUID) -> ResumableUpload | None:
        """The upload, or None when this org has no such."""
        query = select(ResumableUpload).where(ResumableUpload.org_id == self._org_id, ResumableUpload.id == upload_id)
        return cast("ResumableUpload | None", await self._session.scalar(query))

    def add(self, upload: ResumableUpload) -> None:
        """Adds an upload."""
        self._session.add(upload)

    async def parts(self, upload_id: UUID) -> Sequence[ResumablePart]:
        """What has been stored of it, in order."""
        query = select(ResumablePart).where(ResumablePart.org_id == self._org_id, ResumablePart.upload_id == upload_id)
        return (await self._session.scalars(query.order_by(ResumablePart.start))).all()

    async def append(
        self, upload_id: UUID, parts: Sequence[tuple[int, int, str]], *, now: datetime, expires_at: datetime
    ) -> int | None:
        """Takes parts (start, size, key) that follow each other; the new offset.

        None when the upload does not go on at the first of them: another append was faster, or it has ended.
        """
        start, size = parts[0][0], sum(size for _, size, _ in parts)
        moved = (
            update(ResumableUpload)
            .where(
                ResumableUpload.org_id == self._org_id,
                ResumableUpload.id == upload_id,
                ResumableUpload.state == "receiving",
                ResumableUpload.received == start,
                ResumableUpload.expires_at > now,
            )
            .values(received=ResumableUpload.received + size, expires_at=expires_at)
            .returning(ResumableUpload.received)
        )
        offset: int | None = await self._session.scalar(moved)
        if offset is not None:
            rows = [
                {"upload_id": upload_id, "start": start, "org_id": self._org_id, "size": size, "key": key}
                for start, size, key in parts
            ]
            await self._session.execute(insert(ResumablePart), rows)
        return offset

    async def end(
        self, upload_id: UUID, state: State, *, expires_at: datetime, refused: tuple[str, str] | None = None
    ) -> bool:
        """Nothing more is taken for it; False when it had ended already. Its row stays until `expires_at`."""
        code, detail = refused or (None, None)
        ended = (
            update(ResumableUpload)
            .where(
                ResumableUpload.org_id == self._org_id,
                ResumableUpload.id == upload_id,
                ResumableUpload.state == "receiving",
            )
            .values(state=state, expires_at=expires_at, refused_code=code, refused_detail=detail)
            .returning(ResumableUpload.id)
        )
        return await self._session.scalar(ended) is not None

    async def expire(self, upload_id: UUID, *, now: datetime, expires_at: datetime) -> bool:
        """Ends one that was left alone; False when an append came in between."""
        ended = (
            update(ResumableUpload)
            .where(
                ResumableUpload.org_id == self._org_id,
                ResumableUpload.id == upload_id,
                ResumableUpload.state == "receiving",
                ResumableUpload.expires_at <= now,
            )
            .values(state="expired", expires_at=expires_at)
            .returning(ResumableUpload.id)
        )
        return await self._session.scalar(ended) is not None

    async def delete(self, upload_id: UUID) -> None:
        """Removes its row."""
        await self._session.execute(
            delete(ResumableUpload).where(ResumableUpload.org_id == self._org_id, ResumableUpload.id == upload_id)
        )

    async def delete_all(self) -> None:
        """Removes every row of the org."""
        await self._session.execute(delete(ResumableUpload).where(ResumableUpload.org_id == self._org_id))

    async def reserved(self, now: datetime, *, besides: UUID | None = None) -> int:
        """The bytes that are announced and not stored yet; one whose bytes are claimed by now is counted there."""
        claimed = exists().where(StorageClaim.upload_id == ResumableUpload.id, StorageClaim.expires_at > now)
        query = select(func.coalesce(func.sum(ResumableUpload.length), 0)).where(
            ResumableUpload.org_id == self._org_id,
            ResumableUpload.state == "receiving",
            ResumableUpload.expires_at > now,
            ~claimed,
        )
        if besides is not None:
            query = query.where(ResumableUpload.id != besides)
        return int(await self._session.scalar(query) or 0)


async def expired(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[ResumableUpload]:
    """What the sweep has to look at, of every org (worker role)."""
    query = select(ResumableUpload).where(ResumableUpload.expires_at <= now)
    return (await session.scalars(query.order_by(ResumableUpload.expires_at).limit(limit))).all()


async def forget_person(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Gives up what an erased person had under way, in every org (worker role): the next sweep removes it."""
    await session.execute(
        update(ResumableUpload)
        .where(ResumableUpload.user_id == user_id)
        .values(user_id=None, state="cancelled", expires_at=now)
    )
