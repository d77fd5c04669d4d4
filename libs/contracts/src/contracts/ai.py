"""What the ai service publishes: proposals, approved text, and what a generation cost."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.base import Event, EventMeta

_ORG = "01920000-0000-7000-8000-000000000001"
_USER = "01920000-0000-7000-8000-000000000002"
_PROPOSAL = "01920000-0000-7000-8000-000000000003"
_SECTION = "01920000-0000-7000-8000-000000000004"
_OUTLINE = [{"section_id": _SECTION, "title": "Need", "position": 1, "approved_revision": 4}]


class OutlineSection(BaseModel):
    """A section's place in the proposal; `approved_revision` is None while it is not approved."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    section_id: UUID
    title: str
    position: int
    approved_revision: int | None


class _ProposalEvent(Event):
    proposal_id: UUID
    title: str
    state: Literal["active", "archived"]
    revision: int
    """Grows with every change that an export would show."""
    sections: tuple[OutlineSection, ...]


class ProposalCreated(_ProposalEvent):
    """A proposal exists; `charged_to` says which allowance paid for it."""

    META = EventMeta("ai", "proposal", "created", "proposal_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "proposal_id": _PROPOSAL,
        "title": "Clean water for all",
        "state": "active",
        "revision": 1,
        "sections": [],
        "created_by": _USER,
        "created_at": "2026-11-03T09:00:00Z",
        "charged_to": "cap",
    }

    created_by: UUID
    created_at: datetime
    charged_to: Literal["cap", "extras"]


class ProposalChanged(_ProposalEvent):
    """Title, sections, their order or their approval changed: the whole outline as it is now."""

    META = EventMeta("ai", "proposal", "changed", "proposal_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 2,
        "proposal_id": _PROPOSAL,
        "title": "Clean water for all",
        "state": "active",
        "revision": 2,
        "sections": _OUTLINE,
    }


class ProposalArchived(_ProposalEvent):
    """The proposal is kept but no longer worked on."""

    META = EventMeta("ai", "proposal", "archived", "proposal_id")
    EXAMPLE = {**ProposalChanged.EXAMPLE, "version": 3, "state": "archived"}


class ProposalDeleted(Event):
    """The proposal and its text are gone; what was rendered from it goes too."""

    META = EventMeta("ai", "proposal", "deleted", "proposal_id")
    EXAMPLE = {"org_id": _ORG, "version": 4, "proposal_id": _PROPOSAL}

    proposal_id: UUID


class ParagraphOrigin(BaseModel):
    """Who wrote a paragraph of an approved text, in the order of the text; `both`: one of them changed the other's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    by: Literal["person", "model", "both"]
    words: int
    model: str | None = None
    prompt: str | None = None
    """Name and version, as `write.v1`."""
    generation_id: UUID | None = None


class SectionApproved(Event):
    """This text of the section is approved; exports render it."""

    META = EventMeta("ai", "section", "approved", "section_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "section_id": _SECTION,
        "proposal_id": _PROPOSAL,
        "revision": 4,
        "title": "Need",
        "text": "One in five households has **no** safe water.",
        "approved_by": _USER,
        "approved_at": "2026-11-04T09:00:00Z",
        "paragraphs": [
            {
                "by": "model",
                "words": 9,
                "model": "local",
                "prompt": "local-rules",
                "generation_id": "01920000-0000-7000-8000-000000000005",
            }
        ],
    }

    section_id: UUID
    proposal_id: UUID
    revision: int
    title: str
    text: str
    """Markdown."""
    approved_by: UUID
    approved_at: datetime
    paragraphs: tuple[ParagraphOrigin, ...] | None = None
    """Parted by blank lines, as the text is; None in events from before this was kept."""


class GenerationFinished(Event):
    """An AI request ended; `tokens` is 0 when it failed, so that nothing is charged."""

    META = EventMeta("ai", "generation", "finished", "generation_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "generation_id": "01920000-0000-7000-8000-000000000005",
        "kind": "write",
        "status": "succeeded",
        "user_id": _USER,
        "model": "local",
        "tokens": 1200,
        "duration_ms": 900,
        "accepted_at": "2026-11-04T08:59:59Z",
    }

    generation_id: UUID
    kind: Literal["plan", "write", "revise", "format"]
    status: Literal["succeeded", "failed", "cancelled"]
    user_id: UUID
    model: str
    tokens: int
    duration_ms: int
    accepted_at: datetime


class OrgErased(Event):
    """Receipt: ai has erased everything of this org."""

    META = EventMeta("ai", "org", "erased", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "erased_at": "2026-11-02T09:00:05Z"}

    erased_at: datetime


class UserErased(Event):
    """Receipt: ai has erased what it kept of this person."""

    META = EventMeta("ai", "user", "erased", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _USER, "erased_at": "2026-11-02T09:00:05Z"}

    user_id: UUID
    erased_at: datetime
