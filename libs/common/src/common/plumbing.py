"""The tables that every service's schema has: outbox, inbox, aggregate versions, jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LEASE: Final = timedelta(seconds=15)
"""Fifteen missed heartbeats: longer than a restart of the database, short enough for the person who waits."""


class PlumbingBase(DeclarativeBase):
    """Their metadata; the schema comes from the role's search_path."""

    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
    }


class OutboxRow(PlumbingBase):
    """A message that is sent because, and only because, its transaction committed."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_unpublished", "position", postgresql_where=text("published_at IS NULL")),
        Index("outbox_published_at", "published_at", postgresql_where=text("published_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Identity())
    org_id: Mapped[UUID | None]
    subject: Mapped[str]
    headers: Mapped[dict[str, str]]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]


class InboxRow(PlumbingBase):
    """An event whose effect is in this schema; a second delivery finds it here and does nothing."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_received_at", "received_at"),)

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    type: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AggregateVersion(PlumbingBase):
    """The version up to which an aggregate's events were applied here."""

    __tablename__ = "aggregate_versions"

    aggregate: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    version: Mapped[int]


class Job(PlumbingBase):
    """Work that is claimed with a lease; see `common.jobs`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_unfinished", "status", "run_after", postgresql_where=text("status IN ('queued', 'running')")),
        Index("jobs_by_org", "org_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[str]
    attempt: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int]
    run_after: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    swept_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]
    result: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
