"""The schema: equal to the models, closed to other orgs and other services, as the roles that production uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from billing.models import Base
from common.ids import new_id
from common.plumbing import PlumbingBase

pytestmark = pytest.mark.integration

TENANT_TABLES = [
    *sorted(Base.metadata.tables),
    *sorted(PlumbingBase.metadata.tables),
]
DENIED = (psycopg.errors.InsufficientPrivilege,)


@pytest.fixture
def as_app(database: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.app_url) as connection:
        yield connection
        connection.rollback()


class TestMigrations:
    def test_their_sum_equals_the_models(self, database: Any) -> None:
        engine = create_engine(database.migration_url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = [
                difference
                for metadata in (Base.metadata, PlumbingBase.metadata)
                for difference in compare_metadata(context, metadata)
                if not _is_other_tables(difference, metadata) and not _is_index(difference)
            ]
        engine.dispose()
        assert differences == []


def _is_other_tables(difference: Any, metadata: Any) -> bool:
    """Two metadata share the schema, so each sees the other's tables as too many."""
    return difference[0] == "remove_table" and difference[1].name not in metadata.tables


def _is_index(difference: Any) -> bool:
    """Indexes are the migrations' business; a query does not name them."""
    return "index" in difference[0]


class TestRowLevelSecurity:
    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_every_table_forces_it(self, database: Any, table: str) -> None:
        with psycopg.connect(database.admin_url) as connection:
            row = connection.execute(
                "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
                (f"billing.{table}",),
            ).fetchone()
        assert row == (True, True)

    def test_without_an_org_no_row_is_seen_and_with_another_none_either(
        self, database: Any, as_app: psycopg.Connection[Any]
    ) -> None:
        mine, other = new_id(), new_id()
        with psycopg.connect(database.admin_url) as admin:
            admin.execute("INSERT INTO billing.members VALUES (%s, %s), (%s, %s)", (mine, new_id(), other, new_id()))
        assert _orgs(as_app) == []
        _set_org(as_app, mine)
        assert _orgs(as_app) == [mine]
        as_app.commit()  # the setting ends with the transaction
        assert _orgs(as_app) == []

    def test_a_row_of_another_org_can_be_neither_made_nor_moved(self, as_app: psycopg.Connection[Any]) -> None:
        mine, other = new_id(), new_id()
        _set_org(as_app, mine)
        as_app.execute("INSERT INTO members VALUES (%s, %s)", (mine, new_id()))
        with pytest.raises(DENIED), as_app.transaction():
            as_app.execute("INSERT INTO members VALUES (%s, %s)", (other, new_id()))
        with pytest.raises(DENIED), as_app.transaction():
            as_app.execute("UPDATE members SET org_id = %s", (other,))

    def test_the_api_can_deliver_a_webhook_but_not_read_one(self, as_app: psycopg.Connection[Any]) -> None:
        as_app.execute(
            "INSERT INTO stripe_events (event_id, type, created, body, attempts) VALUES (%s, 'x', now(), '', 0)",
            (str(new_id()),),
        )
        assert as_app.execute("SELECT count(*) FROM stripe_events").fetchone() == (0,)

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (id int)",
            "DROP TABLE members",
            "TRUNCATE members",
            "ALTER TABLE members DISABLE ROW LEVEL SECURITY",
            "SET ROLE billing_owner",
            "SET ROLE billing_worker",
            "CREATE POLICY open ON members USING (true)",
            "CREATE SCHEMA mine",
        ],
    )
    def test_the_runtime_role_can_not_change_the_rules(self, as_app: psycopg.Connection[Any], statement: str) -> None:
        with pytest.raises(DENIED):
            as_app.execute(statement)


def _set_org(connection: psycopg.Connection[Any], org_id: Any) -> None:
    connection.execute("SELECT set_config('app.org_id', %s, true)", (str(org_id),))


def _orgs(connection: psycopg.Connection[Any]) -> list[Any]:
    return [row[0] for row in connection.execute("SELECT org_id FROM members").fetchall()]
