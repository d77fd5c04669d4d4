"""What the gateway publishes, from its rows to contract events."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from contracts.gateway import (
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    OrgCreated,
    OrgDeleted,
    OrgRenamed,
    Role,
    UserErased,
    UserRegistered,
)
from gateway.models import Org, User


def user_registered(user: User) -> UserRegistered:
    """A person has an account."""
    return UserRegistered(
        org_id=user.personal_org_id, version=user.version, user_id=user.id, email=user.email, name=user.name
    )


def user_erased(user: User) -> UserErased:
    """A person is gone."""
    return UserErased(org_id=user.personal_org_id, version=user.version, user_id=user.id)


def org_created(org: Org, owner: UUID) -> OrgCreated:
    """An org exists."""
    return OrgCreated(
        org_id=org.id,
        version=org.version,
        name=org.name,
        personal=org.personal,
        owner_user_id=owner,
        created_at=org.created_at,
    )


def org_renamed(org: Org) -> OrgRenamed:
    """An org has another name."""
    return OrgRenamed(org_id=org.id, version=org.version, name=org.name)


def org_deleted(org: Org, at: datetime) -> OrgDeleted:
    """An org is gone."""
    return OrgDeleted(org_id=org.id, version=org.version, deleted_at=at)


def member_added(org_id: UUID, user_id: UUID, role: str, *, version: int, seats_used: int) -> MemberAdded:
    """Someone joined."""
    return MemberAdded(org_id=org_id, version=version, user_id=user_id, role=cast(Role, role), seats_used=seats_used)


def member_role_changed(org_id: UUID, user_id: UUID, role: str, *, version: int, seats_used: int) -> MemberRoleChanged:
    """Someone has another role."""
    return MemberRoleChanged(
        org_id=org_id, version=version, user_id=user_id, role=cast(Role, role), seats_used=seats_used
    )


def member_removed(org_id: UUID, user_id: UUID, role: str, *, version: int, seats_used: int) -> MemberRemoved:
    """Someone left, or was removed."""
    return MemberRemoved(org_id=org_id, version=version, user_id=user_id, role=cast(Role, role), seats_used=seats_used)
