"""What the routes of other providers give."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Providers(BaseModel):
    """Other ways to sign in that are set up."""

    providers: list[str]


class IdentityView(BaseModel):
    """An account at another provider that signs the caller in."""

    model_config = ConfigDict(from_attributes=True)

    provider: str
    email: str
    linked_at: datetime
    last_used_at: datetime
