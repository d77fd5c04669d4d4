"""What PostgreSQL itself enforces, asked as the roles that run."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.clock import SystemClock
from common.db import Database, Tenant

pytestmark = pytest.mark.integration

ORG, OTHER = uuid4(), uuid4()
ADA, BOB = uuid4(), uuid4()
TENANT_TABLES = (
    "orgs",
    "memberships",
    "member_versions",
    "invites",
    "api_keys",
    "audit",
    "audit_heads",
    "org_entitlements",
    "erasures",
    "erasure_receipts",
)


@pytest.fixture(scope="module")
def database(service_database: Any) -> Any:
    """Two orgs with an owner each, a key, an invite, an audit row."""
    made = service_database("gateway")
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute("SET search_path = gateway")
        for org, user in ((ORG, ADA), (OTHER, BOB)):
            name = str(user)
            admin.execute(
                "INSERT INTO users VALUES (%s, %s, 'N', NULL, %s, 1, now())", (user, f"{name}@example.org", org)
            )
            admin.execute("INSERT INTO orgs VALUES (%s, 'O', true, 1, now(), NULL)", (org,))
            admin.execute("INSERT INTO memberships VALUES (%s, %s, 'owner', now())", (org, user))
            admin.execute("INSERT INTO member_versions VALUES (%s, %s, 1)", (org, user))
            admin.execute(
                "INSERT INTO invites VALUES (%s, %s, 'x@example.org', 'viewer', %s, %s, now(), now())",
                (uuid4(), org, f"invite-{name}", user),
            )
            admin.execute(
                "INSERT INTO api_keys VALUES (%s, %s, %s, 'k', 'bw_', %s, '{org:read}', now())",
                (uuid4(), org, user, f"key-{name}"),
            )
            admin.execute("INSERT INTO audit VALUES (%s, %s, now(), NULL, 'a', 'b', 'c', '{}', '')", (uuid4(), org))
            admin.execute("INSERT INTO erasures VALUES ('user', %s, %s, now(), NULL)", (user, org))
            admin.execute("INSERT INTO erasure_receipts VALUES ('user', %s, 'ai', %s, now())", (user, org))
            admin.execute("INSERT INTO org_entitlements VALUES (%s, 'free', 'none', 1, 0, now())", (org,))
    return made


@pytest.fixture(scope="module")
async def app(database: Any) -> Any:
    opened = Database(database.app_url, service="gateway", clock=SystemClock(), pool_size=2)
    yield opened
    await opened.close()


async def visible(app: Database, tenant: Tenant, table: str, secret: str = "") -> int:
    async with app.unit_of_work(tenant) as uow:
        if secret:
            await uow.session.execute(text("SELECT set_config('app.secret_hash', :it, true)"), {"it": secret})
        return int(await uow.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_without_a_tenant_nothing_is_seen(app: Database, table: str) -> None:
    assert await visible(app, Tenant.none(), table) == 0


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_an_org_sees_its_own_rows_only(app: Database, table: str) -> None:
    assert await visible(app, Tenant(org_id=ORG), table) == 1
    assert await visible(app, Tenant(org_id=uuid4()), table) == 0


async def test_a_person_sees_their_memberships_and_the_orgs_behind_them(app: Database) -> None:
    for table in ("memberships", "orgs", "org_entitlements"):
        assert await visible(app, Tenant(user_id=ADA), table) == 1
    for table in ("invites", "api_keys", "audit"):
        assert await visible(app, Tenant(user_id=ADA), table) == 0


async def test_who_holds_a_secret_sees_that_row_only(app: Database) -> None:
    assert await visible(app, Tenant.none(), "invites", f"invite-{ADA}") == 1
    assert await visible(app, Tenant.none(), "api_keys", f"key-{BOB}") == 1
    assert await visible(app, Tenant.none(), "api_keys", "guessed") == 0


async def refused(app: Database, tenant: Tenant, statement: str, **values: object) -> bool:
    try:
        async with app.unit_of_work(tenant) as uow:
            await uow.session.execute(text(statement), values)
            await uow.commit()
    except DBAPIError as error:
        return "row-level security" in str(error) or "permission denied" in str(error)
    return False


async def test_no_one_joins_another_org_by_writing_the_row(app: Database) -> None:
    statement = "INSERT INTO memberships VALUES (:org, :user, 'viewer', now())"
    assert await refused(app, Tenant(org_id=ORG, user_id=ADA), statement, org=OTHER, user=ADA)
    moved = "UPDATE memberships SET org_id = :org WHERE user_id = :user"
    assert await refused(app, Tenant(org_id=ORG, user_id=ADA), moved, org=OTHER, user=ADA)


async def test_the_audit_is_added_to_and_never_changed(app: Database) -> None:
    tenant = Tenant(org_id=ORG)
    assert await refused(app, tenant, "UPDATE audit SET action = 'x'")
    assert await refused(app, tenant, "DELETE FROM audit")
