"""The AsyncAPI 3 document of every subject, and the page that shows it: `python -m contracts.asyncapi` writes both.

Made from the models that validate at run time and from the table of who listens; a test holds the committed files to
them. The page is for people, the document for tools.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.base import SERVICES, Event, load
from contracts.subscriptions import SUBSCRIPTIONS

DOCUMENT: Final = Path(__file__).parents[2] / "asyncapi.json"
INTRODUCTION: Final = (
    "The facts that Bidwright's services tell each other, over NATS JetStream. CloudEvents 1.0 in the message's"
    " headers, the body is JSON. At least once, with an id to drop repeats by; in order for each aggregate, by"
    " `version`. A field may be added; a removed or changed one makes a `.v2` beside the `.v1`."
)
_HEADERS: Final = {
    "ce-specversion": "Always 1.0.",
    "ce-id": "The event's own id, a UUIDv7; repeats are dropped by it.",
    "ce-type": "Which event, and which version of its schema.",
    "ce-source": "The service.",
    "ce-subject": "The aggregate's id.",
    "ce-time": "When it happened, ISO 8601 in UTC.",
    "ce-dataschema": "The name of the body's schema.",
    "content-type": "Always application/json.",
    "Nats-Msg-Id": "The same as ce-id: the stream drops what comes twice within two minutes.",
    "traceparent": "W3C trace context of what caused it; absent where nothing is traced.",
}
_OPTIONAL: Final = {"traceparent"}
_ID: Final = "01920000-0000-7000-8000-00000000000a"


def listeners(event: type[Event]) -> list[str]:
    """The services whose durable consumer receives the event."""
    entity = f"{event.META.service}.{event.META.entity}"
    return [service for service in SERVICES if entity in SUBSCRIPTIONS.get(service, ())]


def catalogue() -> list[type[Event]]:
    """Every event, by service as `SERVICES` has them, then by type."""
    return sorted(load().values(), key=lambda event: (SERVICES.index(event.META.service), event.META.type))


def document() -> dict[str, Any]:
    """The whole AsyncAPI document."""
    events = catalogue()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:bidwright:events",
        "info": {"title": "Bidwright's events", "version": "1.0.0", "description": INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "nats:4222",
                "protocol": "nats",
                "description": "As compose.yaml and k8s/ name it. Each service is a user of its own, who may publish"
                " its own subjects alone.",
                "security": [{"$ref": "#/components/securitySchemes/service"}],
            }
        },
        "channels": {**{_key(event): _channel(event) for event in events}, "jobs": _jobs_channel()},
        "operations": _operations(events),
        "components": {
            "securitySchemes": {"service": {"type": "userPassword"}},
            "messages": {**{event.META.type: _message(event) for event in events}, "job": _job_message()},
            "schemas": {**_schemas(events), "cloudevents": _headers_schema()},
        },
    }


def render() -> str:
    """The document's text."""
    return json.dumps(document(), indent=2) + "\n"


def _key(event: type[Event]) -> str:
    meta = event.META
    return f"{meta.service}.{meta.entity}.{meta.fact}" + (f".v{meta.version}" if meta.version > 1 else "")


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": event.META.subject,
        "description": doc(event),
        "messages": {event.META.type: {"$ref": f"#/components/messages/{event.META.type}"}},
    }


def _jobs_channel() -> dict[str, Any]:
    return {
        "address": "jobs.{service}.{kind}",
        "description": "Wakes a worker of the service that sent it. The job is a row in that service's own table.",
        "parameters": {
            "service": {"description": "Whose work it is.", "enum": list(SERVICES)},
            "kind": {"description": "What is to be done, as each service names it."},
        },
        "messages": {"job": {"$ref": "#/components/messages/job"}},
    }


def _operations(events: list[type[Event]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for event in events:
        key = _key(event)
        channel = {"$ref": f"#/channels/{key}"}
        made[f"{event.META.service}.sends.{key}"] = {"action": "send", "channel": channel}
        for service in listeners(event):
            made[f"{service}.receives.{key}"] = {"action": "receive", "channel": channel}
    return made


def _message(event: type[Event]) -> dict[str, Any]:
    meta = event.META
    example_headers = {
        "ce-specversion": "1.0",
        "ce-id": _ID,
        "ce-type": meta.type,
        "ce-source": f"/bidwright/{meta.service}",
        "ce-subject": str(event.EXAMPLE[meta.aggregate]),
        "ce-time": "2026-11-02T09:00:05+00:00",
        "ce-dataschema": f"urn:bidwright:schema:{meta.type}",
        "content-type": "application/json",
        "Nats-Msg-Id": _ID,
    }
    return {
        "name": meta.type,
        "title": f"{meta.entity} {meta.fact.replace('_', ' ')}",
        "summary": doc(event),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/cloudevents"},
        "payload": {"$ref": f"#/components/schemas/{meta.type}"},
        "examples": [{"headers": example_headers, "payload": event.EXAMPLE}],
    }


def _job_message() -> dict[str, Any]:
    return {
        "name": "job",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "required": ["job_id"],
            "properties": {"job_id": {"type": "string", "format": "uuid", "description": "The row's id, no more."}},
        },
        "examples": [{"payload": {"job_id": _ID}}],
    }


def _headers_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name in _HEADERS if name not in _OPTIONAL],
        "properties": {name: {"type": "string", "description": text} for name, text in _HEADERS.items()},
    }


def _schemas(events: list[type[Event]]) -> dict[str, Any]:
    """The bodies by their event's type, and what they are made of by its class's name."""
    by_event, definitions = models_json_schema(
        [(event, "validation") for event in events], ref_template="#/components/schemas/{model}"
    )
    # Classes of one name in several modules get a longer one; the type says which is meant.
    names = {by_event[event, "validation"]["$ref"].rpartition("/")[2]: event for event in events}
    made: dict[str, Any] = {}
    for name, schema in definitions["$defs"].items():
        event = names.get(name)
        made[event.META.type if event else name] = _described(schema, event or _parts()[name])
    return made


def _described(schema: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    texts = field_docs(model)
    properties = {
        name: {**shape, "description": texts[name]} if name in texts and "description" not in shape else shape
        for name, shape in schema["properties"].items()
    }
    return {**schema, "title": model.__name__, "description": doc(model), "properties": properties}


def _parts() -> dict[str, type[BaseModel]]:
    """The models within events, by name."""
    modules = [sys.modules[f"contracts.{service}"] for service in SERVICES]
    found = [value for module in modules for value in vars(module).values()]
    return {one.__name__: one for one in found if isinstance(one, type) and issubclass(one, BaseModel)}


def doc(model: type[BaseModel]) -> str:
    """What the model is, in a line or two."""
    return " ".join((inspect.getdoc(model) or "").partition("\n\n")[0].split())


@cache
def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """The text under each field. Read from the source here: a service that starts need not know it."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not one.__module__.startswith("contracts."):
            continue
        (body,) = [
            node.body
            for node in ast.parse(inspect.getsource(sys.modules[one.__module__])).body
            if isinstance(node, ast.ClassDef) and node.name == one.__name__
        ]
        for field, text in pairwise(body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return found


def main() -> None:
    """Writes the document, and the page beside the other documentation."""
    from contracts import asyncapi_page

    DOCUMENT.write_text(render())
    asyncapi_page.PAGE.write_text(asyncapi_page.render(document()))


if __name__ == "__main__":
    main()
