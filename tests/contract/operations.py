"""The operations of the committed API document, as test parameters, and what the tests say about them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.routes import match_route

ROOT = Path(__file__).parents[2]
DOCUMENT_FILE = ROOT / "web" / "openapi.json"
"""What the web client is generated from; `test_document.py` holds it to the running services."""

METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"

PUBLIC = frozenset(
    {
        ("POST", "/api/auth/register"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/email/verify"),
        ("POST", "/api/auth/password/forgot"),
        ("POST", "/api/auth/password/reset"),
        ("GET", "/api/auth/providers"),
        ("GET", "/api/auth/oauth/{provider}/start"),
        ("GET", "/api/auth/oauth/{provider}/callback"),
        ("POST", "/api/auth/passkeys/sign-in/options"),
        ("POST", "/api/auth/passkeys/sign-in"),
        ("GET", "/api/invites/{token}"),
        ("POST", "/api/stripe/webhook"),
    }
)
"""Open to anyone; every other operation is not."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    spec: dict[str, Any]
    schemas: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def service(self) -> str:
        """Who answers it."""
        route = match_route(self.path)
        assert route is not None, f"{self.path} is documented but not routed"
        return route.service

    @property
    def is_public(self) -> bool:
        return (self.method, self.path) in PUBLIC

    @property
    def ids(self) -> list[str]:
        """The parameters of its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def query(self) -> dict[str, dict[str, Any]]:
        """Its query parameters by name."""
        return {item["name"]: item for item in self.spec.get("parameters", []) if item["in"] == "query"}

    @property
    def takes_json(self) -> bool:
        return JSON in self.spec.get("requestBody", {}).get("content", {})

    @property
    def takes_only_json(self) -> bool:
        return list(self.spec.get("requestBody", {}).get("content", {})) == [JSON]

    @property
    def body_required(self) -> bool:
        """Whether its JSON body must be there."""
        return bool(self.spec.get("requestBody", {}).get("required"))

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields of its JSON body."""
        return dict(self._body_schema().get("properties", {}))

    @property
    def required_fields(self) -> list[str]:
        return list(self._body_schema().get("required", []))

    @property
    def answer_fields(self) -> set[str]:
        """The fields of the body of its 200."""
        content = self.spec["responses"].get("200", {}).get("content", {})
        return set(self._resolve(content.get(JSON, {}).get("schema", {})).get("properties", {}))

    def url(self, ids: Mapping[str, str] | None = None) -> str:
        """Its path with these ids; a random one for each that is not given."""
        return re.sub(r"\{(\w+)\}", lambda found: (ids or {}).get(found[1], str(uuid4())), self.path)

    def _body_schema(self) -> dict[str, Any]:
        return self._resolve(self.spec.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {}))

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return self._resolve(self.schemas[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self._resolve(schema["anyOf"][0])
        return schema


def _read() -> Iterator[Operation]:
    document = json.loads(DOCUMENT_FILE.read_text())
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method], document["components"]["schemas"])


OPERATIONS = tuple(_read())
JSON_BODIES = tuple(operation for operation in OPERATIONS if operation.takes_json)
LISTS = tuple(operation for operation in OPERATIONS if operation.method == "GET" and "items" in operation.answer_fields)
PAGED = tuple(operation for operation in LISTS if "cursor" in operation.query)


def each(operations: tuple[Operation, ...]) -> pytest.MarkDecorator:
    """A test for each operation, named by it."""
    return pytest.mark.parametrize("operation", operations, ids=str)
