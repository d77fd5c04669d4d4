"""What is committed is what `python -m observability` writes."""

from __future__ import annotations

import json
import re

import pytest

from observability import dashboards, files, matrix, panels
from observability.__main__ import main

SERIES = {name for row in matrix.metrics() for name in row.series}
OURS = re.compile(r"\b(?:bidwright|gateway)_[a-z_]+|\bhttp_server_[a-z_]+|\bdb_client_connection_(?:count|max)\b")


def test_every_file_is_as_it_would_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_a_changed_file_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path, text = next(iter(files.generated().items()))
    monkeypatch.setattr(files, "generated", lambda: {path: text + "# by hand\n"})
    monkeypatch.setattr(files, "left_over", list)
    assert main(["--check"]) == 1
    assert str(path) in capsys.readouterr().out


class TestDashboards:
    @pytest.mark.parametrize("board", dashboards.plans(), ids=lambda board: board.name)
    def test_ask_only_for_metrics_that_there_are(self, board: panels.Board) -> None:
        for panel in board.panels():
            for expression in panel.queries.values():
                assert set(OURS.findall(expression)) <= SERIES, panel.title

    def test_there_is_one_for_each_service_and_one_for_the_whole(self) -> None:
        assert [board.name for board in dashboards.plans()] == ["overview", *matrix.SERVICES]

    @pytest.mark.parametrize("name", ["overview", *matrix.SERVICES])
    def test_are_what_grafana_reads(self, name: str) -> None:
        board = json.loads((matrix.FOLDER / "grafana" / "dashboards" / f"{name}.json").read_text())
        drawn = [panel for panel in board["panels"] if panel["type"] != "row"]
        assert board["uid"] == f"bidwright-{name}"
        for panel in drawn:
            assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= panels.COLUMNS
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in drawn}
        assert len(places) == len(drawn)
