"""`expand[]`: ids turned into the objects they name, and parts shown that are hidden otherwise."""

from __future__ import annotations

from typing import Any

from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, visible

_MAX_DEPTH = 4


def render(world: World, obj: Obj, paths: list[str]) -> Obj:
    """What the caller sees of an answer."""
    if obj.get("object") == "list":
        inner = [path.removeprefix("data.") for path in paths if path.startswith("data.")]
        if len(inner) != len(paths):
            raise InvalidRequest("Lists expand below `data.`.", param="expand")
        return {**obj, "data": [render(world, row, inner) for row in obj["data"]]}
    shown = visible(obj)
    for path in paths:
        parts = path.split(".")
        if len(parts) > _MAX_DEPTH:
            raise InvalidRequest("You cannot expand more than 4 levels of a property.", param="expand")
        _open(world, obj, shown, parts, path)
    return shown


def _open(world: World, hidden: Obj, shown: Obj, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    value = shown.get(name, hidden.get(f"_{name}"))
    if value is None:
        if name in shown:
            return
        raise InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
    shown[name] = _opened(world, value, rest, path, last=not rest)


def _opened(world: World, value: Any, rest: list[str], path: str, *, last: bool) -> Any:
    if isinstance(value, list):  # of ids, as in `discounts`
        return [_opened(world, row, rest, path, last=last) for row in value]
    if isinstance(value, str):
        found = world.store.find(value)
        if found is None:
            raise InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
        return render(world, found, [".".join(rest)] if rest else [])
    if isinstance(value, dict) and value.get("object") == "list" and rest and rest[0] == "data":
        rows = [_opened(world, row, rest[1:], path, last=len(rest) == 1) for row in value["data"]]
        return {**value, "data": rows}
    if isinstance(value, dict) and not last:
        copy = dict(value)
        _open(world, value, copy, rest, path)
        return copy
    return value
