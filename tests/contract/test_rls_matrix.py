"""Every tenant table of every service, through each kind of access, as its own org, as another and as nobody.

As the roles of the running services: as a superuser it would prove nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contracts import SERVICES
from devstack.running import RunningStack

from .cast import Cast
from .test_schemas import NOT_A_TENANTS

pytestmark = pytest.mark.e2e

KINDS = ("", "WORKER_")
PLUMBING = {"outbox", "inbox", "aggregate_versions", "jobs"}
SEEN_BY_THE_WORKER = {
    "gateway": {"erasures"},
    "billing": {"stripe_customers", "reviews", "stripe_events", "stripe_subscriptions", "reconciliations"},
    "uploads": {"storage_claims", "resumable_uploads"},
}
"""Tables, beside the plumbing, of which a worker sees every org's rows: it sweeps them, or looks up whose they are."""


@contextmanager
def acting(
    stack: RunningStack, service: str, kind: str, *, org: str = "", user: str = ""
) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of the service's role with these set, rolled back in the end."""
    with psycopg.connect(stack.env[f"{service.upper()}_{kind}DATABASE_URL"]) as connection:
        connection.execute(
            "SELECT set_config('app.org_id', %s, true), set_config('app.user_id', %s, true)", (org, user)
        )
        yield connection
        connection.rollback()


def tenant_tables(stack: RunningStack, service: str) -> dict[str, str]:
    """Each tenant table with the column that says whose the row is."""
    with psycopg.connect(stack.env["BACKUP_DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
            " AND (column_name = 'org_id' OR (table_name = 'orgs' AND column_name IN ('id', 'org_id')))",
            (service,),
        ).fetchall()
    return {table: column for table, column in rows if table not in NOT_A_TENANTS.get(service, set())}


def counted(connection: psycopg.Connection[Any], statement: str, table: str, column: str, *values: Any) -> int:
    """How many rows it touched or counted."""
    query = sql.SQL(statement).format(table=sql.Identifier(table), column=sql.Identifier(column))
    done = connection.execute(query, values)
    return int(done.fetchone()[0]) if done.description else done.rowcount  # type: ignore[index]  # a count has a row


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind or "APP")
@pytest.mark.parametrize("service", SERVICES)
class TestEveryTenantTable:
    def closed(self, stack: RunningStack, service: str, kind: str) -> dict[str, str]:
        """Those that this role may see of one org alone."""
        open_to_it = PLUMBING | SEEN_BY_THE_WORKER.get(service, set()) if kind else set()
        return {table: column for table, column in tenant_tables(stack, service).items() if table not in open_to_it}

    def test_shows_nobody_a_row(self, stack: RunningStack, cast: Cast, service: str, kind: str) -> None:
        for table, column in self.closed(stack, service, kind).items():
            with acting(stack, service, kind) as connection:
                assert counted(connection, "SELECT count(*) FROM {table}", table, column) == 0, table

    def test_shows_an_org_its_own_rows_alone(self, stack: RunningStack, cast: Cast, service: str, kind: str) -> None:
        for table, column in self.closed(stack, service, kind).items():
            with acting(stack, service, kind, org=str(cast.owner.org_id)) as connection:
                others = "SELECT count(*) FROM {table} WHERE {column} IS DISTINCT FROM %s"
                assert counted(connection, others, table, column, cast.owner.org_id) == 0, table

    def test_takes_no_row_for_another_org(self, stack: RunningStack, cast: Cast, service: str, kind: str) -> None:
        for table, column in self.closed(stack, service, kind).items():
            with (
                acting(stack, service, kind, org=str(cast.owner.org_id)) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                counted(connection, "INSERT INTO {table} ({column}) VALUES (%s)", table, column, uuid.uuid4())

    def test_gives_no_row_away_and_deletes_none_of_another(
        self, stack: RunningStack, cast: Cast, service: str, kind: str
    ) -> None:
        other = uuid.uuid4()
        for table, column in self.closed(stack, service, kind).items():
            delete = "DELETE FROM {table} WHERE {column} <> %s"
            with acting(stack, service, kind, org=str(other)) as connection:
                assert touched(connection, delete, table, column, other) == 0, table
            with acting(stack, service, kind, org=str(cast.owner.org_id)) as connection:
                assert touched(connection, "UPDATE {table} SET {column} = %s", table, column, other) == 0, table


def touched(connection: psycopg.Connection[Any], statement: str, table: str, column: str, *values: Any) -> int:
    """As `counted`; none when the role may not do this at all, or the policy refuses a row."""
    try:
        return counted(connection, statement, table, column, *values)
    except psycopg.errors.InsufficientPrivilege:
        return 0


class TestMembership:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind or "APP")
    def test_nobody_puts_themselves_into_an_org(self, stack: RunningStack, cast: Cast, kind: str) -> None:
        me = cast.stranger.call("GET", "/api/me")["user"]["id"]
        for org in ("", str(cast.stranger.org_id)):
            with (
                acting(stack, "gateway", kind, org=org, user=me) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(
                    "INSERT INTO memberships (org_id, user_id, role) VALUES (%s, %s, 'owner')", (cast.owner.org_id, me)
                )

    @pytest.mark.parametrize("role", ["viewer", "member"])
    def test_who_is_no_admin_lets_nobody_in(self, cast: Cast, role: Any) -> None:
        answer = cast.of(role).http.post(
            f"/api/orgs/{cast.owner.org_id}/invites", json={"email": "x@example.com", "role": "member"}
        )
        assert (answer.status_code, answer.json()["error"]) == (403, "role_forbidden")
