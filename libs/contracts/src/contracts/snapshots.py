"""Committed JSON Schemas of every event: `python -m contracts.snapshots` writes them, a test holds them.

A change that is not an addition shows in the test, before it reaches a consumer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from contracts.base import Event, load

FOLDER: Final = Path(__file__).parents[2] / "snapshots"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's body, with its example."""
    return {**event.model_json_schema(), "$id": f"urn:bidwright:schema:{event.META.type}", "examples": [event.EXAMPLE]}


def render(event: type[Event]) -> str:
    """The snapshot's text."""
    return json.dumps(schema_of(event), indent=2, sort_keys=True) + "\n"


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a consumer of `old` would miss in `new`: fields removed, changed, or no longer promised."""
    found = []
    for name, shape in old["properties"].items():
        if name not in new["properties"]:
            found.append(f"{name} was removed")
        elif _shape(shape) != _shape(new["properties"][name]):
            found.append(f"{name} changed its type")
    found += [f"{name} is no longer always there" for name in set(old["required"]) - set(new["required"])]
    for name, shape in old.get("$defs", {}).items():
        if name not in new.get("$defs", {}):
            found.append(f"{name} was removed")
        elif "properties" in shape:
            found += [f"{name}.{change}" for change in breaking_changes(shape, new["$defs"][name])]
    return found


def _shape(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("title", "description", "default")}


def main() -> None:
    """Writes every snapshot; refuses to overwrite one with a breaking change."""
    FOLDER.mkdir(exist_ok=True)
    for event in load().values():
        path = FOLDER / f"{event.META.type}.json"
        if path.exists() and (broken := breaking_changes(json.loads(path.read_text()), schema_of(event))):
            raise SystemExit(f"{event.META.type}: {'; '.join(broken)}. Make a .v2 beside it.")
        path.write_text(render(event))


if __name__ == "__main__":
    main()
