"""The signal matrix says what the code has: no metric of ours is missing from it, and none has other labels."""

from __future__ import annotations

import importlib
import inspect

import prometheus_client
import pytest
from prometheus_client import Counter, Gauge, Histogram

from observability import matrix
from observability.matrix import SERVICES, WORKERS, Metric

MODULES = ("common.metrics", "common.plumbing_metrics", *(f"{service}.telemetry" for service in SERVICES))
FORBIDDEN = {"path", "url", "email", "org", "org_id", "user", "user_id", "title", "text", "file_name", "detail"}


def declared() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Name, type and labels of every metric in the code."""
    kinds = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
    found = {}
    for name in MODULES:
        for _, value in inspect.getmembers(importlib.import_module(name)):
            if type(value) in kinds:
                found[value._name] = (kinds[type(value)], tuple(value._labelnames), value._documentation)
    return found


ROWS = {row.name: row for row in matrix.metrics()}


class TestTheMatrix:
    def test_has_every_metric_of_the_code_and_no_other(self) -> None:
        collected = {"db_client_connection_count", "db_client_connection_max"}
        assert set(ROWS) == set(declared()) | collected

    @pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
    def test_says_its_type_and_its_labels(self, row: Metric) -> None:
        if row.name in declared():
            kind, labels, _ = declared()[row.name]
            assert (row.type, row.labels) == (kind, labels)

    def test_names_each_metric_once_and_processes_that_there_are(self) -> None:
        assert len(ROWS) == len(matrix.metrics())
        for row in ROWS.values():
            assert row.processes
            assert set(row.processes) <= {*SERVICES, *WORKERS}

    def test_no_label_is_of_the_kind_that_takes_any_value(self) -> None:
        for row in ROWS.values():
            assert not FORBIDDEN & set(row.labels), row.name

    def test_durations_are_in_seconds(self) -> None:
        for row in ROWS.values():
            assert (row.unit == "s") == row.name.endswith("_seconds"), row.name

    def test_the_library_makes_the_series_that_the_matrix_expects(self) -> None:
        text = prometheus_client.generate_latest().decode()
        for name in declared():
            assert f"# HELP {ROWS[name].series[0].removesuffix('_bucket')} " in text
