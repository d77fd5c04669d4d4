"""Citations as the API speaks of them."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field

from ai.citations.domain import Standing


class SpanOut(BaseModel):
    """Characters `start` to `end` of a text."""

    start: int
    end: int


class CitationOut(BaseModel):
    """A claim and the source that it names."""

    place: SpanOut = Field(description="The citation, in the section's text")
    claim: str
    label: str = Field(description="`call`, a file's name, or `answer`")
    page: int | None
    upload_id: UUID | None = Field(description="null for a pasted call, an approved answer and an unknown source")
    answer_id: UUID | None
    span: SpanOut | None = Field(description="What fits the claim best, in the page's or the answer's text")
    standing: Standing = Field(description="Whether the source contains the claim, by its figures and words")
    missing: list[str] = Field(description="Figures of the claim that the source does not have")


class UncitedOut(BaseModel):
    """A sentence with a figure, a date or a name from a source, and no source."""

    place: SpanOut
    words: str
    facts: list[str]


class CitationsOut(BaseModel):
    """What a section's text rests on."""

    section_id: UUID
    revision: int
    citations: list[CitationOut]
    uncited: list[UncitedOut]
