"""The AsyncAPI document and its page are what the models and the table of listeners say, and are valid AsyncAPI 3.

`asyncapi-3.0.0.schema.json` is the specification's own schema, of the npm package @asyncapi/specs 6.11.1 (Apache-2.0)
by the AsyncAPI Initiative.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import asyncapi, asyncapi_page
from contracts.subscriptions import SUBSCRIPTIONS

SPECIFICATION = jsonschema.Draft7Validator(
    json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())
)
DOCUMENT = asyncapi.document()
MADE_BY = "run: python -m contracts.asyncapi"


def errors(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SPECIFICATION.iter_errors(document)]


def resolved(node: Any) -> Any:
    """Every `$ref` within the document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from resolved(value)
    elif isinstance(node, list):
        for value in node:
            yield from resolved(value)


def at(ref: str) -> Any:
    found: Any = DOCUMENT
    for word in ref.removeprefix("#/").split("/"):
        found = found[word]
    return found


class TestTheDocument:
    def test_is_the_committed_one_byte_for_byte(self) -> None:
        assert asyncapi.render().encode() == asyncapi.DOCUMENT.read_bytes(), MADE_BY

    def test_is_asyncapi_3(self) -> None:
        assert errors(DOCUMENT) == []

    @pytest.mark.parametrize("path", ["asyncapi", "info/title", "channels/jobs/address", "operations"])
    def test_the_specification_finds_what_is_wrong(self, path: str) -> None:
        broken = copy.deepcopy(DOCUMENT)
        *above, last = path.split("/")
        node = broken
        for word in above:
            node = node[word]
        node[last] = 7
        assert errors(broken) != []

    def test_every_reference_leads_somewhere(self) -> None:
        for ref in resolved(DOCUMENT):
            assert isinstance(at(ref), dict), ref

    def test_every_example_fits_its_own_schema(self) -> None:
        checker = jsonschema.FormatChecker()
        for name, message in DOCUMENT["components"]["messages"].items():
            for part in ("headers", "payload"):
                schema = {**message.get(part, {}), "components": DOCUMENT["components"]}
                for example in message["examples"]:
                    if part in example:
                        jsonschema.validate(example[part], schema, format_checker=checker)
            assert message["examples"], name

    def test_who_sends_and_who_receives_is_what_is_granted(self) -> None:
        received = {name for name, one in DOCUMENT["operations"].items() if one["action"] == "receive"}
        facts = {key for key in DOCUMENT["channels"] if key != "jobs"}
        assert received == {
            f"{service}.receives.{key}"
            for service, entities in SUBSCRIPTIONS.items()
            for key in facts
            if key.rpartition(".")[0] in entities
        }
        sent = {name for name, one in DOCUMENT["operations"].items() if one["action"] == "send"}
        assert sent == {f"{key.partition('.')[0]}.sends.{key}" for key in facts}

    def test_every_event_and_part_says_what_it_is(self) -> None:
        for name, schema in DOCUMENT["components"]["schemas"].items():
            if name != "cloudevents":
                assert len(schema["description"]) > 10, name
        limits = DOCUMENT["components"]["schemas"]["Limits"]["properties"]
        assert limits["active_cap"]["description"] == "Proposals ever made (free)."


class TestThePage:
    def test_is_the_committed_one_byte_for_byte(self) -> None:
        assert asyncapi_page.render(DOCUMENT).encode() == asyncapi_page.PAGE.read_bytes(), MADE_BY

    def test_shows_every_event_with_its_listeners(self) -> None:
        page = asyncapi_page.PAGE.read_text()
        for event in asyncapi.catalogue():
            key = f"{event.META.service}.{event.META.entity}.{event.META.fact}"
            assert f"\n## {key}\n" in page
            assert f"`{event.META.subject}`" in page
            (row,) = [line for line in page.splitlines() if line.startswith(f"| [{key}]")]
            assert row.split("|")[2].strip() == (", ".join(asyncapi.listeners(event)) or "nobody yet")
