"""The shapes of the API."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from common.bodies import RequestBody
from contracts.exports import Format
from exports.models import ExportRow

Status = Literal["queued", "done", "failed"]


class ExportIn(RequestBody):
    """What to export."""

    proposal_id: UUID
    format: Format
    proposal_revision: int | None = Field(
        strict=True,
        default=None,
        ge=1,
        description="The proposal's revision that you have seen; the export shows it or a newer one",
    )


class ExportFailure(BaseModel):
    """Why an export has no file."""

    code: str
    detail: str


class ExportOut(BaseModel):
    """An export of a proposal's approved sections."""

    id: UUID
    proposal_id: UUID
    proposal_revision: int = Field(description="Of the text in the file")
    format: Format
    status: Status
    url: str | None = Field(description="Where the file is, once it is done")
    filename: str
    sha256: str | None
    size: int | None = Field(description="Bytes")
    sections_included: int = Field(description="Approved sections, which the file shows")
    sections_total: int = Field(description="All sections of the proposal; those that are not approved are left out")
    template_version: str
    engine_version: str
    job_id: UUID | None = Field(description="The job that makes the file; null when its bytes were there already")
    error: ExportFailure | None
    requested_by: UUID | None = Field(description="Null once that person was erased")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: ExportRow) -> ExportOut:
        """From its row."""
        done = row.status == "done"
        failed = row.status == "failed"
        return cls(
            id=row.id,
            proposal_id=row.proposal_id,
            proposal_revision=row.proposal_revision,
            format=cast(Format, row.format),
            status=cast(Status, row.status),
            url=f"/api/exports/{row.id}/file" if done else None,
            filename=row.filename,
            sha256=row.sha256,
            size=row.size,
            sections_included=row.sections_included,
            sections_total=row.sections_total,
            template_version=row.manifest["template_version"],
            engine_version=row.manifest["engine_version"],
            job_id=row.job_id,
            error=ExportFailure(code=row.error_code or "", detail=row.error_detail or "") if failed else None,
            requested_by=row.requested_by,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


class VerifyIn(RequestBody):
    """The hash of a file, as `sha256sum` prints it."""

    sha256: str = Field(description="64 hexadecimal digits")

    @field_validator("sha256")
    @classmethod
    def _is_a_hash(cls, value: str) -> str:
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
            raise ValueError("This is not a sha256: 64 hexadecimal digits.")
        return value.lower()


class VerifiedExport(BaseModel):
    """Where a file came from."""

    id: UUID
    proposal_id: UUID
    proposal_revision: int
    format: Format
    created_at: datetime


class VerifyOut(BaseModel):
    """Whether these very bytes are an export of your organisation."""

    match: bool
    sha256: str
    export: VerifiedExport | None = None

    @classmethod
    def of(cls, sha256: str, row: ExportRow | None) -> VerifyOut:
        """From the row that was found, if one was."""
        if row is None:
            return cls(match=False, sha256=sha256)
        export = VerifiedExport(
            id=row.id,
            proposal_id=row.proposal_id,
            proposal_revision=row.proposal_revision,
            format=cast(Format, row.format),
            created_at=row.created_at,
        )
        return cls(match=True, sha256=sha256, export=export)
