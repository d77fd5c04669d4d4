"""The rules file for Prometheus, and promtool's unit tests for each alert in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from observability import burn, matrix
from observability.burn import FAST, SLOW, Burn, Journey

RUNBOOK: Final = "docs/runbook"
_STEP: Final = "15s"


def files() -> dict[str, dict[str, Any]]:
    """Every recording rule and every alert, by the file that holds them."""
    journeys = burn.journeys()
    symptoms = [_symptom(row) for row in matrix.load("alerts.yaml")["alerts"]]
    burning = [_burning(journey, *tier) for journey in journeys for tier in _TIERS]
    return {
        "journeys": {
            "groups": [
                *(burn.recording_group(journey) for journey in journeys),
                {"name": "journeys", "interval": "30s", "rules": burning},
            ]
        },
        "symptoms": {"groups": [{"name": "symptoms", "interval": "15s", "rules": symptoms}]},
    }


def groups() -> list[dict[str, Any]]:
    """The groups of all files."""
    return [group for file in files().values() for group in file["groups"]]


def alerts() -> list[dict[str, Any]]:
    """The alerts among the rules."""
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def page_of(alert: Mapping[str, Any]) -> str:
    """The stem of its page in the runbook."""
    return str(alert["annotations"]["runbook_url"]).rpartition("/")[2].removesuffix(".md")


_TIERS: Final[tuple[tuple[str, str, str, tuple[Burn, ...]], ...]] = (
    ("BudgetBurnsFast", "page", "2m", FAST),
    ("BudgetBurns", "ticket", "15m", SLOW),
)


def _burning(journey: Journey, suffix: str, severity: str, wait: str, burns: tuple[Burn, ...]) -> dict[str, Any]:
    pace = "in days" if severity == "page" else "before the month ends"
    return {
        "alert": f"{journey.alert}{suffix}",
        "expr": burn.expression(journey, burns),
        "for": wait,
        "labels": {"severity": severity, "journey": journey.name},
        "annotations": {
            "summary": f"{journey.title}: at this pace the budget of errors is gone {pace}.",
            "description": f"{journey.says} ({journey.objective * 100:g} % in 30 days).",
            "runbook_url": f"{RUNBOOK}/{journey.page}.md",
        },
    }


def _symptom(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "alert": row["name"],
        "expr": row["expr"],
        "for": row["for"],
        "labels": {"severity": row["severity"]},
        "annotations": {"summary": row["summary"], "runbook_url": f"{RUNBOOK}/{row['page']}.md"},
    }


def unit_tests() -> dict[str, dict[str, Any]]:
    """For each alert series on which it fires, and series on which it is silent; by the file whose alerts they are."""
    by_name = {rule["alert"]: rule for rule in alerts()}
    symptoms = [
        _test(by_name[row["name"]], row[case], fires=case == "fires")
        for row in matrix.load("alerts.yaml")["alerts"]
        for case in ("fires", "silent")
    ]
    journeys: list[dict[str, Any]] = []
    for journey in burn.journeys():
        fast, slow = (by_name[f"{journey.alert}{suffix}"] for suffix, *_ in _TIERS)
        budget = journey.budget * 100
        journeys += [
            # Every second event is bad.
            _test(fast, _traffic(journey, bad=100, good=100), fires=True),
            # Bad, but not so that anybody need wake up.
            _test(fast, _traffic(journey, bad=budget * 4, good=100), fires=False),
            _test(slow, _traffic(journey, bad=budget * 4, good=100), fires=True),
            _test(slow, _traffic(journey, bad=budget * 0.5, good=100), fires=False),
            # Half of next to nothing is bad: too little to say.
            _test(fast, _traffic(journey, bad=0.002, good=0.002), fires=False),
        ]
    return {
        "journeys": {"rule_files": ["journeys.yaml"], "evaluation_interval": "4m", "tests": journeys},
        "symptoms": {"rule_files": ["symptoms.yaml"], "evaluation_interval": _STEP, "tests": symptoms},
    }


def _traffic(journey: Journey, *, bad: float, good: float) -> dict[str, Any]:
    """`bad` and `good` events a minute, for as long as the longest of the short windows needs."""
    bad_name, good_name = journey.sample["all"], journey.sample["good"]
    series = {bad_name: f"0+{bad:g}x160", good_name: f"0+{good:g}x160"}
    if "_bucket{" in good_name:  # a histogram's own count has the good ones too
        counted = re.sub(r',?le="[^"]*"', "", good_name.replace("_bucket{", "_count{"))
        other = counted if counted != bad_name else None
        if other:
            series[other] = f"0+{good:g}x160"
        else:
            series[bad_name] = f"0+{bad + good:g}x160"
    return {"at": "2h32m", "series": series, "labels": {}, "interval": "1m"}


def _test(alert: Mapping[str, Any], case: Mapping[str, Any], *, fires: bool) -> dict[str, Any]:
    labels = {**alert["labels"], **case.get("labels", {})}
    annotations = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: str(labels[found[1]]), text)
        for name, text in alert["annotations"].items()
    } if fires else {}  # fmt: skip
    expected = [{"exp_labels": labels, "exp_annotations": annotations}] if fires else []
    return {
        "interval": case.get("interval", _STEP),
        "input_series": [{"series": name, "values": values} for name, values in case["series"].items()],
        "alert_rule_test": [{"eval_time": case["at"], "alertname": alert["alert"], "exp_alerts": expected}],
    }


def kubernetes() -> dict[str, Any]:
    """The same rules for the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "bidwright"},
        "spec": {"groups": groups()},
    }
