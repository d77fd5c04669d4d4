"""What the org routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.bodies import RequestBody
from common.identity import Role
from gateway.fields import Email, Name, Token

AssignableRole = Literal["viewer", "member", "admin"]
Tier = Literal["free", "pro", "enterprise"]


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class OrgMembership(_View):
    """An org as one of its members sees it."""

    id: UUID
    name: str
    personal: bool
    role: Role
    tier: Tier


class OrgRequest(RequestBody):
    """A new org, or a new name for one."""

    name: Name


class OrgView(OrgMembership):
    """An org with its seats."""

    seats: int | None = Field(description="null where there is no cap")
    seats_used: int
    created_at: datetime


class MemberView(_View):
    """A member as the others see them."""

    user_id: UUID
    email: str
    name: str
    role: Role
    joined_at: datetime


class RoleRequest(RequestBody):
    """Another role for a member."""

    role: AssignableRole


class TransferRequest(RequestBody):
    """Who is to own the org."""

    user_id: UUID


class InviteRequest(RequestBody):
    """Whom to invite, as what."""

    email: Email
    role: AssignableRole = "member"


class InviteView(_View):
    """An open invite."""

    id: UUID
    email: str
    role: AssignableRole
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitePreview(_View):
    """An invite, to whoever has its link."""

    org_name: str
    email: str
    role: AssignableRole
    expires_at: datetime


class AcceptRequest(RequestBody):
    """The token of the mailed link."""

    token: Token
