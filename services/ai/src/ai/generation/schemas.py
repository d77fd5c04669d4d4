"""AI requests and their answers as the API speaks of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from ai.proposals.schemas import ProposalOut
from ai.sections.schemas import SectionOut
from common.bodies import RequestBody
from common.pagination import Page
from common.strings import Storable


def _not_blank(value: str) -> str:
    stripped = value.strip()
    if not stripped:
        raise ValueError("must not be empty")
    return stripped


AnswerKey = Annotated[Storable, Field(max_length=100), AfterValidator(_not_blank)]
AnswerText = Annotated[Storable, Field(max_length=10_000)]
Instruction = Annotated[Storable, Field(max_length=2_000), AfterValidator(_not_blank)]

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Kind = Literal["plan", "write", "revise", "format"]


class PlanRequest(RequestBody):
    """Plan a proposal from its call."""

    proposal_id: UUID


class WriteRequest(RequestBody):
    """Draft a section. `answers` has the question's id (or a word of your own) as key."""

    section_id: UUID
    answers: Annotated[dict[AnswerKey, AnswerText], Field(max_length=50)] = Field(default_factory=dict)
    upload_ids: Annotated[list[UUID], Field(max_length=20, description="Documents to draw on and cite")] = Field(
        default_factory=list
    )


class ReviseRequest(RequestBody):
    """Change a section's text on an instruction."""

    section_id: UUID
    instruction: Instruction


class FormatRequest(RequestBody):
    """Assemble a proposal's approved sections."""

    proposal_id: UUID


class PlanOut(BaseModel):
    """The proposal with the facts found in its call, and its sections in order."""

    proposal: ProposalOut
    sections: list[SectionOut]


class WriteOut(BaseModel):
    """The section with its draft. When the section changed while the draft was written, `applied` is false, the section
    is as its last writer left it, and the draft is in `text` alone."""

    section: SectionOut | None
    text: str
    applied: bool


class DiffBlockOut(BaseModel):
    """A run of text that stayed, changed, came or went."""

    type: Literal["equal", "replace", "insert", "delete"]
    before: str | None = None
    after: str | None = None


class DiffOut(BaseModel):
    """The befores joined by nothing are the old text, the afters the new one."""

    change_ratio: float
    blocks: list[DiffBlockOut]


class ReviseOut(BaseModel):
    """A proposed text. The section is unchanged until you save it: PATCH with If-Match `base_revision`."""

    section_id: UUID
    base_revision: int
    text: str
    diff: DiffOut


class FormatSection(BaseModel):
    """A section and whether its approved text is in the document."""

    section_id: UUID
    title: str
    included: bool
    placeholders: int = Field(description="`[To complete: …]` left in its text")


class FormatOut(BaseModel):
    """The approved sections as one Markdown document."""

    proposal_id: UUID
    revision: int
    text: str
    words: int
    sections: list[FormatSection]


class JobAccepted(BaseModel):
    """It is being done; see Location."""

    job_id: UUID


class JobError(BaseModel):
    """Why it ended without a result."""

    code: str
    detail: str


class Progress(BaseModel):
    """How far it is."""

    done: int
    total: int


class JobOut(BaseModel):
    """A job and, when it has succeeded, the same result that a synchronous answer carries."""

    id: UUID
    kind: Kind
    status: Status
    proposal_id: UUID | None
    section_id: UUID | None
    progress: Progress | None
    result: PlanOut | WriteOut | ReviseOut | FormatOut | None
    error: JobError | None
    created_at: datetime
    finished_at: datetime | None


class UsageBy(BaseModel):
    """Requests and tokens of one kind, model, person or day."""

    name: str
    requests: int
    tokens: int


class MetricsSummary(BaseModel):
    """What the org used AI for since `since`."""

    since: datetime
    requests: int
    succeeded: int
    failed: int
    cancelled: int
    running: int
    tokens: int
    by_kind: list[UsageBy]
    by_model: list[UsageBy]
    by_user: list[UsageBy]
    by_day: list[UsageBy]


class GenerationOut(BaseModel):
    """One AI request."""

    id: UUID
    kind: Kind
    status: Literal["open", "succeeded", "failed", "cancelled"]
    proposal_id: UUID | None
    section_id: UUID | None
    user_id: UUID | None
    model: str = Field(description="The one that answered; until then, the first that is asked")
    tokens: int | None
    input_tokens: int | None = Field(description="As the vendor counted, where it did")
    output_tokens: int | None
    prompt: str | None = Field(description="Which prompt it came from; `local-rules` for the built-in drafter")
    prompt_checksum: str | None
    duration_ms: int | None
    accepted_at: datetime
    finished_at: datetime | None


class Suggestion(BaseModel):
    """An answer that your organisation gave before."""

    section_id: UUID
    proposal_id: UUID
    question_id: str
    question: str
    text: str
    uses: int
    used_at: datetime


class Suggestions(Page[Suggestion]):
    """Best first; the first page is all there is."""


Result = dict[str, Any]
"""What a job stores; the API adds what may have changed since (the section as it is now)."""
