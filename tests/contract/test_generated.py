"""Whatever a client makes of the API document: generated requests, right and wrong ones, to every operation.

The same few examples each time; `GENERATED_EXAMPLES=200 .venv/bin/pytest tests/contract/test_generated.py` makes that
many for each operation, and others with each run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary

from devstack.person import Person
from devstack.running import RunningStack, running_stack

from .cast import Cast, arrive, assemble, one_of_everything
from .operations import OPERATIONS, Operation, each

pytestmark = pytest.mark.e2e

MORE = int(os.environ.get("GENERATED_EXAMPLES", "0"))
EXAMPLES, EXAMPLES_WITH_BODY = 5, 12
ANSWER_SECONDS = 30.0
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(
    "application/offset+octet-stream", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
)
def as_it_is(_context: Any, value: Any) -> Any:
    """A body that is a file or a piece of one."""
    return serialize_binary(value)


ENDS_WHAT_THE_OTHERS_NEED = {
    ("POST", "/api/auth/logout"),
    ("DELETE", "/api/auth/sessions/{session_id}"),
    ("DELETE", "/api/auth/sessions"),
    ("DELETE", "/api/me"),
    ("PATCH", "/api/me"),
    ("POST", "/api/auth/password/reset"),
    ("DELETE", "/api/orgs/{org_id}"),
    ("POST", "/api/orgs/{org_id}/transfer"),
    ("DELETE", "/api/orgs/{org_id}/members/{user_id}"),
}
"""Asked by someone who has nothing to lose."""

TAKES_AWAY = {"POST /api/billing/cancel", "POST /api/billing/checkout", "PATCH /api/billing/seats"}
DELETING = [operation for operation in OPERATIONS if operation.method == "DELETE"]
IN_ORDER = (
    *sorted((one for one in OPERATIONS if one not in DELETING), key=lambda operation: str(operation) in TAKES_AWAY),
    *sorted(DELETING, key=lambda operation: operation.path, reverse=True),
)
"""What takes away comes last, and of that the parts before the whole, so that there is something to ask about."""

LIMITS = [
    *(f"API_RATE_PER_MIN_{tier}=1000000" for tier in ("ANON", "FREE", "PRO", "ENTERPRISE")),
    *(f"AI_RATE_PER_MIN_{tier}=1000000" for tier in ("PRO", "ENTERPRISE")),
    "LOGIN_RATE_PER_MIN=1000000",
    "EXPORT_WAIT_SECONDS=0.2",  # for a revision that is made up and never comes
    "LOGIN_RATE_PER_MIN_ADDRESS=1000000",
]


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """One of our own, without limits: what is asked for here is more than any person asks."""
    with running_stack(pytestconfig.rootpath, *LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def cast(stack: RunningStack) -> Cast:
    return assemble(stack)


@pytest.fixture(scope="module")
def ids(cast: Cast) -> dict[str, str]:
    return one_of_everything(cast.owner)


@pytest.fixture(scope="module")
def document(stack: RunningStack) -> dict[str, Any]:
    """The one that the stack serves, once every service's part is in it."""
    deadline = time.monotonic() + 15
    while True:
        served: dict[str, Any] = requests.get(f"{stack.base_url}/api/openapi.json", timeout=ANSWER_SECONDS).json()
        if {operation.path for operation in OPERATIONS} <= set(served["paths"]):
            return served
        assert time.monotonic() < deadline, {operation.path for operation in OPERATIONS} - set(served["paths"])
        time.sleep(0.2)


@pytest.fixture(scope="module")
def schema(document: dict[str, Any]) -> Any:
    config = schemathesis.Config()
    config.projects.default.generation.update(with_security_parameters=False)
    return schemathesis.openapi.from_dict(document, config=config)


def as_caller(person: Person) -> dict[str, Any]:
    """How a request says whose it is, and that it comes from our own page."""
    org = {"X-Org-ID": person.org_id} if person.org_id else {}
    return {"headers": {"Origin": person.base_url, **org}, "cookies": dict(person.http.cookies)}


@each(IN_ORDER)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_it_answers_as_the_document_says(
    stack: RunningStack, cast: Cast, ids: dict[str, str], schema: Any, operation: Operation, mode: GenerationMode
) -> None:
    strategy = schema[operation.path][operation.method].as_strategy(generation_mode=mode)
    harmful = (operation.method, operation.path) in ENDS_WHAT_THE_OTHERS_NEED
    person = arrive(stack, "generated") if harmful else cast.owner

    @settings(
        max_examples=MORE or (EXAMPLES_WITH_BODY if operation.takes_json else EXAMPLES),
        derandomize=not MORE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            name_real_things(case, {} if harmful else ids)
        else:
            assume(not space_around(case))
        # Envoy refuses a backslash in a path before it gives the request an id.
        assume("\\" not in unquote(case.formatted_path))
        caller = as_caller(person)
        answer = case.call(base_url=stack.base_url, timeout=ANSWER_SECONDS, session=requests.Session(), **caller)
        # A body that is too large for the edge is refused before anyone looks for what else is wrong with it.
        is_judged = mode is GenerationMode.NEGATIVE and answer.status_code != 413
        checks = [*CHECKS, negative_data_rejection] if is_judged else CHECKS
        case.validate_response(answer, checks=checks)
        if answer.status_code >= 400 and case.method != "HEAD":
            assert_refusal(answer)

    try:
        ask()
    except Unsatisfiable:
        pytest.skip("it takes nothing that could be wrong")


def name_real_things(case: schemathesis.Case[Any], ids: dict[str, str]) -> None:
    """Most ids that are made up lead nowhere; with those of real things a request gets further."""
    for name in case.path_parameters:
        if name in ids:
            case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in set(case.body) & set(ids):
            case.body[name] = ids[name]
        if "email" in case.body:
            case.body["email"] = f"{uuid4().hex}@example.com"


def space_around(case: schemathesis.Case[Any]) -> bool:
    """The length of a name or a title is that without the space around it, which a JSON schema cannot say."""
    texts = [value for value in case.body.values() if isinstance(value, str)] if isinstance(case.body, dict) else []
    return any(text != text.strip() for text in texts)


def assert_refusal(answer: schemathesis.Response) -> None:
    """It has the contract's form, with a code and a request id."""
    body = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "instance", "error", "request_id"} <= set(body), body
    assert body["status"] == answer.status_code, body
    assert body["type"] == f"urn:bidwright:error:{body['error']}", body
    assert answer.headers["x-request-id"] == [body["request_id"]], body
