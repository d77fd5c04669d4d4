"""What a panel asks, and how it is drawn: one place that knows Grafana's SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, DataSourceRef

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${source}")
COLUMNS: Final = 24
WIDTH: Final = 8
HEIGHT: Final = 7
STAT_HEIGHT: Final = 4


@dataclass(frozen=True)
class Panel:
    """Queries, each with its legend. `rare` says why a healthy demo has nothing to show; without it, it must have."""

    title: str
    unit: str
    queries: Mapping[str, str]
    says: str = ""
    rare: str = ""
    stat: bool = False


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """A dashboard."""

    name: str
    title: str
    says: str
    rows: Sequence[Row]

    def panels(self) -> list[Panel]:
        """All of them."""
        return [panel for row in self.rows for panel in row.panels]


def _drawn(panel: Panel) -> Stat | Timeseries:
    drawn: Stat | Timeseries
    if panel.stat:
        drawn = Stat().height(STAT_HEIGHT).span(COLUMNS // 6)
    else:
        legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
        drawn = Timeseries().height(HEIGHT).span(WIDTH).min(0).fill_opacity(10).legend(legend.show_legend(True))
    drawn = drawn.title(panel.title).unit(panel.unit).datasource(SOURCE).description(panel.says)
    for number, (legend_format, expression) in enumerate(panel.queries.items()):
        query = Dataquery().expr(expression).legend_format(legend_format).ref_id(chr(ord("A") + number))
        drawn = drawn.with_target(query.instant() if panel.stat else query.range())
    return drawn


def render(board: Board) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    drawn = (
        grafana.Dashboard(board.title)
        .uid(f"bidwright-{board.name}")
        .description(board.says)
        .tags(["bidwright", "generated"])
        .readonly()
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(grafana.DatasourceVariable("source").label("Source").type("prometheus"))
        .link(
            grafana.DashboardLink("Bidwright").type(DashboardLinkType.DASHBOARDS).tags(["bidwright"]).as_dropdown(True)
        )
    )
    for row in board.rows:
        drawn = drawn.with_row(grafana.Row(row.title))
        for panel in row.panels:
            drawn = drawn.with_panel(_drawn(panel))
    document: dict[str, Any] = json.loads(JSONEncoder(sort_keys=True).encode(drawn.build()))
    return document
