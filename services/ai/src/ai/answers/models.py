"""Tables of the answer library."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, Date, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class LibraryAnswer(Base):
    """An answer that the org approved. `version` grows with what people change, not with uses."""

    __tablename__ = "library_answers"
    __table_args__ = (
        Index("library_answers_by_org", "org_id", "id"),
        Index("library_answers_of_proposal", "proposal_id"),
        Index("library_answers_of_section", "section_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    question: Mapped[str]
    answer: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSONB)
    owner_id: Mapped[UUID | None]
    """Who keeps it true; None when nobody does, or after that person was erased."""
    review_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str]
    """active, archived."""
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("proposals.id", ondelete="SET NULL"))
    section_id: Mapped[UUID | None] = mapped_column(ForeignKey("sections.id", ondelete="SET NULL"))
    question_id: Mapped[str | None]
    """The planner's question that it answered; with a section and without one, it is the section's text."""
    uses: Mapped[int]
    last_used_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('english', question)", persisted=True), deferred=True
    )


class LibraryUse(Base):
    """That an answer was used once; who used it chose the id, so that asking again is the same use."""

    __tablename__ = "library_uses"
    __table_args__ = (Index("library_uses_by_org", "org_id", "answer_id"),)

    answer_id: Mapped[UUID] = mapped_column(ForeignKey("library_answers.id", ondelete="CASCADE"), primary_key=True)
    use_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    used_at: Mapped[datetime]
