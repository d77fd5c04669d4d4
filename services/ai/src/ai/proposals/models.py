"""Table of proposals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class Proposal(Base):
    """A proposal. `revision` grows with what an export would show, `event_version` with every event about it."""

    __tablename__ = "proposals"
    __table_args__ = (Index("proposals_by_org", "org_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    title: Mapped[str]
    state: Mapped[str]
    revision: Mapped[int]
    event_version: Mapped[int]
    call_upload_id: Mapped[UUID | None]
    has_call_text: Mapped[bool]
    findings: Mapped[list[dict[str, Any]] | None]
    """What the plan found in the call that binds the whole proposal."""
    created_by: Mapped[UUID | None]
    """None after the person was erased."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
