"""The AsyncAPI document as a page for people; `python -m contracts.asyncapi` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).parents[4] / "docs" / "events.md"
_HEAD: Final = """\
# Events

{introduction}

This page is made by `python -m contracts.asyncapi` from the models that validate at run time, as is the AsyncAPI 3
document `libs/contracts/asyncapi.json` for tools; a test holds both to the code. Watch them with
`./bidwright events tail --since 1h`. What a consumer does with one that it cannot take in:
[dead letters](runbook/dead-letters.md). A new one: [add an event](howto/add-an-event.md).

Streams: `EVENTS` keeps every event for 30 days, `JOBS` a job's message until a worker takes it, `DEAD_LETTERS` for
90 days what a service could not take in.

"""


def render(document: dict[str, Any]) -> str:
    """The page's text."""
    return _HEAD.format(introduction=document["info"]["description"]) + "\n".join(_sections(document)) + "\n"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    yield "## Headers\n"
    yield from _table(document, schemas["cloudevents"])
    events = [key for key in document["channels"] if key != "jobs"]
    yield "\n## Who says what to whom\n"
    yield "| event | who listens |\n|---|---|"
    for key in events:
        yield f"| [{key}](#{_anchor(key)}) | {', '.join(_listeners(document, key)) or 'nobody yet'} |"
    for key in events:
        yield from _event(document, key)
    yield "\n## What they are made of"
    for name in sorted(name for name in schemas if "." not in name and name != "cloudevents"):
        yield f"\n### {name}\n\n{schemas[name]['description']}\n"
        yield from _table(document, schemas[name])
    jobs = document["channels"]["jobs"]
    yield f'\n## Jobs\n\n`{jobs["address"]}`: {jobs["description"]} The body is its id: `{{"job_id": "..."}}`.'


def _event(document: dict[str, Any], key: str) -> Iterator[str]:
    channel = document["channels"][key]
    (name,) = channel["messages"]
    message = document["components"]["messages"][name]
    yield f"\n## {key}\n\n{channel['description']}\n"
    yield f"Subject `{channel['address']}`, type `{name}`.\n"
    yield from _table(document, document["components"]["schemas"][name])
    yield f"\n```json\n{json.dumps(message['examples'][0]['payload'], indent=2, ensure_ascii=False)}\n```"


def _listeners(document: dict[str, Any], key: str) -> list[str]:
    return [name.partition(".")[0] for name in document["operations"] if name.endswith(f".receives.{key}")]


def _table(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    yield "| field | type | |\n|---|---|---|"
    for name, shape in schema["properties"].items():
        optional = "" if name in schema["required"] else "optional. "
        yield f"| `{name}` | {_type(shape)} | {optional}{shape.get('description', '')} |"


def _type(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in shape:
        return " or ".join(_type(one) for one in shape["anyOf"])
    if "enum" in shape or "const" in shape:
        return ", ".join(f"`{value}`" for value in shape.get("enum", [shape.get("const")]))
    if shape["type"] == "array":
        return f"list of {_type(shape['items'])}"
    plain: str = shape["type"]
    return {"uuid": "UUID", "date-time": "time"}.get(shape.get("format", ""), plain)


def _anchor(heading: str) -> str:
    """The id that the heading gets."""
    return heading.lower().replace(".", "")
