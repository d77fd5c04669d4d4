"""What the service publishes about an export: its row to a contract event, one version further."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from contracts.exports import ExportDeleted, ExportFailed, ExportFinished, Format, OrgErased, UserErased
from exports.models import ExportRow


def finished(row: ExportRow, storage_bytes_used: int) -> ExportFinished:
    """The export has its file."""
    assert row.sha256 is not None, "a finished export has a file"
    assert row.size is not None, "and its size"
    return ExportFinished(
        org_id=row.org_id,
        version=_next(row),
        export_id=row.id,
        proposal_id=row.proposal_id,
        format=_format(row),
        proposal_revision=row.proposal_revision,
        sha256=row.sha256,
        size=row.size,
        storage_bytes_used=storage_bytes_used,
        requested_by=row.requested_by,
    )


def failed(row: ExportRow) -> ExportFailed:
    """The export will have no file."""
    return ExportFailed(
        org_id=row.org_id,
        version=_next(row),
        export_id=row.id,
        proposal_id=row.proposal_id,
        format=_format(row),
        error=row.error_code or "render_failed",
        requested_by=row.requested_by,
    )


def deleted(row: ExportRow, storage_bytes_used: int) -> ExportDeleted:
    """The export is gone."""
    return ExportDeleted(
        org_id=row.org_id,
        version=_next(row),
        export_id=row.id,
        proposal_id=row.proposal_id,
        format=_format(row),
        storage_bytes_used=storage_bytes_used,
    )


def org_erased(org_id: UUID, at: datetime) -> OrgErased:
    """Nothing of the org is left here."""
    return OrgErased(org_id=org_id, version=1, erased_at=at)


def user_erased(org_id: UUID, user_id: UUID, at: datetime) -> UserErased:
    """Nothing of the person is left here."""
    return UserErased(org_id=org_id, version=1, user_id=user_id, erased_at=at)


def _next(row: ExportRow) -> int:
    row.version += 1
    return row.version


def _format(row: ExportRow) -> Format:
    return cast(Format, row.format)
