"""Row-level security, as the roles that production uses; what holds for every schema is in `tests/contract`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from common.ids import new_id

pytestmark = pytest.mark.integration

DENIED = (psycopg.errors.InsufficientPrivilege,)


@pytest.fixture
def as_app(database: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.app_url) as connection:
        yield connection
        connection.rollback()


class TestRowLevelSecurity:
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


def _set_org(connection: psycopg.Connection[Any], org_id: Any) -> None:
    connection.execute("SELECT set_config('app.org_id', %s, true)", (str(org_id),))


def _orgs(connection: psycopg.Connection[Any]) -> list[Any]:
    return [row[0] for row in connection.execute("SELECT org_id FROM members").fetchall()]
