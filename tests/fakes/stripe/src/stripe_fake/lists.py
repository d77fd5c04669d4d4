"""Stripe's list answers: newest first, cursors by id, filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_fake import forms
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj

Filter = Callable[[Obj], bool]


def page(rows: list[Obj], params: dict[str, Any], url: str) -> Obj:
    """One page of rows that passed the filters; `limit` 1 to 100, `starting_after`, `ending_before`."""
    limit = forms.integer(params, "limit", default=10, low=1, high=100)
    after, before = forms.text(params, "starting_after"), forms.text(params, "ending_before")
    if after and before:
        raise InvalidRequest("Only one of starting_after and ending_before may be given.", param="starting_after")
    if before:
        rows = rows[: _position(rows, before, "ending_before")]
        return {"object": "list", "data": rows[-limit:], "has_more": len(rows) > limit, "url": url}
    if after:
        rows = rows[_position(rows, after, "starting_after") + 1 :]
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": url}


def _position(rows: list[Obj], object_id: str, param: str) -> int:
    for index, row in enumerate(rows):
        if row["id"] == object_id:
            return index
    raise InvalidRequest(f"No such object: '{object_id}'", param=param, code="resource_missing")


def equal(params: dict[str, Any], *names: str) -> Filter:
    """Rows whose fields have the values given; those not given do not filter."""
    wanted = {name: forms.text(params, name) for name in names}
    return lambda row: all(value is None or row.get(name) == value for name, value in wanted.items())


def created(params: dict[str, Any]) -> Filter:
    """`created=N` or `created[gte]=N` and its siblings."""
    given = params.get("created")
    if given is None or given == "":
        return lambda row: True
    if not isinstance(given, dict):
        exact = forms.integer(params, "created", default=0, low=0, high=2**40)
        return lambda row: bool(_created(row) == exact)
    bounds = {name: forms.integer(given, name, default=0, low=0, high=2**40) for name in given}
    if not set(bounds) <= {"gt", "gte", "lt", "lte"}:
        raise InvalidRequest("created takes gt, gte, lt and lte.", param="created")
    checks: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    return lambda row: all(checks[name](_created(row), bound) for name, bound in bounds.items())


def _created(row: Obj) -> int:
    return int(row["date"] if row["object"] == "invoiceitem" else row["created"])


def flag(params: dict[str, Any], name: str) -> Filter:
    """A boolean filter."""
    if name not in params:
        return lambda row: True
    wanted = forms.boolean(params, name)
    return lambda row: row.get(name) is wanted


_MOST_TYPES = 20


def event_types(params: dict[str, Any]) -> Filter:
    """`type`, which may end in a `*`, or `types`."""
    one, many = forms.text(params, "type"), forms.strings(params, "types")
    if one and many:
        raise InvalidRequest("You may only specify one of these parameters: type, types.", param="type")
    if len(many) > _MOST_TYPES:
        raise InvalidRequest(f"You may only specify up to {_MOST_TYPES} event types.", param="types")
    wanted = [one] if one else many
    return lambda row: (
        not wanted
        or any(row["type"] == name or (name.endswith("*") and row["type"].startswith(name[:-1])) for name in wanted)
    )
