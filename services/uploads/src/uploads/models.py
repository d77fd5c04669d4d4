"""The tables. A row in `uploads` means: the bytes are in the object store, and every check has passed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from uploads.domain import Reason, Status
from uploads.inspection.kinds import KindName
from uploads.inspection.refusal import Code
from uploads.resumable.domain import State


class Base(DeclarativeBase):
    """This service's metadata; the schema comes from the role's search_path."""

    type_annotation_map = {str: Text, int: BigInteger, bool: Boolean, datetime: DateTime(timezone=True)}


class Upload(Base):
    """A file of an org. `version` counts its events."""

    __tablename__ = "uploads"
    __table_args__ = (Index("uploads_by_org", "org_id", "id"), Index("uploads_by_content", "org_id", "sha256"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    uploaded_by: Mapped[UUID | None]
    """None once that person was erased."""
    proposal_id: Mapped[UUID | None]
    filename: Mapped[str]
    kind: Mapped[KindName] = mapped_column(Text)
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    status: Mapped[Status] = mapped_column(Text)
    reason: Mapped[Reason | None] = mapped_column(Text)
    page_count: Mapped[int | None]
    shown_sha256: Mapped[str | None]
    """Of what is handed out instead of a picture's own bytes; None: not made yet, and for what is no picture."""
    shown_size: Mapped[int | None]
    """0 without a SHA-256: it cannot be made."""
    version: Mapped[int]
    created_at: Mapped[datetime]


class UploadPage(Base):
    """The text of one page."""

    __tablename__ = "upload_pages"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    text: Mapped[str]
    ocr: Mapped[bool]


class OrgStorage(Base):
    """How many bytes an org has stored. Its row is the lock under which storage is reserved, taken and given back."""

    __tablename__ = "org_storage"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    bytes_used: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="0")
    """Of the events that tell `bytes_used`."""
    bytes_elsewhere: Mapped[int] = mapped_column(server_default="0")
    """What the org's exports take up, by their service's events: they share the plan's storage."""
    erased_at: Mapped[datetime | None]
    """Set when the org was deleted: nothing more is stored for it."""


class StorageClaim(Base):
    """Bytes in the object store that no upload may have: of one under way, or the remains of a deleted one.

    Written before the bytes and removed with the row that owns them, so that whatever a kill leaves behind is known by
    name and can be swept.
    """

    __tablename__ = "storage_claims"
    __table_args__ = (Index("storage_claims_by_org", "org_id", "sha256"), Index("storage_claims_by_age", "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    sha256: Mapped[str]
    size: Mapped[int]
    """What it reserves; 0 for remains."""
    expires_at: Mapped[datetime]
    """From then on the bytes are swept unless an upload has them."""
    upload_id: Mapped[UUID | None]
    """Of the upload under way; a resumable one has reserved its bytes already, and they count once."""


class ResumableUpload(Base):
    """A file that comes in pieces. Its id becomes the upload's; what has come so far is in `resumable_parts`."""

    __tablename__ = "resumable_uploads"
    __table_args__ = (
        Index("resumable_uploads_by_org", "org_id", "expires_at"),
        Index("resumable_uploads_by_age", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    """Who may go on with it; None once that person was erased."""
    state: Mapped[State] = mapped_column(Text)
    filename: Mapped[str]
    declared_type: Mapped[str | None]
    proposal_id: Mapped[UUID | None]
    length: Mapped[int]
    """As announced, and reserved in the org's storage while it is receiving."""
    received: Mapped[int]
    refused_code: Mapped[Code | None] = mapped_column(Text)
    refused_detail: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """From then on it is swept: first its bytes and its reservation, then its row."""


class ResumablePart(Base):
    """Bytes of a resumable upload in the object store."""

    __tablename__ = "resumable_parts"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("resumable_uploads.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    size: Mapped[int]
    key: Mapped[str]


class Entitlement(Base):
    """Our copy of what billing says an org may store; None: no cap."""

    __tablename__ = "entitlements"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str]
    storage_bytes: Mapped[int | None]
