"""The tables of the exports service; migrations/versions creates them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Their metadata; the schema comes from the role's search_path."""

    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class OrgRow(Base):
    """An org's name, by the gateway's events. A deleted one stays as a mark, so that late events find it."""

    __tablename__ = "orgs"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    deleted: Mapped[bool] = mapped_column(server_default="false")


class EntitlementRow(Base):
    """What an org may store, by billing's events."""

    __tablename__ = "entitlements"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    storage_bytes: Mapped[int | None]


class StorageRow(Base):
    """What an org's storage holds beside our files, and the version of the events that tell what ours take of it."""

    __tablename__ = "org_storage"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="0")
    bytes_elsewhere: Mapped[int] = mapped_column(server_default="0")


class ProposalRow(Base):
    """A proposal's outline, by the ai service's events. A deleted one stays as a mark, without its words."""

    __tablename__ = "proposals"
    __table_args__ = (Index("proposals_by_org", "org_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    title: Mapped[str]
    state: Mapped[str]
    revision: Mapped[int]
    sections: Mapped[list[dict[str, Any]]]


class SectionTextRow(Base):
    """An approved text."""

    __tablename__ = "section_texts"
    __table_args__ = (Index("section_texts_by_proposal", "org_id", "proposal_id"),)

    section_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID]
    text: Mapped[str]
    origins: Mapped[list[dict[str, Any]] | None]
    """Who wrote each paragraph, as `{"by": person, model or both, "model": name}`; None when it was not told."""


class TemplateRow(Base):
    """An org's own Word template, prepared. It is small and there is one, so it lies here and not among the objects."""

    __tablename__ = "templates"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    name: Mapped[str]
    content: Mapped[bytes]
    uploaded_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class ArtifactRow(Base):
    """A stored file, named by what it was made from. Exports of the same content share it."""

    __tablename__ = "artifacts"
    __table_args__ = (Index("artifacts_by_sha256", "org_id", "sha256"),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    content_key: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    size: Mapped[int]
    pages: Mapped[int | None]
    missing: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """The characters that a PDF could not show, and how often."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExportRow(Base):
    """A request for a file and what became of it: queued, then done or failed."""

    __tablename__ = "exports"
    __table_args__ = (
        Index("exports_by_org", "org_id", "id"),
        Index("exports_by_proposal", "org_id", "proposal_id", "id"),
        Index("exports_by_sha256", "org_id", "sha256"),
        Index("exports_by_content", "org_id", "content_key"),
        Index("exports_by_requester", "requested_by", postgresql_where=text("requested_by IS NOT NULL")),
        Index(
            "exports_once",
            "org_id",
            "proposal_id",
            "proposal_revision",
            "content_key",
            "page_limit",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status <> 'failed'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID]
    proposal_revision: Mapped[int]
    format: Mapped[str]
    status: Mapped[str]
    content_key: Mapped[str]
    """Names the content, the format and the versions that make the file; see `Document.content_key`."""
    document: Mapped[str | None]
    """The content, until the file is made."""
    manifest: Mapped[dict[str, Any]]
    filename: Mapped[str]
    sections_included: Mapped[int]
    sections_total: Mapped[int]
    requested_by: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    sha256: Mapped[str | None]
    size: Mapped[int | None]
    pages: Mapped[int | None]
    page_limit: Mapped[int | None]
    """What the file was wanted to keep to; it changes no byte, so it is no part of the content."""
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="0")
    """Of the events published about this export."""
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
