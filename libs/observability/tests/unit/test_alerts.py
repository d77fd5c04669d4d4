"""The rules hold: promtool takes them, each alert fires and is silent when it should, and leads to its page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from observability import burn, matrix, rules

from .test_generated import OURS, SERIES

RULES = matrix.FOLDER / "prometheus"
RUNBOOK = matrix.ROOT / rules.RUNBOOK
ALERTS = rules.alerts()
PAGES = {path.stem for path in RUNBOOK.glob("*.md")} - {"README"}


def promtool(*words: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: Debian's package prometheus has it")
    done = subprocess.run([program, *words], cwd=RULES, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


class TestPromtool:
    def test_takes_the_rules(self) -> None:
        promtool("check", "rules", *(f"{name}.yaml" for name in rules.files()))

    @pytest.mark.parametrize("name", list(rules.files()))
    def test_sees_each_alert_fire_and_be_silent(self, name: str) -> None:
        promtool("test", "rules", f"test_{name}.yaml")

    def test_would_see_an_alert_that_does_not_fire(self, tmp_path: Path) -> None:
        """The tests can fail: with the threshold moved out of reach, they do."""
        text = (RULES / "symptoms.yaml").read_text()
        (tmp_path / "symptoms.yaml").write_text(
            text.replace("(bidwright_dead_letters) > 0", "(bidwright_dead_letters) > 9")
        )
        shutil.copy(RULES / "test_symptoms.yaml", tmp_path)
        with pytest.raises(AssertionError, match="DeadLetters"):
            promtool("test", "rules", str(tmp_path / "test_symptoms.yaml"))


class TestEveryAlert:
    def test_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not(self) -> None:
        fires, silent = set(), set()
        for name in rules.files():
            for test in yaml.safe_load((RULES / f"test_{name}.yaml").read_text())["tests"]:
                for case in test["alert_rule_test"]:
                    (fires if case["exp_alerts"] else silent).add(case["alertname"])
        assert fires == silent == {alert["alert"] for alert in ALERTS}

    @pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
    def test_says_how_bad_it_is_and_which_page_mends_it(self, alert: dict[str, dict[str, str]]) -> None:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert rules.page_of(alert) in PAGES
        assert alert["annotations"]["summary"].endswith(".")

    @pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
    def test_asks_only_for_metrics_that_there_are(self, alert: dict[str, str]) -> None:
        assert set(OURS.findall(alert["expr"])) <= SERIES

    def test_of_a_symptom_is_seen_within_two_minutes(self) -> None:
        """Of those that wake somebody: what has no slower cause (a share of traffic, a certificate, a backup)."""
        slow = {"BackupOld", "EdgeErrors"}
        for row in matrix.load("alerts.yaml")["alerts"]:
            if row["severity"] == "page" and row["name"] not in slow:
                assert row["for"] in ("0s", "30s", "1m"), row["name"]

    def test_has_a_name_of_its_own(self) -> None:
        assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)


class TestTheRunbook:
    def test_has_an_alert_for_each_page_or_says_why_not(self) -> None:
        alerted = {rules.page_of(alert) for alert in ALERTS}
        without = matrix.load("alerts.yaml")["without_alert"]
        assert not alerted & set(without)
        assert alerted | set(without) == PAGES
        assert all(without.values())

    def test_has_an_index_by_alert_that_names_each_with_its_page_and_no_other(self) -> None:
        index = (RUNBOOK / "README.md").read_text()
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| \[([a-z-]+)\]\(\3\.md\) \|", index, re.MULTILINE)
        assert rows == [(alert["alert"], alert["labels"]["severity"], rules.page_of(alert)) for alert in ALERTS]


class TestJourneys:
    def test_are_the_five_that_people_take(self) -> None:
        assert [one.name for one in burn.journeys()] == ["sign-in", "save", "draft", "export", "paid-to-entitled"]

    def test_burn_rates_are_those_of_the_workbook(self) -> None:
        """Of a budget for 30 days: 2 % in 1 h, 5 % in 6 h, 10 % in 1 and in 3 days."""
        hours = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
        spent = [round(one.rate * hours[one.long] / (30 * 24), 3) for one in (*burn.FAST, *burn.SLOW)]
        assert spent == [0.02, 0.05, 0.1, 0.1]
        for one in (*burn.FAST, *burn.SLOW):
            assert burn._SECONDS[one.long] == 12 * burn._SECONDS[one.short]

    def test_are_measured_at_buckets_that_there_are(self) -> None:
        from billing import telemetry as billing
        from common import metrics

        known = {
            bound
            for one in (metrics.HTTP_SECONDS, metrics.EVENT_SECONDS, billing.STRIPE_EVENT_SECONDS)
            for bound in one._upper_bounds or one._kwargs["buckets"]
        }
        for journey in burn.journeys():
            for bound in re.findall(r'le="([\d.]+)"', journey.good):
                assert float(bound) in known
