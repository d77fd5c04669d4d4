"""Who may do what in an org. The matrix is data, so that the code and its tests read the same lines."""

from __future__ import annotations

from typing import Final

from common.identity import ROLES, Role

PERMISSIONS: Final[dict[str, Role]] = {
    "org.read": "viewer",
    "org.rename": "admin",
    "org.delete": "owner",
    "org.transfer": "owner",
    "members.list": "viewer",
    "members.change_role": "admin",
    "members.remove": "admin",
    "members.leave": "viewer",
    "invites.list": "admin",
    "invites.create": "admin",
    "invites.revoke": "admin",
    "keys.list": "admin",
    "keys.create": "admin",
    "keys.revoke": "admin",
    "audit.read": "admin",
}
"""The least role for each action; every role may do what those below it may."""

ASSIGNABLE_ROLES: Final[tuple[Role, ...]] = ("viewer", "member", "admin")
"""There is one owner; ownership moves by transfer only."""


def allows(role: Role, action: str) -> bool:
    """Whether the role may do the action. KeyError for an action that is not in the matrix."""
    return ROLES.index(role) >= ROLES.index(PERMISSIONS[action])


def may_manage(actor: Role, target: Role) -> bool:
    """Whether `actor` may change or remove someone who is `target`: never an owner, and an admin only as owner."""
    if target == "owner":
        return False
    return actor == "owner" or (actor == "admin" and target != "admin")


def may_grant(actor: Role, role: Role) -> bool:
    """Whether `actor` may give someone `role`: nobody lifts a person to or above their own place, but an owner."""
    if role not in ASSIGNABLE_ROLES:
        return False
    return actor == "owner" or ROLES.index(role) < ROLES.index(actor)


def has_free_seat(members: int, seats: int | None) -> bool:
    """Whether one more member fits; `seats` None means no cap."""
    return seats is None or members < seats
