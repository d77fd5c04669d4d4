"""The chain and the export's forms, without the database."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

Entry = Mapping[str, Any]
"""A row as it is hashed and exported: ids and times as text, `at` in UTC with microseconds."""

FIELDS: Final = (
    "seq",
    "id",
    "org_id",
    "at",
    "actor_id",
    "actor",
    "action",
    "target",
    "detail",
    "request_id",
    "previous",
    "hash",
)
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would compute a cell that begins so."""


def time_text(at: datetime) -> str:
    """The time as it is hashed."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: Any) -> str:
    """JSON with sorted keys, without spaces, and with nothing escaped that need not be."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry_hash(entry: Entry) -> str:
    """What `hash` must be: over everything else in the row, the hash before it included."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


class Chain:
    """Follows a chain from its first row."""

    def __init__(self) -> None:
        self.seq = 0
        self.head = ""

    def follows(self, entry: Entry) -> bool:
        """Whether the row is the next one, unaltered; if so, moves on to it."""
        if entry["seq"] != self.seq + 1 or entry["previous"] != self.head or entry["hash"] != entry_hash(entry):
            return False
        self.seq, self.head = entry["seq"], entry["hash"]
        return True


def jsonl(entries: Iterable[Entry]) -> str:
    """A line of canonical JSON for each row."""
    return "".join(canonical(dict(entry)) + "\n" for entry in entries)


def csv_header() -> str:
    """The first line of the table."""
    return ",".join(FIELDS) + "\r\n"


def csv_lines(entries: Iterable[Entry]) -> str:
    """A line for each row; see `_cell`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for entry in entries:
        writer.writerow(_cell(canonical(entry[name]) if name == "detail" else entry[name]) for name in FIELDS)
    return out.getvalue()


def _cell(value: Any) -> str:
    """The value as text. What a spreadsheet would compute gets an apostrophe before it, and so does what has one
    already, so that taking one away always gives the value back."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith((*FORMULA_STARTS, "'")) else text
