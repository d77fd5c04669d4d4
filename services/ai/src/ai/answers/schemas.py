"""The answer library as the API speaks of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from common.bodies import RequestBody
from common.strings import Storable

MAX_QUESTION = 1_000
MAX_ANSWER = 10_000
"""As long as the answer to a planner's question may be, so that each fits one."""
MAX_TAG = 40
MAX_TAGS = 10

State = Literal["active", "archived"]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _trimmed(value: str) -> str:
    return _not_blank(value).strip()


QuestionText = Annotated[Storable, Field(max_length=MAX_QUESTION), AfterValidator(_trimmed)]
AnswerText = Annotated[Storable, Field(max_length=MAX_ANSWER, description="Markdown"), AfterValidator(_not_blank)]
Tag = Annotated[Storable, Field(max_length=MAX_TAG), AfterValidator(_trimmed)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]
QuestionKey = Annotated[Storable, Field(max_length=100), AfterValidator(_trimmed)]


class AnswerCreate(RequestBody):
    """An answer to keep. With `section_id` alone it comes from that approved section, with `question_id` from one of
    its questions."""

    question: QuestionText
    answer: AnswerText
    tags: Tags = Field(default_factory=list)
    owner_id: UUID | None = Field(default=None, description="Who keeps it true; left out: you. Null: nobody")
    review_on: date | None = Field(default=None, description="From this day on it is shown as due for review")
    section_id: UUID | None = None
    question_id: QuestionKey | None = None

    @model_validator(mode="after")
    def _a_question_has_a_section(self) -> AnswerCreate:
        if self.question_id is not None and self.section_id is None:
            raise ValueError("question_id needs the section_id that it belongs to")
        return self


class AnswerUpdate(RequestBody):
    """What to change; a field that is left out stays. `owner_id` and `review_on` can be null: nobody, never."""

    question: QuestionText | None = None
    answer: AnswerText | None = None
    tags: Tags | None = None
    owner_id: UUID | None = None
    review_on: date | None = None
    state: State | None = None


class SourceOut(BaseModel):
    """Where it came from; a title is null once that is gone."""

    proposal_id: UUID | None
    proposal_title: str | None
    section_id: UUID | None
    section_title: str | None
    question_id: str | None = Field(description="Null: it is the section's text")


class AnswerOut(BaseModel):
    """An approved answer; `version` is also its ETag."""

    id: UUID
    question: str
    answer: str = Field(description="Markdown")
    tags: list[str]
    owner_id: UUID | None
    review_on: date | None
    review_due: bool
    state: State
    source: SourceOut | None
    uses: int
    last_used_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class SuggestionOut(BaseModel):
    """An answer that fits a question."""

    question_id: str | None = Field(description="The section's question that it fits, where a section was asked for")
    score: float = Field(description="How alike the questions are, from 0 to 1")
    answer: AnswerOut
