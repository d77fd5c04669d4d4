"""What the key routes take and give."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from common.bodies import RequestBody
from gateway.fields import Name
from gateway.keys.domain import Scope


class KeyRequest(RequestBody):
    """A new key."""

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    expires_at: AwareDatetime | None = Field(default=None, description="null: it does not expire")


class KeyView(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    user_id: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewKey(KeyView):
    """A key just made; `key` is shown this once."""

    key: str
