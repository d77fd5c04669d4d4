"""Provenance as the API speaks of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from ai.provenance.domain import By


class ParagraphOut(BaseModel):
    """A paragraph and who wrote it."""

    start: int = Field(description="Characters `start` to `end` of the text")
    end: int
    words: int
    by: By = Field(description="`both`: a person changed what a model wrote, or a model what a person wrote")
    revision: int = Field(description="The revision that it last changed with")
    at: datetime | None
    person_id: UUID | None = Field(description="null where a model alone wrote it, or the person was erased")
    generation_id: UUID | None
    model: str | None
    prompt: str | None = Field(description="Name and version, as `write.v1`; null where it is not known")
    prompt_checksum: str | None


class SharesOut(BaseModel):
    """How many words are by whom."""

    person: int
    model: int
    both: int


class ProvenanceOut(BaseModel):
    """Who wrote the paragraphs of a revision, and how many words are by whom."""

    section_id: UUID
    revision: int
    words: SharesOut
    paragraphs: list[ParagraphOut]
