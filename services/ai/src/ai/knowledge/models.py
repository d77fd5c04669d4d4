"""Tables of documents: an upload's text, or a call that was pasted as text."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class Document(Base):
    """A document. Its id is the upload's, or the proposal's when the call was pasted into it."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_by_proposal", "org_id", "proposal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    filename: Mapped[str]
    proposal_id: Mapped[UUID | None]
    status: Mapped[str]
    """processing, ready, unreadable."""
    parts_missing: Mapped[int | None]
    """Parts of the text that have not arrived; None before the first."""
    created_at: Mapped[datetime]


class DocumentPage(Base):
    """The text of one page."""

    __tablename__ = "document_pages"
    __table_args__ = (Index("document_pages_by_org", "org_id", "document_id"),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    text: Mapped[str]


class PassageRow(Base):
    """A few sentences of a page, with their words indexed.

    There is no GIN index: under row-level security it would not be used. The org and the documents narrow first.
    """

    __tablename__ = "passages"
    __table_args__ = (Index("passages_by_document", "org_id", "document_id", "page"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    org_id: Mapped[UUID]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    page: Mapped[int]
    text: Mapped[str]
    words: Mapped[str] = mapped_column(TSVECTOR, Computed("to_tsvector('english', text)", persisted=True))
