"""Stripe's bracketed forms (`items[0][price]=x`, `expand[]=y`) to nested data and back to typed values."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_fake.errors import InvalidRequest

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")
_MAX_DEPTH = 8


def decode(raw: str) -> dict[str, Any]:
    """Decode a form or query string.

    Lists come out as lists, except below `metadata`, whose keys belong to the caller.
    """
    root: dict[str, Any] = {}
    for key, value in parse_qsl(raw, keep_blank_values=True):
        match = _KEY.match(key)
        if not match:
            raise InvalidRequest(f"Invalid parameter name: {key!r}", param=key)
        path = [match[1], *_PART.findall(match[2])]
        if len(path) > _MAX_DEPTH:
            raise InvalidRequest("Parameters are nested too deeply.", param=match[1])
        _place(root, path, value)
    return {name: _lists(name, value) for name, value in root.items()}


def _place(root: dict[str, Any], path: list[str], value: str) -> None:
    here = root
    for part in path[:-1]:
        step = here.setdefault(part or str(len(here)), {})
        if not isinstance(step, dict):
            raise InvalidRequest(f"{path[0]} is given both as a value and as an object.", param=path[0])
        here = step
    last = path[-1] or str(len(here))
    if isinstance(here.get(last), dict):
        raise InvalidRequest(f"{path[0]} is given both as a value and as an object.", param=path[0])
    here[last] = value


def _lists(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if name == "metadata":
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists("", value[key]) for key in sorted(value, key=int)]
    return {key: _lists(key, item) for key, item in value.items()}


def text(params: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    """A string parameter; empty counts as absent, as it does for Stripe."""
    value = params.get(name)
    if value is None or value == "":
        if required:
            raise InvalidRequest(f"Missing required param: {name}.", param=name, code="parameter_missing")
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"Invalid string: {name}", param=name)
    return value


def integer(params: dict[str, Any], name: str, *, default: int, low: int, high: int) -> int:
    """A whole number within bounds."""
    value = params.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(str(value))
    except ValueError:
        raise InvalidRequest(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer") from None
    if not low <= number <= high:
        raise InvalidRequest(f"{name} must be between {low} and {high}.", param=name)
    return number


def optional_integer(params: dict[str, Any], name: str, *, low: int, high: int) -> int | None:
    """The same where absent means none."""
    if params.get(name) in (None, ""):
        return None
    return integer(params, name, default=low, low=low, high=high)


def boolean(params: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """`true` or `false`."""
    value = params.get(name)
    if value is None or value == "":
        return default
    if value not in ("true", "false"):
        raise InvalidRequest(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def mapping(params: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object; absent or cleared is empty."""
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("Invalid object", param=name)
    return value


def rows(params: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of nested objects; absent is empty."""
    value = params.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InvalidRequest("Invalid array", param=name)
    return value


def strings(params: dict[str, Any], name: str) -> list[str]:
    """A list of strings; absent is empty."""
    value = params.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRequest("Invalid array", param=name)
    return value


def merge_metadata(current: dict[str, str], params: dict[str, Any]) -> dict[str, str]:
    """Stripe's rule: given keys replace, an empty value removes its key, an empty `metadata` clears all."""
    if "metadata" not in params:
        return current
    given = mapping(params, "metadata")
    if not given:
        return {}
    merged = {**current, **{str(key): str(value) for key, value in given.items()}}
    return {key: value for key, value in merged.items() if value != ""}
