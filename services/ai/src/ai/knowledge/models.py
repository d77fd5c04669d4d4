"""Tables of documents: an upload's text, or a call that was pasted as text."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ai.knowledge.vectors import HalfVector
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
    indexed_with: Mapped[str | None]
    """The embedding that made the vectors of all its passages; None while they are not all made."""
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
    """A few sentences of a page, with their words in both languages that we stem.

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
    words_german: Mapped[str | None] = mapped_column(TSVECTOR)
    """Filled by the job that makes the vectors: to add a generated column would write the whole table anew."""


class PassageVector(Base):
    """What a passage is about. A table of its own, because all vectors of an org are read for one question.

    There is no HNSW index either: it would look among all orgs' vectors first and throw away those of others.
    """

    __tablename__ = "passage_vectors"
    __table_args__ = (Index("passage_vectors_by_document", "org_id", "document_id"),)

    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True)
    org_id: Mapped[UUID]
    document_id: Mapped[UUID]
    embedding: Mapped[str]
    """The name of what made it; vectors of different ones cannot be compared."""
    vector: Mapped[list[float]] = mapped_column(HalfVector)
