"""The shapes of the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from uploads import domain
from uploads.models import Upload, UploadPage


class UploadView(BaseModel):
    """A file that was accepted."""

    id: UUID
    filename: str
    content_type: str
    size: int = Field(description="Bytes")
    sha256: str
    status: domain.Status
    reason: domain.Reason | None = Field(description="Why it is unreadable")
    detail: str | None = Field(description="The same as a sentence")
    pages: int | None = Field(description="Pages with their text, once it is ready")
    proposal_id: UUID | None
    uploaded_by: UUID | None = Field(description="Null once that person was erased")
    created_at: datetime

    @classmethod
    def of(cls, upload: Upload) -> UploadView:
        """From its row."""
        return cls(
            id=upload.id,
            filename=upload.filename,
            content_type=upload.content_type,
            size=upload.size,
            sha256=upload.sha256,
            status=upload.status,
            reason=upload.reason,
            detail=domain.REASONS[upload.reason] if upload.reason else None,
            pages=upload.page_count,
            proposal_id=upload.proposal_id,
            uploaded_by=upload.uploaded_by,
            created_at=upload.created_at,
        )


class PageView(BaseModel):
    """The text of one page."""

    number: int = Field(description="Counts from 1")
    text: str
    ocr: bool = Field(description="Read from a picture, so it may have mistakes")


class TextView(BaseModel):
    """What a file says. Empty while it is processing, and when it is unreadable."""

    status: domain.Status
    reason: domain.Reason | None
    detail: str | None
    pages: list[PageView]

    @classmethod
    def of(cls, upload: Upload, pages: Sequence[UploadPage]) -> TextView:
        """From its rows."""
        return cls(
            status=upload.status,
            reason=upload.reason,
            detail=domain.REASONS[upload.reason] if upload.reason else None,
            pages=[PageView(number=page.number, text=page.text, ocr=page.ocr) for page in pages],
        )
