"""What the audit route gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


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
