"""The dashboards: one for the whole, one for each service. Rate, errors, duration; saturation; queues; business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from observability import burn, matrix
from observability.burn import Journey
from observability.matrix import SERVICES
from observability.panels import Board, Panel, Row, render


def plans() -> tuple[Board, ...]:
    """Every dashboard, as what it asks."""
    written = matrix.load("dashboards.yaml")
    overview = Board(
        "overview",
        "Bidwright",
        "The whole: journeys, edge, services, queues.",
        [
            Row("Journeys", [_journey(one) for one in burn.journeys()]),
            *(Row(row["row"], [_panel(one) for one in row["panels"]]) for row in written["overview"]),
        ],
    )
    return (overview, *(_service(service, written) for service in SERVICES))


def boards() -> dict[str, dict[str, Any]]:
    """Every dashboard, as Grafana reads it."""
    return {board.name: render(board) for board in plans()}


def _service(service: str, written: Mapping[str, Any]) -> Board:
    rows = [
        Row(row["row"], [_panel(panel, service) for panel in row["panels"]]) for row in written["every_service"]
    ]  # fmt: skip
    business = Row("Business", [_panel(panel) for panel in written["business"][service]])
    says = f"The service {service} and its worker."
    return Board(service, f"Bidwright: {service}", says, [*rows, business])


def _panel(written: Mapping[str, Any], service: str = "") -> Panel:
    return Panel(
        written["title"],
        written["unit"],
        {legend: query.replace("SERVICE", service) for legend, query in written["queries"].items()},
        says=written.get("says", ""),
        rare=written.get("rare") or written.get("rare_in", {}).get(service, ""),
        stat=written.get("stat", False),
    )


def _journey(journey: Journey) -> Panel:
    bad = f"(({journey.all}) - (({journey.good}) or vector(0)))"
    return Panel(
        journey.title,
        "percentunit",
        {"good": f"1 - ({bad} / ({journey.all}))".replace("WINDOW", "$__range")},
        says=f"{journey.says}; {journey.objective * 100:g} % in 30 days",
        stat=True,
    )
