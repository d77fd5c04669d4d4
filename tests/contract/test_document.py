"""The API document and the lists of services: one truth, wherever it is written down."""

from __future__ import annotations

import difflib
import json
import time
from typing import Any

import httpx
import pytest

import contracts
from contracts.routes import ROUTES
from devstack.parts import SERVICES

from .operations import DOCUMENT_FILE, OPERATIONS, Operation, each

REGENERATE = """the API has changed and web/openapi.json has not. With a stack running (./bidwright up):
    cd web && curl -s http://localhost:8080/api/openapi.json | python3 -m json.tool --sort-keys > openapi.json
    npm run generate && npm run typecheck
"""


@pytest.fixture(scope="module")
def running(anonymous: httpx.Client) -> dict[str, Any]:
    """The merged document, once it has every service's part."""
    deadline = time.monotonic() + 15
    while True:
        document: dict[str, Any] = anonymous.get("/api/openapi.json").json()
        if all(any(path.startswith(route.prefix) for path in document["paths"]) for route in _documented_routes()):
            return document
        assert time.monotonic() < deadline, "a service's part of the document is missing"
        time.sleep(0.2)


def _documented_routes() -> list[Any]:
    bare = {"/api/openapi.json", "/api/docs", "/healthz", "/readyz"}
    return [route for route in ROUTES if route.prefix not in bare]


@pytest.mark.e2e
def test_the_web_client_is_made_from_what_runs(running: dict[str, Any]) -> None:
    committed, served = (
        json.dumps(document, indent=1, sort_keys=True).splitlines()
        for document in (json.loads(DOCUMENT_FILE.read_text()), running)
    )
    difference = list(difflib.unified_diff(committed, served, "web/openapi.json", "running", lineterm="", n=1))
    if difference:
        pytest.fail(REGENERATE + "\n".join(difference[:60]), pytrace=False)


@pytest.mark.e2e
def test_every_reference_in_it_leads_somewhere(running: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    known = {f"#/components/schemas/{name}" for name in running["components"]["schemas"]}
    assert references(running["paths"]) | references(running["components"]) <= known


@each(OPERATIONS)
def test_an_operation_says_what_it_does_and_how_it_refuses(operation: Operation) -> None:
    assert operation.spec.get("summary")
    assert operation.spec.get("tags")
    refusal = operation.spec["responses"]["default"]["content"]["application/problem+json"]
    assert refusal["schema"]["$ref"].endswith("/Problem")


def test_operation_ids_are_unique() -> None:
    ids = [operation.spec["operationId"] for operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_the_launcher_starts_the_services_that_the_contracts_name() -> None:
    assert set(SERVICES) == set(contracts.SERVICES)


def test_every_route_leads_to_a_service_and_every_service_has_one() -> None:
    assert {route.service for route in ROUTES} == set(contracts.SERVICES)
