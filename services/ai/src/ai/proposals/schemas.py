"""Proposals as the API speaks of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from common.bodies import RequestBody
from common.strings import Line, Storable

MAX_CALL_TEXT = 1_000_000

State = Literal["active", "archived"]


class ProposalCreate(RequestBody):
    """A new proposal; the call comes as text or as an upload, or later not at all."""

    title: Line
    call_text: Annotated[Storable, Field(max_length=MAX_CALL_TEXT)] | None = None
    call_upload_id: UUID | None = None

    @model_validator(mode="after")
    def _one_call(self) -> ProposalCreate:
        if self.call_text and self.call_upload_id:
            raise ValueError("give the call as call_text or as call_upload_id, not both")
        return self


class ProposalUpdate(RequestBody):
    """What to change; a field that is left out stays. A call can be given to a proposal that has none."""

    title: Line | None = None
    state: State | None = None
    call_text: Annotated[Storable, Field(max_length=MAX_CALL_TEXT)] | None = None
    call_upload_id: UUID | None = None

    @model_validator(mode="after")
    def _one_call(self) -> ProposalUpdate:
        if self.call_text and self.call_upload_id:
            raise ValueError("give the call as call_text or as call_upload_id, not both")
        return self


class FindingOut(BaseModel):
    """A fact of the call that binds the whole proposal, in the call's words."""

    kind: Literal["page_limit", "budget", "deadline", "eligibility", "attachment"]
    text: str
    page: int


class ProposalOut(BaseModel):
    """A proposal. `revision` grows with every change that an export would show."""

    id: UUID
    title: str
    state: State
    revision: int
    call_upload_id: UUID | None
    has_call_text: bool
    findings: list[FindingOut] = Field(description="Deadlines and caps that the last plan found in the call")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    sections_total: int
    sections_approved: int
