"""What uploads publishes: which files an org has, and what they say."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.base import Event, EventMeta

_ORG = "01920000-0000-7000-8000-000000000001"
_USER = "01920000-0000-7000-8000-000000000002"
_FILE = "01920000-0000-7000-8000-000000000006"


class _FileEvent(Event):
    upload_id: UUID
    filename: str
    size: int
    """Bytes."""
    storage_bytes_used: int
    """The org's stored uploads after this change, in bytes."""


class FileAccepted(_FileEvent):
    """A file passed every check and is stored."""

    META = EventMeta("uploads", "file", "accepted", "upload_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "upload_id": _FILE,
        "filename": "call.pdf",
        "size": 12345,
        "storage_bytes_used": 12345,
        "content_type": "application/pdf",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "proposal_id": None,
        "uploaded_by": _USER,
    }

    content_type: str
    sha256: str
    proposal_id: UUID | None
    uploaded_by: UUID


class Page(BaseModel):
    """The text of one page; `number` counts from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    text: str
    ocr: bool = False


class FileExtracted(Event):
    """The file was read. A text too large for one message is sent in parts, `part` of `parts`."""

    META = EventMeta("uploads", "file", "extracted", "upload_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 2,
        "upload_id": _FILE,
        "filename": "call.pdf",
        "proposal_id": None,
        "status": "ready",
        "pages": [{"number": 1, "text": "Call for proposals", "ocr": False}],
        "part": 1,
        "parts": 1,
    }

    upload_id: UUID
    filename: str
    proposal_id: UUID | None
    status: Literal["ready", "unreadable"]
    pages: tuple[Page, ...]
    part: int = 1
    parts: int = 1


class FileRefused(Event):
    """A file was refused; no bytes of it are kept."""

    META = EventMeta("uploads", "file", "refused", "upload_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "upload_id": _FILE, "filename": "x.pdf", "error": "active_content"}

    upload_id: UUID
    filename: str
    error: str


class FileDeleted(_FileEvent):
    """The file is gone; drop what was made from it."""

    META = EventMeta("uploads", "file", "deleted", "upload_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 3,
        "upload_id": _FILE,
        "filename": "call.pdf",
        "size": 12345,
        "storage_bytes_used": 0,
    }


class StorageChanged(Event):
    """How much the org's uploads take up now; a content that several of them share counts once."""

    META = EventMeta("uploads", "storage", "changed", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "bytes_used": 12345}

    bytes_used: int


class OrgErased(Event):
    """Receipt: uploads has erased everything of this org."""

    META = EventMeta("uploads", "org", "erased", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "erased_at": "2026-11-02T09:00:05Z"}

    erased_at: datetime


class UserErased(Event):
    """Receipt: uploads has erased what it kept of this person."""

    META = EventMeta("uploads", "user", "erased", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _USER, "erased_at": "2026-11-02T09:00:05Z"}

    user_id: UUID
    erased_at: datetime
