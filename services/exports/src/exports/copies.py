"""The SQL of what other services have told us: our copy of their facts, for one org in one unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, null, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from common.db import UnitOfWork
from common.plumbing import Job
from exports.domain import ApprovedText, Outline, OutlineEntry, TextKey
from exports.models import (
    ArtifactRow,
    EntitlementRow,
    ExportRow,
    OrgRow,
    ProposalRow,
    SectionTextRow,
    StorageRow,
    TemplateRow,
)

DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Copies:
    """What other services have told us about an org: names, outlines, texts, entitlements."""

    uow: UnitOfWork
    org_id: UUID

    async def org_name(self) -> str | None:
        """The org's name; None when its event has not arrived, or the org is deleted."""
        name: str | None = await self.uow.session.scalar(
            select(OrgRow.name).where(OrgRow.org_id == self.org_id, ~OrgRow.deleted)
        )
        return name

    async def org_is_deleted(self) -> bool:
        """True when the org was deleted: what arrives late about it is not kept."""
        return bool(await self.uow.session.scalar(select(OrgRow.deleted).where(OrgRow.org_id == self.org_id)))

    async def put_org(self, name: str, *, deleted: bool = False) -> None:
        """Stores the name; a deleted org stays deleted."""
        values = {"name": name, "deleted": deleted}
        await self.uow.session.execute(
            insert(OrgRow)
            .values(org_id=self.org_id, **values)
            .on_conflict_do_update(index_elements=[OrgRow.org_id], set_=values, where=~OrgRow.deleted)
        )

    async def storage_cap(self, unknown: int) -> int | None:
        """Bytes the org may store, None for no cap; `unknown` while billing's event has not arrived."""
        row = await self.uow.session.get(EntitlementRow, self.org_id)
        return unknown if row is None else row.storage_bytes

    async def put_storage_cap(self, storage_bytes: int | None) -> None:
        """Stores what billing says the org may store."""
        await self.uow.session.execute(
            insert(EntitlementRow)
            .values(org_id=self.org_id, storage_bytes=storage_bytes)
            .on_conflict_do_update(index_elements=[EntitlementRow.org_id], set_={"storage_bytes": storage_bytes})
        )

    async def storage_elsewhere(self) -> int:
        """Bytes that the org's uploads take up of the same storage."""
        row = await self.uow.session.get(StorageRow, self.org_id)
        return 0 if row is None else row.bytes_elsewhere

    async def put_storage_elsewhere(self, bytes_used: int) -> None:
        """Stores what uploads says they take up."""
        await self.uow.session.execute(
            insert(StorageRow)
            .values(org_id=self.org_id, bytes_elsewhere=bytes_used)
            .on_conflict_do_update(index_elements=[StorageRow.org_id], set_={"bytes_elsewhere": bytes_used})
        )

    async def outline(self, proposal_id: UUID) -> Outline | None:
        """The proposal as we know it; None when it is unknown, deleted or of another org."""
        row = await self.uow.session.scalar(
            select(ProposalRow).where(
                ProposalRow.org_id == self.org_id, ProposalRow.id == proposal_id, ProposalRow.state != DELETED
            )
        )
        if row is None:
            return None
        sections = tuple(
            OutlineEntry(UUID(one["section_id"]), one["title"], one["approved_revision"]) for one in row.sections
        )
        return Outline(row.id, row.title, row.revision, sections)

    async def proposal_is_deleted(self, proposal_id: UUID) -> bool:
        """True when the proposal was deleted: its texts are not kept."""
        state = await self.uow.session.scalar(select(ProposalRow.state).where(ProposalRow.id == proposal_id))
        return state == DELETED

    async def put_proposal(self, outline: Outline, state: str) -> None:
        """Stores the proposal's newest outline."""
        values: dict[str, Any] = {
            "title": outline.title,
            "state": state,
            "revision": outline.revision,
            "sections": [
                {
                    "section_id": str(one.section_id),
                    "title": one.title,
                    "approved_revision": one.approved_revision,
                }
                for one in outline.sections
            ],
        }
        await self.uow.session.execute(
            insert(ProposalRow)
            .values(id=outline.proposal_id, org_id=self.org_id, **values)
            .on_conflict_do_update(index_elements=[ProposalRow.id], set_=values, where=ProposalRow.state != DELETED)
        )

    async def texts(self, keys: Sequence[TextKey]) -> dict[TextKey, ApprovedText]:
        """The texts that are here, by section and revision."""
        if not keys:
            return {}
        rows = await self.uow.session.execute(
            select(
                SectionTextRow.section_id, SectionTextRow.revision, SectionTextRow.text, SectionTextRow.origins
            ).where(
                SectionTextRow.org_id == self.org_id,
                tuple_(SectionTextRow.section_id, SectionTextRow.revision).in_(keys),
            )
        )
        return {(section_id, revision): ApprovedText(body, origins) for section_id, revision, body, origins in rows}

    async def text_keys(self, proposal_id: UUID) -> list[TextKey]:
        """Which texts of the proposal are here."""
        rows = await self.uow.session.execute(
            select(SectionTextRow.section_id, SectionTextRow.revision).where(
                SectionTextRow.org_id == self.org_id, SectionTextRow.proposal_id == proposal_id
            )
        )
        return [(section_id, revision) for section_id, revision in rows]

    async def put_text(
        self, proposal_id: UUID, key: TextKey, body: str, origins: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Stores an approved text, and who wrote its paragraphs when that was told."""
        section_id, revision = key
        values = {"text": body, "origins": null() if origins is None else list(origins)}
        await self.uow.session.execute(
            insert(SectionTextRow)
            .values(section_id=section_id, revision=revision, org_id=self.org_id, proposal_id=proposal_id, **values)
            .on_conflict_do_update(index_elements=[SectionTextRow.section_id, SectionTextRow.revision], set_=values)
        )

    async def drop_texts(self, keys: Sequence[TextKey]) -> None:
        """Removes these texts."""
        if keys:
            await self.uow.session.execute(
                delete(SectionTextRow).where(
                    SectionTextRow.org_id == self.org_id,
                    tuple_(SectionTextRow.section_id, SectionTextRow.revision).in_(keys),
                )
            )

    async def forget_proposal(self, proposal_id: UUID) -> None:
        """Removes its texts and leaves a mark without words in its place."""
        await self.uow.session.execute(
            delete(SectionTextRow).where(
                SectionTextRow.org_id == self.org_id, SectionTextRow.proposal_id == proposal_id
            )
        )
        empty: dict[str, Any] = {"title": "", "state": DELETED, "sections": []}
        await self.uow.session.execute(
            insert(ProposalRow)
            .values(id=proposal_id, org_id=self.org_id, revision=0, **empty)
            .on_conflict_do_update(index_elements=[ProposalRow.id], set_=empty)
        )

    async def forget_org(self, keep_job: UUID) -> None:
        """Removes every row of the org but the mark that it was deleted and the job that erases its files."""
        # Jobs first: a render that is about to finish holds its job's row, and only then the org's storage.
        await self.uow.session.execute(delete(Job).where(Job.org_id == self.org_id, Job.id != keep_job))
        for table in (ExportRow, ArtifactRow, SectionTextRow, ProposalRow, EntitlementRow, StorageRow, TemplateRow):
            await self.uow.session.execute(delete(table).where(table.org_id == self.org_id))
