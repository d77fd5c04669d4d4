"""Every service's schema on the running stack: equal to its models, closed to other orgs and to other services."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine

from common.plumbing import PlumbingBase
from contracts import SERVICES
from devstack.running import RunningStack

pytestmark = pytest.mark.e2e

BASES = {service: "tables" if service == "ai" else "models" for service in SERVICES}
NOT_A_TENANTS = {
    "gateway": {
        "users",
        "registrations",
        "sessions",
        "email_tokens",
        "external_identities",
        "oauth_states",
        "passkeys",
        "passkey_ceremonies",
        "stale_facts",
    },
}
"""Read before it is known who asks, or of a person who belongs to several orgs."""
PAIRS = [(mine, other) for mine in SERVICES for other in SERVICES if mine != other]
KINDS = ("", "WORKER_")
STATEMENTS = (
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "DROP TABLE outbox",
    "TRUNCATE outbox",
    "ALTER TABLE outbox DISABLE ROW LEVEL SECURITY",
    "CREATE POLICY open ON outbox USING (true)",
    "SET ROLE {service}_owner",
    "SET ROLE backup",
    "ALTER ROLE {service}_app BYPASSRLS",
)


def metadata_of(service: str) -> MetaData:
    """The service's tables, once every module that declares one is imported."""
    package = importlib.import_module(service)
    for module in pkgutil.walk_packages(package.__path__, f"{service}."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    metadata: MetaData = importlib.import_module(f"{service}.{BASES[service]}").Base.metadata
    return metadata


def tables(stack: RunningStack, service: str) -> dict[str, tuple[bool, bool]]:
    """Each table with whether row-level security is on, and forced."""
    with psycopg.connect(stack.env["BACKUP_DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
            (service,),
        ).fetchall()
    return {name: (on, forced) for name, on, forced in rows}


@pytest.mark.parametrize("service", SERVICES)
class TestEverySchema:
    def test_the_sum_of_the_migrations_equals_the_models(self, stack: RunningStack, service: str) -> None:
        url = stack.env["BACKUP_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, connect_args={"options": f"-c search_path={service}"})
        metadata = metadata_of(service)
        known = {*metadata.tables, *PlumbingBase.metadata.tables}
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            found = [
                difference
                for one in (metadata, PlumbingBase.metadata)
                for difference in compare_metadata(context, one)
                if not _of_the_other(difference, one, known) and not _is_index(difference)
            ]
        engine.dispose()
        assert found == []

    def test_row_level_security_is_forced_on_every_tenants_table(self, stack: RunningStack, service: str) -> None:
        open_tables = {name for name, state in tables(stack, service).items() if state != (True, True)}
        assert open_tables - {"alembic_version"} == NOT_A_TENANTS.get(service, set())

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_a_runtime_role_can_not_change_the_rules(
        self, stack: RunningStack, service: str, kind: str, statement: str
    ) -> None:
        url = stack.env[f"{service.upper()}_{kind}DATABASE_URL"]
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format(service=service))  # type: ignore[arg-type]  # one of ours, above


def _of_the_other(difference: Any, metadata: MetaData, known: set[str]) -> bool:
    """Two metadata share a schema, so each sees the other's tables as too many; so is Alembic's own."""
    name = getattr(difference[1], "name", "") if difference[0] == "remove_table" else ""
    return name not in metadata.tables and (name in known or name == "alembic_version")


def _is_index(difference: Any) -> bool:
    """Indexes are the migrations' business; no query names them."""
    return "index" in str(difference[0])


@pytest.mark.parametrize(("mine", "other"), PAIRS)
@pytest.mark.parametrize("kind", KINDS)
def test_another_services_tables_are_out_of_reach(stack: RunningStack, mine: str, other: str, kind: str) -> None:
    with (
        psycopg.connect(stack.env[f"{mine.upper()}_{kind}DATABASE_URL"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"SELECT 1 FROM {other}.outbox")  # type: ignore[arg-type]  # names of our own
