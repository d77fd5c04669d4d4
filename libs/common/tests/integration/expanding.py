"""What a version of a schema promises to the code that runs on it, and rows as that code would write them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Rows = list[tuple[Any, ...]]
_NUMBERED = ("position", "start", "seq", "id", "passage_id")
"""Numbers of which a table may hold each but once."""


@dataclass(frozen=True)
class Column:
    """A column as whoever inserts into its table sees it."""

    type: str
    needed: bool
    """It must be given: not nullable, no default, not generated."""
    written: bool
    """It may be given: a generated one may not."""


@dataclass(frozen=True)
class Schema:
    """One version."""

    columns: dict[str, dict[str, Column]]
    unique: dict[str, set[str]]
    """By table, what each unique index is over, as `ON CONFLICT` and a refused insert know it."""
    checks: dict[str, set[str]]
    grants: set[tuple[str, str, str]]
    policies: set[tuple[Any, ...]]


def read(connection: psycopg.Connection[Any], service: str) -> Schema:
    """The schema of a service as it is now."""

    def rows(query: str) -> Rows:
        return connection.execute(query, {"service": service}).fetchall()  # type: ignore[arg-type]  # of this file

    columns: dict[str, dict[str, Column]] = {}
    for table, name, kind, nullable, default, identity, generated in rows(
        "SELECT table_name, column_name, coalesce(domain_name, udt_name), is_nullable = 'YES', column_default,"
        " is_identity = 'YES', is_generated = 'ALWAYS'"
        " FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = %(service)s AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'"
        " ORDER BY table_name, ordinal_position"
    ):
        needed = not nullable and default is None and not identity and not generated
        columns.setdefault(table, {})[name] = Column(kind, needed, not generated)
    unique: dict[str, set[str]] = {table: set() for table in columns}
    for table, definition in rows(
        "SELECT tablename, indexdef FROM pg_indexes"
        " WHERE schemaname = %(service)s AND indexdef LIKE 'CREATE UNIQUE%%' AND tablename <> 'alembic_version'"
    ):
        unique[table].add(re.sub(r"^CREATE UNIQUE INDEX \S+ ON \S+ ", "", definition))
    checks: dict[str, set[str]] = {table: set() for table in columns}
    for table, definition in rows(
        "SELECT relname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid"
        " WHERE t.relnamespace = %(service)s::regnamespace AND contype = 'c'"
    ):
        checks[table].add(definition)
    grants = {
        (table, role, privilege)
        for table, role, privilege in rows(
            "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
            " WHERE table_schema = %(service)s"
        )
    }
    policies = set(
        rows(
            "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies"
            " WHERE schemaname = %(service)s"
        )
    )
    return Schema(columns, unique, checks, grants, policies)


def broken_promises(old: Schema, new: Schema) -> set[str]:
    """What code of the old version relies on, and the new one does not keep; also what it would now be refused for."""
    found = set()
    for table, columns in old.columns.items():
        if table not in new.columns:
            found.add(f"{table}: the table is gone")
            continue
        for name, column in columns.items():
            now = new.columns[table].get(name)
            if now is None:
                found.add(f"{table}.{name}: the column is gone")
            elif now.type != column.type:
                found.add(f"{table}.{name}: was {column.type}, is {now.type}")
            elif now.needed and not column.needed:
                found.add(f"{table}.{name}: must be given now")
        for name in new.columns[table].keys() - columns.keys():
            if new.columns[table][name].needed:
                found.add(f"{table}.{name}: is new and must be given")
        for index in old.unique[table] - new.unique[table]:
            found.add(f"{table}: no longer unique: {index}")
        for index in new.unique[table] - old.unique[table]:
            found.add(f"{table}: newly unique: {index}")
        known = {check for check in new.checks[table] - old.checks[table] if _mentions(check, columns)}
        for check in known:
            found.add(f"{table}: newly checked: {check}")
    kept = {one for one in old.grants if one[0] in new.columns}
    found |= {f"{table}: {role} may no longer {privilege}" for table, role, privilege in kept - new.grants}
    kept_policies = {one for one in old.policies if one[0] in new.columns}
    return found | {f"{one[0]}: the policy {one[1]} is gone" for one in kept_policies - new.policies}


def _mentions(check: str, columns: dict[str, Column]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", check) for name in columns)


def without_references(connection: psycopg.Connection[Any], service: str) -> None:
    """Drops the foreign keys of a scratch database, so that a made row needs no others."""
    for table, name in connection.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = %s::regnamespace",
        (service,),
    ).fetchall():
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')  # type: ignore[arg-type]  # from the catalogue


def write_a_row(connection: psycopg.Connection[Any], service: str, table: str, schema: Schema) -> None:
    """Inserts a made row with every column that this version has, then reads and updates it by the same columns."""
    columns = {name: column for name, column in schema.columns[table].items() if column.written}
    values = {name: _made(name, column, schema.checks[table]) for name, column in columns.items()}
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    places = sql.SQL(", ").join(sql.SQL("{}").format(sql.Literal(value)) for value in values.values())
    target = sql.Identifier(service, table)
    connection.execute(sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(target, names, places))
    connection.execute(sql.SQL("SELECT {} FROM {} LIMIT 1").format(names, target))
    changes = sql.SQL(", ").join(sql.SQL("{0} = {0}").format(sql.Identifier(name)) for name in columns)
    connection.execute(sql.SQL("UPDATE {} SET {}").format(target, changes))


def _made(name: str, column: Column, checks: set[str]) -> str:
    """A value that the column's type and checks take; a text or an id is new each time."""
    for check in checks:
        if re.search(rf"\b{re.escape(name)}\b", check):
            if choice := re.search(rf"\b{re.escape(name)}\b[^']*ANY \(ARRAY\['([^']*)'", check):
                return choice[1]
            if "0-9a-f" in check:
                return (uuid.uuid4().hex * 2)[:64]
    match column.type:
        case "uuid":
            return str(uuid.uuid4())
        case "text" | "varchar":
            return uuid.uuid4().hex
        case "int4" | "int8" | "float8" | "numeric":
            return str(1 + uuid.uuid4().int % 2**20) if name in _NUMBERED else "1"
        case "bool":
            return "false"
        case "jsonb":
            return "{}"
        case "bytea":
            return "\\x" + uuid.uuid4().hex
        case "timestamptz" | "date":
            return "2026-11-25" if name.endswith(("_end", "_until", "expires_at")) else "2026-11-24"
        case "tsvector":
            return "word"
        case "halfvec":
            return "[1,2,3]"
        case kind if kind.startswith("_"):
            return "{}"
    raise AssertionError(f"no value for {name} of type {column.type}: add one here")
