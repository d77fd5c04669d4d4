"""Tables of AI requests, what they streamed, and the answers that people gave."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class Generation(Base):
    """An accepted AI request; its id is its job's. What it costs is reserved at once and settled at the end."""

    __tablename__ = "generations"
    __table_args__ = (
        Index("generations_by_time", "org_id", "accepted_at"),
        Index(
            "generations_to_redact",
            "finished_at",
            postgresql_where=text("NOT request_redacted AND finished_at IS NOT NULL"),
        ),
        Index(
            "generations_one_open_per_section",
            "section_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL AND section_id IS NOT NULL"),
        ),
        Index(
            "generations_one_open_plan",
            "proposal_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL AND kind = 'plan'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    kind: Mapped[str]
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("proposals.id", ondelete="SET NULL"))
    section_id: Mapped[UUID | None] = mapped_column(ForeignKey("sections.id", ondelete="SET NULL"))
    base_revision: Mapped[int | None]
    """The section's revision when it was accepted; a draft only replaces that one."""
    request: Mapped[dict[str, Any]]
    request_redacted: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    """Whether tokens stand in `request` for what is about people; see `ai.redaction.keeping`."""
    status: Mapped[str]
    """open, succeeded, failed, cancelled."""
    applied: Mapped[bool | None]
    """Whether a draft went into its section."""
    model: Mapped[str]
    """The one that answered; until then, the first that is asked."""
    tokens_reserved: Mapped[int]
    tokens: Mapped[int | None]
    """What it was charged as; `input_tokens` and `output_tokens` are the vendor's own count, where there is one."""
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    prompt: Mapped[str | None]
    """Which prompt it came from, as `write.v1`; `local-rules` for the built-in drafter."""
    prompt_checksum: Mapped[str | None]
    event_version: Mapped[int]
    accepted_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class GenerationChunk(Base):
    """A piece of streamed text, kept so that any process can serve the stream. None: the text begins anew."""

    __tablename__ = "generation_chunks"

    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    text: Mapped[str | None]


class Answer(Base):
    """What someone answered to a question of a section; suggested where a like question comes up again."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_by_org", "org_id", "used_at"),)

    section_id: Mapped[UUID] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    proposal_id: Mapped[UUID]
    question: Mapped[str]
    text: Mapped[str]
    uses: Mapped[int]
    user_id: Mapped[UUID | None]
    used_at: Mapped[datetime]
