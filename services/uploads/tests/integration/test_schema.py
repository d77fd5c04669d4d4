"""The schema: equal to the models, closed to other orgs, as the roles that production uses."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from common.ids import new_id
from common.plumbing import PlumbingBase
from uploads.models import Base

pytestmark = pytest.mark.integration

TABLES = [*sorted(Base.metadata.tables), *sorted(PlumbingBase.metadata.tables)]


class TestMigrations:
    def test_their_sum_equals_the_models(self, database: Any) -> None:
        engine = create_engine(database.migration_url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = [
                difference
                for difference in compare_metadata(context, Base.metadata)
                if not (difference[0] == "remove_table" and difference[1].name not in Base.metadata.tables)
                and "index" not in difference[0]
            ]
        engine.dispose()
        assert differences == []


class TestRowLevelSecurity:
    @pytest.mark.parametrize("table", TABLES)
    def test_every_table_forces_it(self, database: Any, table: str) -> None:
        with psycopg.connect(database.admin_url) as connection:
            row = connection.execute(
                "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
                (f"uploads.{table}",),
            ).fetchone()
        assert row == (True, True)

    @pytest.mark.parametrize("kind", ["app_url", "worker_url"])
    def test_a_row_is_seen_by_its_own_org_only(self, database: Any, kind: str) -> None:
        mine, other = new_id(), new_id()
        with psycopg.connect(getattr(database, kind)) as connection:
            for org_id in (mine, other):
                connection.execute("SELECT set_config('app.org_id', %s, true)", (str(org_id),))
                connection.execute("INSERT INTO org_storage VALUES (%s)", (org_id,))
                assert connection.execute("SELECT org_id FROM org_storage").fetchall() == [(org_id,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute("UPDATE org_storage SET org_id = %s", (mine,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute("INSERT INTO org_storage VALUES (%s)", (new_id(),))
            connection.commit()
            assert connection.execute("SELECT org_id FROM org_storage").fetchall() == []

    @pytest.mark.parametrize(
        "statement",
        ["CREATE TABLE mine (id int)", "TRUNCATE uploads", "ALTER TABLE uploads DISABLE ROW LEVEL SECURITY"],
    )
    def test_the_runtime_role_can_not_change_the_rules(self, database: Any, statement: str) -> None:
        with (
            psycopg.connect(database.worker_url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
