"""Sections as the API speaks of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from common.bodies import RequestBody
from common.strings import Line, Storable

MAX_TEXT = 100_000
MAX_TEXT_BYTES = 700_000
"""As JSON: an approved text travels whole in one event, and a message has a limit."""


def _fits_a_message(value: str) -> str:
    if len(json.dumps(value)) > MAX_TEXT_BYTES:
        raise ValueError("is too long for one section; split it")
    return value


SectionText = Annotated[Storable, Field(max_length=MAX_TEXT, description="Markdown"), AfterValidator(_fits_a_message)]


class SectionCreate(RequestBody):
    """A section at the end of the proposal."""

    title: Line
    text: SectionText = ""


class SectionUpdate(RequestBody):
    """What to change; a field that is left out stays."""

    text: SectionText | None = None
    title: Line | None = None


class SectionOrder(RequestBody):
    """The sections of a proposal in the order that they shall have."""

    section_ids: Annotated[list[UUID], Field(max_length=500)]


class CriterionOut(BaseModel):
    """What a reviewer scores, where the call says so; `points` is null where it gives no weight."""

    title: str
    points: int | None
    page: int | None = None


class QuestionOut(BaseModel):
    """What to ask the user; its id is the key of the answer."""

    id: str
    text: str


class SectionOut(BaseModel):
    """A section; `revision` is also its ETag."""

    id: UUID
    proposal_id: UUID
    title: str
    position: int
    text: str
    revision: int
    status: Literal["empty", "draft", "approved"]
    approved_revision: int | None
    guidance: str = Field(description="Markdown: what the call asks of this section, with its pages")
    page_limit: int | None
    criteria: list[CriterionOut]
    questions: list[QuestionOut]
    revises_left: int = Field(description="Revise calls until the next write or approval")
    created_at: datetime
    updated_at: datetime


class RevisionOut(BaseModel):
    """What a section said at one revision."""

    revision: int
    title: str
    text: str
    origin: Literal["user", "write", "plan"]
    author_id: UUID | None
    created_at: datetime
