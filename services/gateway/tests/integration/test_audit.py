"""The audit: every change is a row, the rows are one chain, and whoever touches one is found out."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from alembic import command
from psycopg.rows import dict_row
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from common import migrations, provision
from common.clock import SystemClock
from common.db import Database, Tenant
from gateway.audit.repository import record

pytestmark = pytest.mark.integration

WRITERS = 40


@pytest.fixture
async def team(person: dict[str, Any], browser: httpx.AsyncClient) -> str:
    """An org of `person`, whom `browser` speaks for in it."""
    answer = await browser.post("/api/orgs", json={"name": "Northwind"})
    assert answer.status_code == 201, answer.text
    org_id: str = answer.json()["id"]
    browser.headers["x-org-id"] = org_id
    return org_id


@pytest.fixture
async def renamed_team(browser: httpx.AsyncClient, team: str) -> str:
    """An org with six rows."""
    for name in ("=1+1", "Ünïcode 🦉", 'quo"te\\', "line\u2028 \x7f", "@home"):
        answer = await browser.patch(f"/api/orgs/{team}", json={"name": name})
        assert answer.status_code in (200, 422), answer.text
    return team


@pytest.fixture
def owner(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """Someone with every right in the database, the trigger's owner included."""
    with psycopg.connect(stack.database.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = gateway")
        yield connection


@pytest.fixture
async def app(stack: Any) -> AsyncIterator[Database]:
    """The database as the API's role sees it."""
    opened = Database(stack.database.app_url, service="gateway", clock=SystemClock(), pool_size=10)
    yield opened
    await opened.close()


async def verdict(browser: httpx.AsyncClient) -> dict[str, Any]:
    answer = await browser.get("/api/audit/verify")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def exported(browser: httpx.AsyncClient, form: str) -> httpx.Response:
    answer = await browser.get(f"/api/audit/export?format={form}")
    assert answer.status_code == 200, answer.text
    return answer


async def actions(browser: httpx.AsyncClient, query: str = "") -> list[str]:
    """What the audit lists, newest first."""
    return [row["action"] for row in (await browser.get(f"/api/audit?{query}")).json()["items"]]


def first_break(rows: list[dict[str, Any]]) -> int | None:
    """The recipe of the API's documentation, with nothing of ours: where the chain breaks."""
    previous = ""
    for number, row in enumerate(rows, start=1):
        content = {name: value for name, value in row.items() if name != "hash"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        right = row["seq"] == number and row["previous"] == previous
        if not right or hashlib.sha256(text.encode()).hexdigest() != row["hash"]:
            return number
        previous = row["hash"]
    return None


class TestTheChain:
    async def test_it_is_intact_and_ends_in_the_last_rows_hash(
        self, browser: httpx.AsyncClient, renamed_team: str
    ) -> None:
        last = (await browser.get("/api/audit?limit=1")).json()["items"][0]
        found = await verdict(browser)
        assert found == {"intact": True, "rows": last["seq"], "head": last["hash"], "first_bad_id": None}

    async def test_forty_writers_at_once_make_one_chain(
        self, browser: httpx.AsyncClient, team: str, app: Database
    ) -> None:
        org_id, before = UUID(team), (await verdict(browser))["rows"]

        async def write(number: int) -> None:
            async with app.unit_of_work(Tenant(org_id=org_id)) as uow:
                for half in ("first", "second"):
                    record(uow, org_id, None, "raced", number, at=app.clock.now(), half=half)
                    await uow.flush()
                await uow.commit()

        await asyncio.gather(*(write(number) for number in range(WRITERS)))
        found = await verdict(browser)
        assert (found["intact"], found["rows"]) == (True, before + 2 * WRITERS)
        raced = [json.loads(line) for line in (await exported(browser, "jsonl")).text.splitlines()][before:]
        halves = [(row["target"], row["detail"]["half"]) for row in raced]
        for first, second in zip(halves[::2], halves[1::2], strict=True):
            assert first == (second[0], "first"), "the rows of one transaction stand together"

    async def test_what_is_rolled_back_leaves_no_gap(
        self, browser: httpx.AsyncClient, team: str, app: Database
    ) -> None:
        before = (await verdict(browser))["rows"]
        async with app.unit_of_work(Tenant(org_id=UUID(team))) as uow:
            record(uow, UUID(team), None, "undone", at=app.clock.now())
            await uow.flush()
        await browser.patch(f"/api/orgs/{team}", json={"name": "After"})
        found = await verdict(browser)
        assert (found["intact"], found["rows"]) == (True, before + 1)

    async def test_an_altered_row_is_found(
        self, browser: httpx.AsyncClient, renamed_team: str, owner: psycopg.Connection[Any]
    ) -> None:
        changed = owner.execute(
            'UPDATE audit SET detail = detail || \'{"after": "Nothing happened"}\' WHERE org_id = %s AND seq = 3'
            " RETURNING id",
            (renamed_team,),
        ).fetchone()
        found = await verdict(browser)
        assert (found["intact"], found["first_bad_id"]) == (False, str(changed[0]))  # type: ignore[index]  # the row is there

    @pytest.mark.parametrize(
        "change",
        [
            "at = at + interval '1 microsecond'",
            "actor_id = gen_random_uuid()",
            "actor = 'system'",
            "action = 'other'",
            "target = 'x'",
            "request_id = 'x'",
        ],
    )
    async def test_no_column_can_be_altered_unseen(
        self, browser: httpx.AsyncClient, team: str, owner: psycopg.Connection[Any], change: str
    ) -> None:
        owner.execute(f"UPDATE audit SET {change} WHERE org_id = %s AND seq = 1", (team,))  # type: ignore[arg-type]  # ours, not a literal
        assert (await verdict(browser))["intact"] is False

    async def test_a_deleted_row_is_found_by_the_one_after_it(
        self, browser: httpx.AsyncClient, renamed_team: str, owner: psycopg.Connection[Any]
    ) -> None:
        owner.execute("DELETE FROM audit WHERE org_id = %s AND seq = 2", (renamed_team,))
        after = owner.execute("SELECT id FROM audit WHERE org_id = %s AND seq = 3", (renamed_team,)).fetchone()
        found = await verdict(browser)
        assert (found["intact"], found["first_bad_id"]) == (False, str(after[0]))  # type: ignore[index]  # the row is there

    async def test_rows_that_lack_at_the_end_are_missed(
        self, browser: httpx.AsyncClient, renamed_team: str, owner: psycopg.Connection[Any]
    ) -> None:
        owner.execute("DELETE FROM audit WHERE org_id = %s AND seq > 2", (renamed_team,))
        found = await verdict(browser)
        assert (found["intact"], found["first_bad_id"]) == (False, None)

    async def test_swapped_rows_are_found(
        self, browser: httpx.AsyncClient, renamed_team: str, owner: psycopg.Connection[Any]
    ) -> None:
        # Places, and with them all of the chain's own columns, change hands.
        with owner.transaction():
            owner.execute("UPDATE audit SET seq = -seq WHERE org_id = %s AND seq IN (2, 3)", (renamed_team,))
            owner.execute(
                "UPDATE audit a SET seq = -b.seq, previous = b.previous, hash = b.hash FROM audit b"
                " WHERE a.org_id = %s AND b.org_id = a.org_id AND a.seq + b.seq = -5 AND a.id <> b.id",
                (renamed_team,),
            )
        second = owner.execute("SELECT id FROM audit WHERE org_id = %s AND seq = 2", (renamed_team,)).fetchone()
        found = await verdict(browser)
        assert (found["intact"], found["first_bad_id"]) == (False, str(second[0]))  # type: ignore[index]  # the row is there

    async def test_the_role_of_the_api_chooses_neither_place_nor_hash(
        self, browser: httpx.AsyncClient, team: str, stack: Any
    ) -> None:
        with psycopg.connect(stack.database.app_url, autocommit=True) as connection:
            connection.execute("SELECT set_config('app.org_id', %s, false)", (team,))
            connection.execute(
                "INSERT INTO audit (id, org_id, at, actor, action, target, detail, request_id, seq, previous, hash)"
                " VALUES (%s, %s, now(), 'system', 'forged', '', '{}', '', 1, '', 'f00d')",
                (uuid4(), team),
            )
            for statement in (
                "UPDATE audit_heads SET seq = 0",
                "DELETE FROM audit_heads",
                "ALTER TABLE audit DISABLE TRIGGER chain",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)  # type: ignore[arg-type]  # ours, not a literal
        assert (await verdict(browser))["intact"] is True


class TestTheExport:
    async def test_its_hashes_can_be_computed_from_the_lines_alone(
        self, browser: httpx.AsyncClient, renamed_team: str
    ) -> None:
        answer = await exported(browser, "jsonl")
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["content-disposition"] == f'attachment; filename="audit-{renamed_team}.jsonl"'
        rows = [json.loads(line) for line in answer.text.split("\n")[:-1]]
        assert len(rows) >= 4
        assert first_break(rows) is None
        rows[1]["detail"]["after"] += "!"
        assert first_break(rows) == 2

    async def test_a_spreadsheet_computes_none_of_its_cells(
        self, browser: httpx.AsyncClient, renamed_team: str, app: Database
    ) -> None:
        async with app.unit_of_work(Tenant(org_id=UUID(renamed_team))) as uow:
            for target in ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "'quoted", 'a "b",\r\nc', "\tx", "\rx"):
                record(uow, UUID(renamed_team), None, "imported", target, at=app.clock.now())
            await uow.commit()
        answer = await exported(browser, "csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="audit-{renamed_team}.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]
        # Taking the apostrophes away gives the rows back, so that the table proves as much as the lines.
        plain = [{name: cell.removeprefix("'") for name, cell in row.items()} for row in rows]
        restored = [
            row | {"seq": int(row["seq"]), "detail": json.loads(row["detail"]), "actor_id": row["actor_id"] or None}
            for row in plain
        ]
        assert first_break(restored) is None
        assert restored[-8]["target"] == "=HYPERLINK(1)"

    async def test_it_holds_every_row_of_many_pages(self, browser: httpx.AsyncClient, team: str, app: Database) -> None:
        async with app.unit_of_work(Tenant(org_id=UUID(team))) as uow:
            for number in range(1200):
                record(uow, UUID(team), None, "counted", number, at=app.clock.now())
            await uow.commit()
        rows = [json.loads(line) for line in (await exported(browser, "jsonl")).text.splitlines()]
        assert [row["target"] for row in rows if row["action"] == "counted"] == [str(number) for number in range(1200)]
        assert first_break(rows) is None

    async def test_an_unknown_format_is_refused(self, browser: httpx.AsyncClient, team: str) -> None:
        answer = await browser.get("/api/audit/export?format=xlsx")
        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")


class TestTheList:
    async def test_it_is_filtered_by_time(self, browser: httpx.AsyncClient, renamed_team: str) -> None:
        rows = (await browser.get("/api/audit")).json()["items"]
        newest, oldest = rows[0]["at"], rows[-1]["at"]
        since = await browser.get("/api/audit", params={"since": newest})
        assert [row["id"] for row in since.json()["items"]] == [rows[0]["id"]]
        until = await browser.get("/api/audit", params={"until": newest})
        assert [row["id"] for row in until.json()["items"]] == [row["id"] for row in rows[1:]]
        none = await browser.get("/api/audit", params={"since": newest, "until": oldest})
        assert none.json()["items"] == []

    @pytest.mark.parametrize("value", ["yesterday", "2026-01-01T00:00:00", "", "9" * 400])
    async def test_a_time_that_is_none_is_refused(self, browser: httpx.AsyncClient, team: str, value: str) -> None:
        answer = await browser.get("/api/audit", params={"since": value})
        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    async def test_the_ends_of_time_are_times(self, browser: httpx.AsyncClient, team: str, time: str) -> None:
        assert (await browser.get("/api/audit", params={"since": time, "until": time})).status_code == 200

    async def test_a_cursor_of_another_list_is_refused(self, browser: httpx.AsyncClient, team: str) -> None:
        foreign = "WyIwMTkyMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiXQ"
        answer = await browser.get(f"/api/audit?cursor={foreign}")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_cursor")


class TestWhatIsNoted:
    async def test_signing_in_and_out(self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
        login = {"email": person["user"]["email"], "password": "correct horse battery"}
        async with stack.client() as other:
            assert (await other.post("/api/auth/login", json=login)).status_code == 200
            assert (await other.post("/api/auth/logout")).status_code == 204
        async with stack.client() as third:
            await third.post("/api/auth/login", json=login)
            assert (await browser.delete("/api/auth/sessions")).status_code == 204
        assert (await actions(browser))[:4] == ["session.ended", "session.created", "session.ended", "session.created"]

    async def test_signing_out_is_noted_in_the_own_org_whatever_org_is_named(
        self, browser: httpx.AsyncClient, stack: Any, person: dict[str, Any], team: str
    ) -> None:
        login = {"email": person["user"]["email"], "password": "correct horse battery"}
        async with stack.client() as other:
            await other.post("/api/auth/login", json=login)
            assert (await other.post("/api/auth/logout", headers={"x-org-id": team})).status_code == 204
        assert "session.ended" not in await actions(browser)
        browser.headers["x-org-id"] = person["orgs"][0]["id"]
        assert (await actions(browser))[0] == "session.ended"

    async def test_a_new_password_and_the_sessions_that_it_ends(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        login = {"email": person["user"]["email"], "password": "correct horse battery"}
        async with stack.client() as other:
            await other.post("/api/auth/login", json=login)
        change = {"current_password": "correct horse battery", "password": "another horse battery", "name": "Bo"}
        assert (await browser.patch("/api/me", json=change)).status_code == 200
        rows = (await browser.get("/api/audit?limit=2")).json()["items"]
        assert [row["action"] for row in rows] == ["user.renamed", "password.changed"]
        assert rows[1]["detail"] == {"sessions_ended": 1}

    async def test_an_invite_that_a_newer_one_replaces(self, browser: httpx.AsyncClient, team: str) -> None:
        for _ in range(2):
            body = {"email": "ada@example.org", "role": "viewer"}
            assert (await browser.post(f"/api/orgs/{team}/invites", json=body)).status_code == 201
        expected = ["invite.created", "invite.revoked", "invite.created", "org.created"]
        assert await actions(browser) == expected


class TestOldRows:
    def test_the_migration_chains_them_whatever_order_they_lie_in(self, servers: Any) -> None:
        ids, orgs = sorted(str(uuid7(number)) for number in range(6)), [str(uuid4()), str(uuid4())]
        rows = [(row_id, orgs[number % 2], f"a{number}") for number, row_id in enumerate(ids)]
        chains = [migrated(servers, rows), migrated(servers, rows[::-1])]
        assert chains[0] == chains[1]
        for org_id in orgs:
            of_org = [row for row in chains[0] if row["org_id"] == org_id]
            assert len(of_org) == 3
            assert first_break(of_org) is None


def uuid7(milliseconds: int) -> UUID:
    """An id of that time."""
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | uuid4().int & 0xFFFF_FFFF)


def migrated(servers: Any, rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """A database of before the chain with these rows (id, org, action) in it, brought to today; its audit."""
    name = f"before_{uuid4().hex}"
    with psycopg.connect(servers.postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # ours, not a literal
    provision.provision_database(servers.postgres.url(database=name), servers.passwords, services=["gateway"])
    url = servers.postgres.url("gateway_owner", servers.passwords["gateway_owner"], name)

    def to_before() -> None:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
        with engine.connect() as connection:
            command.upgrade(migrations._config("gateway", connection), "0003")

    aside(to_before)
    with psycopg.connect(servers.postgres.url(database=name), autocommit=True) as admin:
        for row_id, org_id, action in rows:
            admin.execute(
                "INSERT INTO gateway.audit VALUES (%s, %s, %s, NULL, 'session', %s, '', %s, '')",
                (row_id, org_id, "2026-11-01T09:00:00.000001Z", action, '{"z": 1, "a": ["é", null, true]}'),
            )
        aside(lambda: migrations.upgrade("gateway", url))
        cursor = admin.cursor(row_factory=dict_row)
        found = cursor.execute("SELECT * FROM gateway.audit ORDER BY org_id, seq").fetchall()
        heads = admin.execute("SELECT org_id, seq, hash FROM gateway.audit_heads").fetchall()
    assert {(row["org_id"], row["seq"], row["hash"]) for row in found if row["seq"] == 3} == set(heads)
    names = ("id", "org_id")
    at = "2026-11-01T09:00:00.000001Z"
    return [row | {name: str(row[name]) for name in names} | {"at": at} for row in found]


def aside(work: Callable[[], Any]) -> None:
    """Alembic's event loop must not meet the tests'."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
