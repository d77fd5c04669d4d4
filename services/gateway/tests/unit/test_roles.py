"""The permission matrix, read from where the code reads it."""

from __future__ import annotations

import pytest

from common.identity import ROLES, Role
from gateway.orgs.domain import ASSIGNABLE_ROLES, PERMISSIONS, allows, has_free_seat, may_grant, may_manage


class TestAllows:
    @pytest.mark.parametrize("action", sorted(PERMISSIONS))
    def test_a_role_may_do_what_those_below_it_may(self, action: str) -> None:
        allowed = [allows(role, action) for role in ROLES]
        assert allowed == sorted(allowed)
        assert allowed[-1], "the owner may do everything"

    @pytest.mark.parametrize("action", ["org.delete", "org.transfer"])
    def test_only_the_owner_gives_the_org_away(self, action: str) -> None:
        assert [role for role in ROLES if allows(role, action)] == ["owner"]

    def test_keys_invites_members_and_audit_are_the_admins(self) -> None:
        for action in ("keys.create", "invites.create", "members.remove", "audit.read"):
            assert not allows("member", action)
            assert allows("admin", action)


class TestMayManage:
    def test_nobody_manages_an_owner(self) -> None:
        assert not any(may_manage(role, "owner") for role in ROLES)

    @pytest.mark.parametrize(("actor", "target", "may"), [("owner", "admin", True), ("admin", "admin", False)])
    def test_an_admin_is_managed_by_the_owner_only(self, actor: Role, target: Role, may: bool) -> None:
        assert may_manage(actor, target) is may


class TestMayGrant:
    def test_no_one_lifts_a_person_to_their_own_place(self) -> None:
        granted = {actor: [role for role in ROLES if may_grant(actor, role)] for actor in ROLES}
        assert granted["admin"] == ["viewer", "member"]
        assert granted["owner"] == list(ASSIGNABLE_ROLES)


class TestHasFreeSeat:
    @pytest.mark.parametrize(
        ("members", "seats", "free"), [(0, 1, True), (1, 1, False), (5, 3, False), (99, None, True)]
    )
    def test_it_counts(self, members: int, seats: int | None, free: bool) -> None:
        assert has_free_seat(members, seats) is free
