"""The SQL of exports and their stored files, for one org in one unit of work; it never commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.db import UnitOfWork
from common.plumbing import Job
from contracts.exports import StorageChanged
from exports.models import ArtifactRow, ExportRow, StorageRow, TemplateRow


@dataclass(frozen=True, slots=True)
class Exports:
    """An org's exports and their stored files."""

    uow: UnitOfWork
    org_id: UUID

    async def lock_storage(self) -> None:
        """Until the end of the transaction no one else adds or removes a file of this org: the cap is exact, and a file
        that is being removed is not found by one who would share it."""
        await self.uow.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('exports.storage:' || :org, 0))"),
            {"org": str(self.org_id)},
        )

    async def get(self, export_id: UUID, *, for_update: bool = False) -> ExportRow | None:
        """The export, when the org has it."""
        query = select(ExportRow).where(ExportRow.org_id == self.org_id, ExportRow.id == export_id)
        if for_update:
            query = query.with_for_update()
        row: ExportRow | None = await self.uow.session.scalar(query)
        return row

    async def page(self, proposal_id: UUID | None, before: UUID | None, limit: int) -> list[ExportRow]:
        """The newest exports, from before the cursor on."""
        query = select(ExportRow).where(ExportRow.org_id == self.org_id).order_by(ExportRow.id.desc()).limit(limit)
        if proposal_id is not None:
            query = query.where(ExportRow.proposal_id == proposal_id)
        if before is not None:
            query = query.where(ExportRow.id < before)
        return list(await self.uow.session.scalars(query))

    async def same(
        self, proposal_id: UUID, revision: int, content_key: str, page_limit: int | None
    ) -> ExportRow | None:
        """The export that was asked for already, unless it failed."""
        row: ExportRow | None = await self.uow.session.scalar(
            select(ExportRow).where(
                ExportRow.org_id == self.org_id,
                ExportRow.proposal_id == proposal_id,
                ExportRow.proposal_revision == revision,
                ExportRow.content_key == content_key,
                ExportRow.page_limit.is_not_distinct_from(page_limit),
                ExportRow.status != "failed",
            )
        )
        return row

    async def add(self, **values: Any) -> ExportRow | None:
        """Adds an export; None when someone else has added the same one at the same time."""
        row: ExportRow | None = await self.uow.session.scalar(
            insert(ExportRow).values(org_id=self.org_id, **values).on_conflict_do_nothing().returning(ExportRow)
        )
        return row

    async def by_sha256(self, sha256: str) -> ExportRow | None:
        """The first export that gave these bytes."""
        row: ExportRow | None = await self.uow.session.scalar(
            select(ExportRow)
            .where(ExportRow.org_id == self.org_id, ExportRow.sha256 == sha256, ExportRow.status == "done")
            .order_by(ExportRow.id)
            .limit(1)
        )
        return row

    async def by_content(self, content_key: str) -> ExportRow | None:
        """The first export of this content that has its file."""
        row: ExportRow | None = await self.uow.session.scalar(
            select(ExportRow)
            .where(ExportRow.org_id == self.org_id, ExportRow.content_key == content_key, ExportRow.status == "done")
            .order_by(ExportRow.id)
            .limit(1)
        )
        return row

    async def finished_before(self, moment: datetime, limit: int) -> list[ExportRow]:
        """The oldest exports that ended before this moment, locked."""
        return list(
            await self.uow.session.scalars(
                select(ExportRow)
                .where(ExportRow.org_id == self.org_id, ExportRow.finished_at < moment)
                .order_by(ExportRow.id)
                .limit(limit)
                .with_for_update()
            )
        )

    async def of_proposal(self, proposal_id: UUID) -> list[ExportRow]:
        """Every export of the proposal, locked."""
        return list(
            await self.uow.session.scalars(
                select(ExportRow)
                .where(ExportRow.org_id == self.org_id, ExportRow.proposal_id == proposal_id)
                .order_by(ExportRow.id)
                .with_for_update()
            )
        )

    async def remove(self, row: ExportRow) -> str | None:
        """Removes the export. Returns the sha256 of its file when no other export needs it any more."""
        await self.uow.session.delete(row)
        await self.uow.flush()
        needed = await self.uow.session.scalar(
            select(ExportRow.id)
            .where(ExportRow.org_id == self.org_id, ExportRow.content_key == row.content_key)
            .limit(1)
        )
        if needed is not None:
            return None
        await self.uow.session.execute(
            delete(ArtifactRow).where(ArtifactRow.org_id == self.org_id, ArtifactRow.content_key == row.content_key)
        )
        return None if row.sha256 is None or await self.is_stored(row.sha256) else row.sha256

    async def artifact(self, content_key: str) -> ArtifactRow | None:
        """The stored file of this content, if there is one."""
        return await self.uow.session.get(ArtifactRow, (self.org_id, content_key))

    async def put_artifact(
        self, content_key: str, *, sha256: str, size: int, pages: int | None, missing: Mapping[str, int]
    ) -> ArtifactRow:
        """Notes a stored file."""
        row = ArtifactRow(
            org_id=self.org_id, content_key=content_key, sha256=sha256, size=size, pages=pages, missing=dict(missing)
        )
        self.uow.session.add(row)
        await self.uow.flush()
        return row

    async def is_stored(self, sha256: str) -> bool:
        """Whether some content's file has these bytes."""
        found = await self.uow.session.scalar(
            select(ArtifactRow.sha256).where(ArtifactRow.org_id == self.org_id, ArtifactRow.sha256 == sha256).limit(1)
        )
        return found is not None

    async def stored_hashes(self) -> set[str]:
        """The hashes of all stored files."""
        return set(await self.uow.session.scalars(select(ArtifactRow.sha256).where(ArtifactRow.org_id == self.org_id)))

    async def storage_used(self) -> int:
        """Bytes of all stored files; one that two contents share counts once."""
        files = select(ArtifactRow.sha256, ArtifactRow.size).where(ArtifactRow.org_id == self.org_id).distinct()
        return int(await self.uow.session.scalar(select(func.coalesce(func.sum(files.subquery().c.size), 0))) or 0)

    async def storage_changed(self) -> StorageChanged:
        """What the stored files take up now, as an event; to be asked for under the lock, after a file came or went."""
        version = await self.uow.session.scalar(
            insert(StorageRow)
            .values(org_id=self.org_id, version=1)
            .on_conflict_do_update(index_elements=[StorageRow.org_id], set_={"version": StorageRow.version + 1})
            .returning(StorageRow.version)
        )
        assert version is not None, "an upsert returns its row"
        return StorageChanged(org_id=self.org_id, version=version, bytes_used=await self.storage_used())


async def orgs_exported_by(uow: UnitOfWork) -> list[UUID]:
    """The orgs in which the person that the transaction has set asked for exports or sent a template.

    Needs the worker's role.
    """
    exported = select(ExportRow.org_id)
    return list(await uow.session.scalars(exported.union(select(TemplateRow.org_id))))


async def forget_requester(uow: UnitOfWork, org_id: UUID, user_id: UUID) -> None:
    """Takes the person out of the org's exports and jobs."""
    await uow.session.execute(
        update(ExportRow).where(ExportRow.org_id == org_id, ExportRow.requested_by == user_id).values(requested_by=None)
    )
    await uow.session.execute(
        update(TemplateRow)
        .where(TemplateRow.org_id == org_id, TemplateRow.uploaded_by == user_id)
        .values(uploaded_by=None)
    )
    await uow.session.execute(update(Job).where(Job.org_id == org_id, Job.user_id == user_id).values(user_id=None))


def finish(row: ExportRow, artifact: ArtifactRow, *, at: datetime) -> None:
    """Marks the export as done; its content is not needed here any more."""
    row.status, row.sha256, row.size, row.finished_at, row.document = "done", artifact.sha256, artifact.size, at, None
    row.pages = artifact.pages
    row.manifest = row.manifest | {"missing_glyphs": artifact.missing}


def fail(row: ExportRow, *, code: str, detail: str, at: datetime) -> None:
    """Marks the export as failed, with a reason that its person can read."""
    row.status, row.error_code, row.error_detail, row.finished_at, row.document = "failed", code, detail, at, None
