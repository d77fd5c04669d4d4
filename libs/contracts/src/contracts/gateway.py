"""What the gateway publishes: people, orgs and who belongs to which."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.base import Event, EventMeta

Role = Literal["owner", "admin", "member", "viewer"]

_ORG = "01920000-0000-7000-8000-000000000001"
_USER = "01920000-0000-7000-8000-000000000002"


class UserRegistered(Event):
    """A person has an account; `org_id` is their personal org."""

    META = EventMeta("gateway", "user", "registered", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _USER, "email": "ada@example.org", "name": "Ada"}

    user_id: UUID
    email: str
    name: str


class UserErased(Event):
    """Erase what is kept of this person; answer with the service's own `user.erased` receipt."""

    META = EventMeta("gateway", "user", "erased", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 2, "user_id": _USER}

    user_id: UUID


class OrgCreated(Event):
    """An org exists; billing opens its free entitlement on this."""

    META = EventMeta("gateway", "org", "created", "org_id")
    EXAMPLE = {
        "org_id": _ORG,
        "version": 1,
        "name": "Ada's workspace",
        "personal": True,
        "owner_user_id": _USER,
        "created_at": "2026-11-01T09:00:00Z",
    }

    name: str
    personal: bool
    owner_user_id: UUID
    created_at: datetime


class OrgRenamed(Event):
    """The org has a new name; exports show it on the cover."""

    META = EventMeta("gateway", "org", "renamed", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 2, "name": "Northwind"}

    name: str


class OrgDeleted(Event):
    """Erase what is kept of this org; answer with the service's own `org.erased` receipt."""

    META = EventMeta("gateway", "org", "deleted", "org_id")
    EXAMPLE = {"org_id": _ORG, "version": 3, "deleted_at": "2026-11-02T09:00:00Z"}

    deleted_at: datetime


class _MemberEvent(Event):
    user_id: UUID
    role: Role
    seats_used: int
    """Members of the org after this change, so that a consumer need not count."""

    @property
    def aggregate_id(self) -> str:
        return f"{self.org_id}:{self.user_id}"


class MemberAdded(_MemberEvent):
    """A person belongs to the org from now on."""

    META = EventMeta("gateway", "member", "added", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 1, "user_id": _USER, "role": "owner", "seats_used": 1}


class MemberRoleChanged(_MemberEvent):
    """A member has another role."""

    META = EventMeta("gateway", "member", "role_changed", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 2, "user_id": _USER, "role": "admin", "seats_used": 1}


class MemberRemoved(_MemberEvent):
    """A person no longer belongs to the org; `role` is the one they had."""

    META = EventMeta("gateway", "member", "removed", "user_id")
    EXAMPLE = {"org_id": _ORG, "version": 3, "user_id": _USER, "role": "admin", "seats_used": 0}
