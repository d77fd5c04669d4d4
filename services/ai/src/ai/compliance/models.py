"""Tables of requirements and of the sections that answer them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class Requirement(Base):
    """One demand of the call. A new plan of the same call keeps the id of what it finds again."""

    __tablename__ = "requirements"
    __table_args__ = (Index("requirements_by_proposal", "org_id", "proposal_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposals.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str]
    words: Mapped[str]
    page: Mapped[int]
    span_start: Mapped[int | None]
    """Of the page's text as it is stored, in characters; None where it cannot be told."""
    span_end: Mapped[int | None]
    weight: Mapped[int | None]
    limit_value: Mapped[int | None]
    limit_unit: Mapped[str | None]
    mapped_by_hand: Mapped[bool]
    """Whether a person said which sections answer it; a new plan leaves that alone."""


class RequirementSection(Base):
    """That a section answers a requirement."""

    __tablename__ = "requirement_sections"
    __table_args__ = (
        Index("requirement_sections_by_proposal", "org_id", "proposal_id"),
        Index("requirement_sections_of_section", "section_id"),
    )

    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("requirements.id", ondelete="CASCADE"), primary_key=True)
    section_id: Mapped[UUID] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID]
