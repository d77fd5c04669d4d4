"""The matrix and the check as the API speaks of them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from ai.citations.schemas import SpanOut
from ai.compliance.checking import FindingKind, Severity
from ai.compliance.domain import State
from ai.planning.requirements import Kind, Unit
from ai.sections.domain import Status
from common.bodies import RequestBody

MAX_ANSWERING = 200


class PlaceOut(BaseModel):
    """Where the words stand in the call: characters `start` to `end` of the page's text, null where not known."""

    page: int
    start: int | None
    end: int | None


class LimitOut(BaseModel):
    """At most so much. `pages` are not judged by the state: what a page holds is known only when it is set."""

    value: int
    unit: Unit


class AnsweringOut(BaseModel):
    """A section that answers a requirement."""

    id: UUID
    title: str
    status: Status


class RequirementOut(BaseModel):
    """A demand of the call, what answers it, and how far that is: the least advanced section decides."""

    id: UUID
    kind: Kind
    words: str
    place: PlaceOut
    weight: int | None = Field(description="Points, where the call gives them")
    limit: LimitOut | None
    sections: list[AnsweringOut]
    state: State
    mapped_by_hand: bool = Field(description="A person said which sections answer it; a new plan keeps that")


class ComplianceOut(BaseModel):
    """The compliance matrix of a proposal, in the order of the call."""

    proposal_id: UUID
    planned: bool = Field(description="Whether a plan has read the call")
    counts: dict[State, int] = Field(description="Requirements in each state")
    requirements: list[RequirementOut]


class Mapping(RequestBody):
    """Which sections answer a requirement."""

    section_ids: Annotated[list[UUID], Field(max_length=MAX_ANSWERING, description="None: no section answers it")]


class CheckFindingOut(BaseModel):
    """One thing to put right before submission."""

    kind: FindingKind
    severity: Severity
    section_id: UUID | None
    requirement_id: UUID | None
    words: str
    what_to_do: str
    place: SpanOut | None = Field(description="Characters of the section's text that it is about")


class CheckOut(BaseModel):
    """What is left before submission, the gravest first. `ready` when nothing of it is an error."""

    proposal_id: UUID
    ready: bool
    counts: dict[Severity, int]
    findings: list[CheckFindingOut]


Format = Literal["json", "csv", "docx"]
