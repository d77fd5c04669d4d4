"""What a consumer may count on: every event has an example that it accepts, and no schema changes unseen."""

from __future__ import annotations

import json

import pytest

from contracts import SERVICES, Event, load
from contracts.routes import ROUTES, match_route
from contracts.snapshots import FOLDER, breaking_changes, render, schema_of
from contracts.subscriptions import SUBSCRIPTIONS

EVENTS = sorted(load().values(), key=lambda event: event.META.type)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.META.type)
class TestEveryEvent:
    def test_its_example_is_valid_and_survives_the_wire(self, event: type[Event]) -> None:
        made = event.model_validate(event.EXAMPLE)
        assert event.model_validate_json(made.model_dump_json()) == made

    def test_its_name_is_the_catalogues(self, event: type[Event]) -> None:
        assert event.META.service in SERVICES
        assert event.META.subject == f"events.{event.META.service}.{event.META.entity}.{event.META.fact}"

    def test_an_unknown_field_of_a_newer_producer_is_ignored(self, event: type[Event]) -> None:
        event.model_validate({**event.EXAMPLE, "added_later": 1})

    def test_its_schema_is_the_committed_one(self, event: type[Event]) -> None:
        assert (FOLDER / f"{event.META.type}.json").read_text() == render(event), "run: python -m contracts.snapshots"


class TestBreakingChanges:
    def test_a_removed_a_changed_and_an_unpromised_field_are_found(self) -> None:
        old = schema_of(EVENTS[0])
        new = json.loads(json.dumps(old))
        del new["properties"]["org_id"]
        new["properties"]["version"] = {"type": "string"}
        new["required"] = []
        assert len(breaking_changes(old, new)) == 2 + len(old["required"])

    def test_an_added_field_is_fine(self) -> None:
        old = schema_of(EVENTS[0])
        new = json.loads(json.dumps(old))
        new["properties"]["added"] = {"type": "string"}
        assert breaking_changes(old, new) == []


class TestSubscriptions:
    def test_every_entity_that_someone_listens_to_is_published(self) -> None:
        published = {f"{event.META.service}.{event.META.entity}" for event in EVENTS}
        assert {entity for entities in SUBSCRIPTIONS.values() for entity in entities} <= published


class TestMatchRoute:
    @pytest.mark.parametrize(
        ("path", "service"),
        [
            ("/api/usage", "billing"),
            ("/api/stripe/webhook", "billing"),
            ("/api/proposals/1/sections", "ai"),
            ("/api/uploads", "uploads"),
            ("/api/exports/1/file", "exports"),
            ("/api/me", "gateway"),
        ],
    )
    def test_a_path_belongs_to_one_service(self, path: str, service: str) -> None:
        route = match_route(path)
        assert route is not None
        assert route.service == service

    @pytest.mark.parametrize("path", ["/", "/api", "/api/usagex", "/api/us", "/app"])
    def test_a_prefix_ends_at_a_slash(self, path: str) -> None:
        assert match_route(path) is None

    def test_no_route_hides_a_later_one(self) -> None:
        for index, route in enumerate(ROUTES):
            assert match_route(route.prefix) == route, index
