"""Tables of sections and their revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class Section(Base):
    """A section. `revision` grows with every accepted change of its text or title."""

    __tablename__ = "sections"
    __table_args__ = (Index("sections_by_proposal", "org_id", "proposal_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposals.id", ondelete="CASCADE"))
    title: Mapped[str]
    position: Mapped[int]
    text: Mapped[str]
    revision: Mapped[int]
    approved_revision: Mapped[int | None]
    event_version: Mapped[int]
    """Of section.approved; 0 before the first approval."""
    planned: Mapped[bool]
    """Whether a plan made it; an untouched one gives way to the next plan."""
    guidance: Mapped[str]
    page_limit: Mapped[int | None]
    criteria: Mapped[list[dict[str, Any]]]
    questions: Mapped[list[dict[str, Any]]]
    revise_count: Mapped[int]
    """Revise calls since the last write or approval."""
    removed_at: Mapped[datetime | None]
    """Since when it is out of the proposal; it can be put back."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SectionRevision(Base):
    """What a section said at one revision, and who or what wrote it."""

    __tablename__ = "section_revisions"
    __table_args__ = (Index("section_revisions_by_org", "org_id", "section_id"),)

    section_id: Mapped[UUID] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    title: Mapped[str]
    text: Mapped[str]
    origin: Mapped[str]
    provenance: Mapped[list[dict[str, Any]] | None]
    """Who wrote each paragraph (`ai.provenance`); None for revisions from before this was kept."""
    author_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
