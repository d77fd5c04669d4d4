"""The ends of the chains; the rows themselves are `gateway.models.AuditRow`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from gateway.models import Base


class AuditHead(Base):
    """The last row of an org's chain; written by the trigger alone."""

    __tablename__ = "audit_heads"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str]
