"""Row-level security, as the roles that production uses; what holds for every schema is in `tests/contract`."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from common.ids import new_id

pytestmark = pytest.mark.integration


class TestRowLevelSecurity:
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
