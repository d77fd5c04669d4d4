"""What the audit routes give."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class AuditView(BaseModel):
    """Who did what."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    actor_id: UUID | None
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    request_id: str
    seq: int = Field(description="Place in the org's chain, from 1")
    hash: str


class AuditVerdict(BaseModel):
    """What a check of the whole chain found."""

    model_config = ConfigDict(from_attributes=True)

    intact: bool
    rows: int = Field(description="As many as were ever added")
    head: str = Field(description="The hash of the last row; keep it elsewhere to prove later what was there")
    first_bad_id: UUID | None = Field(
        description="The first row that was altered or does not follow from the one before;"
        " null in a chain that is intact, or that lacks rows at its end"
    )
