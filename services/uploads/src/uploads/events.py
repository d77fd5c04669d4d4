"""What this service publishes, made from its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from contracts.uploads import FileAccepted, FileDeleted, FileExtracted, FileRefused, OrgErased, Page, UserErased
from uploads import domain
from uploads.extraction import ExtractedPage
from uploads.models import Upload


def file_accepted(upload: Upload, *, uploaded_by: UUID, storage_bytes_used: int) -> FileAccepted:
    """A file passed every check and is stored."""
    return FileAccepted(
        org_id=upload.org_id,
        version=upload.version,
        upload_id=upload.id,
        filename=upload.filename,
        size=upload.size,
        storage_bytes_used=storage_bytes_used,
        content_type=upload.content_type,
        sha256=upload.sha256,
        proposal_id=upload.proposal_id,
        uploaded_by=uploaded_by,
    )


def file_extracted(upload: Upload, verdict: domain.Verdict) -> Iterator[FileExtracted]:
    """The file was read: one event, or several of which each takes the next version of the upload."""
    parts = domain.in_parts(verdict.pages)
    for number, pages in enumerate(parts, start=1):
        upload.version += 1
        yield FileExtracted(
            org_id=upload.org_id,
            version=upload.version,
            upload_id=upload.id,
            filename=upload.filename,
            proposal_id=upload.proposal_id,
            status=verdict.status,
            pages=tuple(_page(page) for page in pages),
            part=number,
            parts=len(parts),
        )


def file_refused(*, org_id: UUID, upload_id: UUID, filename: str, error: str) -> FileRefused:
    """A file was refused; it never became an upload."""
    return FileRefused(org_id=org_id, version=1, upload_id=upload_id, filename=filename, error=error)


def file_deleted(upload: Upload, *, storage_bytes_used: int) -> FileDeleted:
    """The file is gone."""
    return FileDeleted(
        org_id=upload.org_id,
        version=upload.version + 1,
        upload_id=upload.id,
        filename=upload.filename,
        size=upload.size,
        storage_bytes_used=storage_bytes_used,
    )


def org_erased(org_id: UUID, at: datetime) -> OrgErased:
    """Receipt for the gateway."""
    return OrgErased(org_id=org_id, version=1, erased_at=at)


def user_erased(org_id: UUID, user_id: UUID, at: datetime) -> UserErased:
    """Receipt for the gateway."""
    return UserErased(org_id=org_id, version=1, user_id=user_id, erased_at=at)


def _page(page: ExtractedPage) -> Page:
    return Page(number=page.number, text=page.text, ocr=page.ocr)
