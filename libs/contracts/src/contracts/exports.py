"""What exports publishes: files that were rendered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.base import Event, EventMeta

Format = Literal["md", "pdf", "docx"]

_ORG = "01920000-0000-7000-8000-000000000001"
_USER = "01920000-0000-7000-8000-000000000002"
_PROPOSAL = "01920000-0000-7000-8000-000000000003"
_EXPORT = "01920000-0000-7000-8000-000000000007"


class _ExportEvent(Event):
    export_id: UUID
    proposal_id: UUID
    format: Format


class ExportFinished(_ExportEvent):
    """A file was rendered and stored."""

    META = EventMeta("exports", "export", "finished", "export_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "export_id": _EXPORT,
        "proposal_id": _PROPOSAL,
        "format": "pdf",
        "proposal_revision": 7,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "size": 54321,
        "storage_bytes_used": 54321,
        "requested_by": _USER,
    }

    proposal_revision: int
    sha256: str
    size: int
    storage_bytes_used: int
    """The org's stored exports after this change, in bytes."""
    requested_by: UUID | None = None
    """Who asked for it; None when they are erased."""


class ExportFailed(_ExportEvent):
    """A file could not be rendered; `error` is the code that the person sees."""

    META = EventMeta("exports", "export", "failed", "export_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "export_id": _EXPORT,
        "proposal_id": _PROPOSAL,
        "format": "pdf",
        "error": "render_failed",
        "requested_by": _USER,
    }

    error: str
    requested_by: UUID | None = None


class ExportDeleted(_ExportEvent):
    """A rendered file is gone."""

    META = EventMeta("exports", "export", "deleted", "export_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 2,
        "export_id": _EXPORT,
        "proposal_id": _PROPOSAL,
        "format": "pdf",
        "storage_bytes_used": 0,
    }

    storage_bytes_used: int


class StorageChanged(Event):
    """How much the org's exports take up now; a content that several of them share counts once."""

    META = EventMeta("exports", "storage", "changed", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "bytes_used": 12345}

    bytes_used: int


class OrgErased(Event):
    """Receipt: exports has erased everything of this org."""

    META = EventMeta("exports", "org", "erased", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "erased_at": "2026-11-02T09:00:05Z"}

    erased_at: datetime


class UserErased(Event):
    """Receipt: exports has erased what it kept of this person."""

    META = EventMeta("exports", "user", "erased", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _USER, "erased_at": "2026-11-02T09:00:05Z"}

    user_id: UUID
    erased_at: datetime
