"""Several OpenAPI documents made one: every service's paths, each refusal a problem, no name twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Document = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_REF: Final = "#/components/schemas/"

PROBLEM_SCHEMA: Final[Document] = {
    "title": "Problem",
    "description": "A refusal (RFC 9457). `error` is stable; show `detail` to people.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "error"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "error": {"type": "string"},
        "reason": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "additionalProperties": True,
}
_PROBLEM_RESPONSE: Final[Document] = {
    "description": "A refusal",
    "content": {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}},
}


def merge(documents: Mapping[str, Document], *, server: str = "") -> Document:
    """One document of all services'. Where two schemas share a name but not their content, the later one in the order
    of the services' names is called `<Service><Name>`.

    Args:
        documents: by service.
        server: the public address; without it the document's own host is meant.
    """
    paths: Document = {}
    schemas: Document = {"Problem": PROBLEM_SCHEMA}
    for service in sorted(documents):
        document = _renamed(documents[service], service, schemas)
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if name not in ("HTTPValidationError", "ValidationError"):
                schemas[name] = schema
        for path, item in document.get("paths", {}).items():
            if path.startswith("/api/"):
                paths[path] = {method: _operation(operation) for method, operation in item.items() if method in METHODS}
    merged: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Bidwright",
            "version": "1",
            "description": "Write grant and tender proposals, from the call to a file whose bytes anyone can verify.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "bidwright"},
                "api_key": {"type": "http", "scheme": "bearer", "description": "`bw_...`, made under Keys"},
            },
        },
        "security": [{"session": []}, {"api_key": []}],
    }
    if server:
        merged["servers"] = [{"url": server}]
    return merged


def _operation(operation: Document) -> Document:
    responses = dict(operation.get("responses", {}))
    validation = responses.get("422", {})
    if f"{_REF}HTTPValidationError" in json.dumps(validation):
        del responses["422"]
    responses.setdefault("default", _PROBLEM_RESPONSE)
    return operation | {"responses": responses}


def _renamed(document: Document, service: str, taken: Document) -> Document:
    own = document.get("components", {}).get("schemas", {})
    clashes = {name for name in own if name in taken and own[name] != taken[name]}
    if not clashes:
        return document
    text = json.dumps(document)
    for name in clashes:
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}{service.capitalize()}{name}"')
    renamed: Document = json.loads(text)
    schemas = renamed["components"]["schemas"]
    for name in clashes:
        schemas[f"{service.capitalize()}{name}"] = schemas.pop(name)
    return renamed


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Method, path and operation, in the order of the document."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]
