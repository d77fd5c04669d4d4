"""Everything the fake remembers: one SQLite file, written through, so that a restart forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

_SCHEMA = """
create table if not exists objects (
    seq integer primary key autoincrement, id text not null unique, kind text not null, body text not null);
create index if not exists objects_kind on objects (kind, seq);
create table if not exists idempotency (
    key text primary key, fingerprint text not null, status integer not null, body text not null);
create table if not exists deliveries (
    id integer primary key autoincrement, event_id text not null, event_type text not null, due_at real not null,
    attempts integer not null default 0, status text not null, response_status integer, error text,
    updated_at real not null, endpoint_id text not null);
create table if not exists addresses (url text not null);
create index if not exists deliveries_waiting on deliveries (endpoint_id, status, due_at);
create index if not exists deliveries_event on deliveries (event_id);
"""


class Store:
    """Objects by id and kind, idempotent answers, and deliveries.

    Nothing commits by itself: the caller commits once per request, so a refused one leaves no half-made objects.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "stripe.sqlite3", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        known = [row["name"] for row in self._db.execute("pragma table_info(deliveries)")]
        if known and "endpoint_id" not in known:  # an older fake's folder: what it had to send is long out of date
            self._db.execute("drop table deliveries")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def commit(self) -> None:
        self._db.commit()

    def rollback(self) -> None:
        self._db.rollback()

    def put(self, obj: Obj) -> Obj:
        """Store a new object, or the new state of a known one (which keeps its place in lists)."""
        self._db.execute(
            "insert into objects (id, kind, body) values (?, ?, ?) on conflict (id) do update set body = excluded.body",
            (obj["id"], obj["object"], json.dumps(obj)),
        )
        return obj

    def get(self, kind: str, object_id: str) -> Obj | None:
        row = self._db.execute("select body from objects where id = ? and kind = ?", (object_id, kind)).fetchone()
        return None if row is None else json.loads(row["body"])

    def find(self, object_id: str) -> Obj | None:
        """An object of whatever kind; for `expand`."""
        row = self._db.execute("select body from objects where id = ?", (object_id,)).fetchone()
        return None if row is None else json.loads(row["body"])

    def all(self, kind: str) -> list[Obj]:
        """Newest first, as Stripe lists."""
        rows = self._db.execute("select body from objects where kind = ? order by seq desc", (kind,))
        return [json.loads(row["body"]) for row in rows]

    def mark(self) -> int:
        """Where the store is now; `since` gives what came after."""
        return int(self._db.execute("select coalesce(max(seq), 0) from objects").fetchone()[0])

    def since(self, mark: int, kind: str) -> list[Obj]:
        """What was made after a mark, oldest first."""
        rows = self._db.execute("select body from objects where seq > ? and kind = ? order by seq", (mark, kind))
        return [json.loads(row["body"]) for row in rows]

    def remove(self, object_id: str) -> None:
        """Forget an object."""
        self._db.execute("delete from objects where id = ?", (object_id,))

    def live_at(self, url: str) -> None:
        """Say under which address the pages are now; links in what is stored follow a move to another port."""
        row = self._db.execute("select url from addresses").fetchone()
        if row is not None and row["url"] != url:
            for table in ("objects", "idempotency"):
                self._db.execute(f"update {table} set body = replace(body, ?, ?)", (f"{row['url']}/", f"{url}/"))
        self._db.execute("delete from addresses")
        self._db.execute("insert into addresses values (?)", (url,))
        self._db.commit()

    def wipe(self) -> None:
        """Forget everything."""
        for table in ("objects", "idempotency", "deliveries"):
            self._db.execute(f"delete from {table}")

    # ------------------------------------------------------------------ idempotency

    def recall(self, key: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute("select * from idempotency where key = ?", (key,)).fetchone()
        return row

    def remember(self, key: str, fingerprint: str, status: int, body: str) -> None:
        self._db.execute("insert into idempotency values (?, ?, ?, ?)", (key, fingerprint, status, body))

    # ------------------------------------------------------------------ deliveries

    def add_delivery(self, event: Obj, endpoint_id: str, due_at: float, now: float, status: str = "pending") -> None:
        self._db.execute(
            "insert into deliveries (event_id, event_type, endpoint_id, due_at, status, updated_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (event["id"], event["type"], endpoint_id, due_at, status, now),
        )

    def next_delivery(self, endpoint_id: str) -> sqlite3.Row | None:
        """An endpoint's pending delivery that is due first, whether or not its time has come."""
        row: sqlite3.Row | None = self._db.execute(
            "select * from deliveries where endpoint_id = ? and status = 'pending' order by due_at, id limit 1",
            (endpoint_id,),
        ).fetchone()
        return row

    def drop_deliveries(self, endpoint_id: str, error: str) -> None:
        """Give up what waits for an endpoint."""
        self._db.execute(
            "update deliveries set status = 'failed', error = ? where endpoint_id = ? and status = 'pending'",
            (error, endpoint_id),
        )

    def waiting_endpoints(self, event_id: str) -> int:
        """How many endpoints an event has not reached yet."""
        row = self._db.execute(
            "select count(distinct endpoint_id) from deliveries where event_id = ? and status = 'pending'", (event_id,)
        ).fetchone()
        return int(row[0])

    def undelivered_events(self) -> set[str]:
        """The events that at least one endpoint has not taken."""
        rows = self._db.execute("select distinct event_id from deliveries where status != 'delivered'")
        return {row["event_id"] for row in rows}

    def settle_delivery(
        self,
        delivery_id: int,
        *,
        status: str,
        due_at: float,
        now: float,
        response_status: int | None,
        error: str | None,
    ) -> None:
        """Record an attempt: `delivered`, `failed` for good, or `pending` again with a later `due_at`."""
        self._db.execute(
            "update deliveries set attempts = attempts + 1, status = ?, due_at = ?, updated_at = ?,"
            " response_status = ?, error = ? where id = ?",
            (status, due_at, now, response_status, error, delivery_id),
        )

    def deliveries(self) -> list[Obj]:
        """Oldest first."""
        return [dict(row) for row in self._db.execute("select * from deliveries order by id")]
