"""Row-level security, as the roles that production uses; what holds for every schema is in `tests/contract`."""

from __future__ import annotations

import psycopg
import pytest

from common.ids import new_id
from devstack.pytest_plugin import ServiceDatabase

pytestmark = pytest.mark.integration


class TestRowLevelSecurity:
    @pytest.mark.parametrize("kind", ["app_url", "worker_url"])
    def test_shows_a_row_to_its_own_org_only(self, database: ServiceDatabase, kind: str) -> None:
        mine, other = new_id(), new_id()
        with psycopg.connect(getattr(database, kind)) as connection:
            for org_id in (mine, other):
                connection.execute("SELECT set_config('app.org_id', %s, true)", (str(org_id),))
                connection.execute("INSERT INTO orgs (org_id, name) VALUES (%s, 'x')", (org_id,))
                assert connection.execute("SELECT org_id FROM orgs").fetchall() == [(org_id,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute("UPDATE orgs SET org_id = %s", (mine,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute("INSERT INTO orgs (org_id, name) VALUES (%s, 'x')", (new_id(),))
            connection.commit()
            assert connection.execute("SELECT org_id FROM orgs").fetchall() == []

    def test_lets_the_worker_alone_find_a_persons_exports_and_change_none_of_them(
        self, database: ServiceDatabase
    ) -> None:
        org_id, user_id = new_id(), new_id()
        columns = (
            "id, org_id, proposal_id, proposal_revision, format, status, content_key, manifest, filename, "
            "sections_included, sections_total, requested_by, created_at"
        )
        with psycopg.connect(database.app_url) as connection:
            connection.execute("SELECT set_config('app.org_id', %s, true)", (str(org_id),))
            connection.execute(
                f"INSERT INTO exports ({columns}) VALUES "
                "(%s, %s, %s, 1, 'md', 'done', 'k', '{}', 'f', 1, 1, %s, now())",
                (new_id(), org_id, new_id(), user_id),
            )
        seen = {}
        for url in (database.app_url, database.worker_url):
            with psycopg.connect(url) as connection:
                connection.execute("SELECT set_config('app.user_id', %s, true)", (str(user_id),))
                seen[url] = connection.execute("SELECT org_id FROM exports").fetchall()
                assert connection.execute("UPDATE exports SET requested_by = NULL").rowcount == 0
        assert seen == {database.app_url: [], database.worker_url: [(org_id,)]}
