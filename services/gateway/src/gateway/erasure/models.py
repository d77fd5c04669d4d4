"""The tables of erasures."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models import Base


class Erasure(Base):
    """An org or a person that every service is to erase; closed when all have answered."""

    __tablename__ = "erasures"
    __table_args__ = (Index("erasures_open", "requested_at", postgresql_where=text("closed_at IS NULL")),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    """`org` or `user`."""
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    """The org itself, or the person's own."""
    requested_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ErasureReceipt(Base):
    """A service's word that it has erased its part."""

    __tablename__ = "erasure_receipts"
    __table_args__ = (ForeignKeyConstraint(["kind", "subject_id"], ["erasures.kind", "erasures.subject_id"]),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    erased_at: Mapped[datetime]
