"""The database that a test module gets is what the launcher would give the service."""

from __future__ import annotations

import psycopg
import pytest

from devstack.pytest_plugin import DatabaseFactory, ServiceDatabase, UrlFactory
from devstack.servers import Nats


@pytest.fixture(scope="module")
def database(service_database: DatabaseFactory) -> ServiceDatabase:
    return service_database("billing")


class TestServiceDatabase:
    def test_the_app_role_finds_its_tables_and_owns_none(self, database: ServiceDatabase) -> None:
        with psycopg.connect(database.app_url) as connection:
            row = connection.execute(
                "SELECT current_user, current_schema(), count(*), count(*) FILTER (WHERE tableowner = current_user)"
                " FROM pg_tables WHERE schemaname = 'billing'"
            ).fetchone()
        assert row is not None
        user, schema, tables, owned = row
        assert (user, schema, owned) == ("billing_app", "billing", 0)
        assert tables > 0

    def test_each_call_gives_one_of_its_own(self, database: ServiceDatabase, service_database: DatabaseFactory) -> None:
        other = service_database("billing")
        assert other.name != database.name
        with psycopg.connect(other.migration_url) as connection:
            connection.execute("CREATE TABLE only_here (id int)")
        with psycopg.connect(database.app_url) as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM only_here")


async def test_nats_has_the_streams_and_knows_the_services(nats_server: Nats, nats_url: UrlFactory) -> None:
    import nats

    admin = await nats.connect(nats_url("admin"))
    names = {info.config.name for info in await admin.jetstream().streams_info()}
    await admin.close()
    assert {"EVENTS", "JOBS", "DEAD_LETTERS"} <= names
    client = await nats.connect(nats_url("billing"), inbox_prefix=b"_INBOX_billing")
    assert client.is_connected
    await client.close()


def test_redis_is_empty(redis_url: str) -> None:
    import redis

    assert redis.Redis.from_url(redis_url).dbsize() == 0
