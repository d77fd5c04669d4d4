"""The shapes of the API."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from common.bodies import RequestBody
from contracts.exports import Format
from exports.domain import Wish, within
from exports.models import ExportRow, TemplateRow
from exports.rendering.layout import Layout

Status = Literal["queued", "done", "failed"]


class LayoutIn(RequestBody):
    """What a funder prescribes. Whatever is left out is as the template has it; Markdown has no layout."""

    paper: Literal["a4", "letter"] | None = None
    margin_mm: float | None = Field(default=None, ge=10, le=50, description="On all four sides")
    font: Literal["sans", "arial", "serif"] | None = Field(
        default=None, description="sans: Noto Sans; arial: Arial, in a PDF its metric twin; serif: Times New Roman"
    )
    size_pt: float | None = Field(default=None, ge=8, le=16, multiple_of=0.5)
    line_spacing: float | None = Field(default=None, ge=1, le=2, description="1 is single")
    language: str | None = Field(
        default=None, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description="Of the text, as `en` or `pt-BR`"
    )
    cover: bool = True
    contents: bool = True
    page_limit: int | None = Field(
        strict=True, default=None, ge=1, le=1000, description="Of all pages of a PDF; `within_page_limit` answers"
    )

    def layout(self) -> Layout:
        """For the renderer, to which a page limit means nothing."""
        return Layout(**self.model_dump(exclude={"page_limit"}))


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
    layout: LayoutIn = Field(default_factory=LayoutIn)
    ai_disclosure: bool = Field(
        strict=True, default=False, description="Add a chapter that says which sections a model drafted"
    )
    template: Literal["organisation", "standard"] = Field(
        default="organisation", description="Of a Word file: your organisation's own where it has one, or ours"
    )

    def wish(self) -> Wish:
        """What kind of file this asks for."""
        return Wish(
            self.format,
            self.layout.layout(),
            self.layout.page_limit,
            self.ai_disclosure,
            self.template == "organisation",
        )


class ExportFailure(BaseModel):
    """Why an export has no file."""

    code: str
    detail: str


class MissingGlyph(BaseModel):
    """A character that no font of ours has; the PDF shows a white square for it."""

    character: str
    code_point: str = Field(description="As `U+12000`")
    count: int


class LayoutOut(BaseModel):
    """What the layout set; null where the template decides."""

    paper: str | None = None
    margin_mm: float | None = None
    font: str | None = None
    size_pt: float | None = None
    line_spacing: float | None = None
    language: str | None = None
    cover: bool = True
    contents: bool = True
    page_limit: int | None = None


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
    pages: int | None = Field(description="Of a finished PDF; only Word itself knows a Word file's")
    page_limit: int | None
    within_page_limit: bool | None = Field(description="Null without a limit, or without pages")
    missing_glyphs: list[MissingGlyph] = Field(description="Characters that the PDF shows as a white square")
    layout: LayoutOut
    ai_disclosure: bool
    template_sha256: str | None = Field(description="Of your organisation's Word template, when it was used")
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
        options = row.manifest.get("options", {})
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
            pages=row.pages,
            page_limit=row.page_limit,
            within_page_limit=within(row.pages, row.page_limit),
            missing_glyphs=_missing(row),
            layout=LayoutOut(**options.get("layout", {}), page_limit=row.page_limit),
            ai_disclosure=bool(options.get("ai_disclosure", False)),
            template_sha256=row.manifest.get("template_sha256"),
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


def _missing(row: ExportRow) -> list[MissingGlyph]:
    counts: dict[str, int] = row.manifest.get("missing_glyphs", {})
    return [
        MissingGlyph(character=one, code_point=f"U+{ord(one):04X}", count=count)
        for one, count in sorted(counts.items())
    ]


class ManifestSection(BaseModel):
    """A section that the file shows."""

    section_id: UUID
    revision: int
    title: str
    sha256: str = Field(description="Of its Markdown, as UTF-8")


class ManifestOut(BaseModel):
    """Where a file comes from: what it was made of and with, and who asked. None of it is inside the file but the
    content hash and the versions."""

    export_id: UUID
    sha256: str | None
    size: int | None
    content_sha256: str = Field(description="Also in the file's keywords, or its last line")
    format: Format
    proposal_id: UUID
    proposal_revision: int
    title: str
    org_name: str
    sections: list[ManifestSection]
    template_version: str
    template_sha256: str | None
    engine_version: str
    layout: LayoutOut
    ai_disclosure: bool
    pages: int | None
    missing_glyphs: list[MissingGlyph]
    requested_by: UUID | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: ExportRow) -> ManifestOut:
        """From its row."""
        shown = ExportOut.of(row).model_dump()
        same = {name: shown[name] for name in cls.model_fields.keys() & shown.keys()}
        return cls(
            export_id=row.id,
            content_sha256=row.content_key,
            title=row.manifest["title"],
            org_name=row.manifest["org_name"],
            sections=row.manifest["sections"],
            **same,
        )


class TemplateOut(BaseModel):
    """The organisation's own Word template."""

    sha256: str = Field(description="Of the template as it is used; every export in it names it")
    name: str
    size: int = Field(description="Bytes")
    created_at: datetime

    @classmethod
    def of(cls, row: TemplateRow) -> TemplateOut:
        """From its row."""
        return cls(sha256=row.sha256, name=row.name, size=len(row.content), created_at=row.created_at)


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

    @classmethod
    def of(cls, row: ExportRow | None) -> VerifiedExport | None:
        """From the row that was found, if one was."""
        if row is None:
            return None
        return cls(
            id=row.id,
            proposal_id=row.proposal_id,
            proposal_revision=row.proposal_revision,
            format=cast(Format, row.format),
            created_at=row.created_at,
        )


class VerifyOut(BaseModel):
    """Whether these very bytes are an export of your organisation."""

    match: bool
    sha256: str
    export: VerifiedExport | None = None
    altered_from: VerifiedExport | None = Field(
        default=None, description="The export whose content hash is in the file: it was ours before someone changed it"
    )

    @classmethod
    def of(cls, sha256: str, found: ExportRow | None, altered: ExportRow | None) -> VerifyOut:
        """From the rows that were found, if any was."""
        return cls(
            match=found is not None,
            sha256=sha256,
            export=VerifiedExport.of(found),
            altered_from=VerifiedExport.of(altered),
        )
