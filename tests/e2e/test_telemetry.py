"""What `observability/schema` promises is there: on a running product, after people have worked with it.

One product, a real collector for its traces, Debian's Prometheus for its metrics; two people do the whole job.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from devstack.running import RunningStack, running_stack
from observability import dashboards, matrix
from observability.matrix import Metric
from observability.panels import Panel

from .otlp import Collector, collector
from .person import PASSWORD, Person, eventually
from .prometheus import Prometheus, free_port, prometheus

pytestmark = pytest.mark.timeout(300)

SAMPLES = Path(__file__).parents[2] / "samples"
ORG, TITLE, NOTES = "Zwetschgen Collective", "Light at the Quillery", "Six hundred and twelve wyverns"
NEVER_LOGGED = (ORG, TITLE, NOTES, "Ada Fenwick", PASSWORD, "community-energy-call", "person-")
OURS = re.compile(r"(bidwright|gateway|http_server|db_client)_")
AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{24}|@|\d{6}")
SPANS = matrix.load("schema/spans.yaml")
LOGS = matrix.load("schema/logs.yaml")
ROWS = {row.name: row for row in matrix.metrics()}


@dataclass
class Seen:
    """What was there when the work was done."""

    stack: RunningStack
    traces: Collector
    edge_port: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    server: Prometheus | None = None

    def lines(self, process: str) -> list[dict[str, Any]]:
        """The log of a process, each line parsed."""
        text = (self.stack.data / "logs" / f"{process}.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def whole_job(stack: RunningStack) -> None:
    """From an address to a file, with what goes wrong on the way."""
    ada = Person(stack)
    ada.sign_up()
    login = {"email": ada.email, "password": PASSWORD}
    ada.call("POST", "/api/auth/login", json=login, expect=200)
    ada.org_id = ada.json("POST", "/api/orgs", json={"name": ORG}, expect=201)["id"]
    call = ada.upload(SAMPLES / "community-energy-call.pdf", "application/pdf")
    ada.call(
        "POST", "/api/uploads", files={"file": ("a.pdf", b"#!/bin/sh\n", "application/pdf")}, expect=400
    )  # fmt: skip
    proposal = ada.json("POST", "/api/proposals", json={"title": TITLE, "call_upload_id": call["id"]}, expect=201)["id"]
    section = ada.plan(proposal)[0]["id"]
    draft = {"section_id": section, "answers": {"notes": NOTES}}
    ada.call("POST", "/api/ai/write", json=draft, expect=402)
    checkout = ada.json("POST", "/api/billing/checkout", json={"price": "pro_monthly", "seats": 2})
    card = {"email": ada.email, "card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
    assert httpx.post(checkout["url"], data=card).status_code == 303

    def open_gate() -> bool:
        """The section has no text yet, so beyond the gate there is nothing to revise."""
        body = {"section_id": section, "instruction": "x"}
        return ada.call("POST", "/api/ai/revise", json=body, expect=(402, 409, 422)).status_code != 402

    eventually(open_gate, "the AI gate opens", 20)
    ada.write(section, answers={"notes": NOTES})
    now = ada.json("GET", f"/api/sections/{section}")
    match = {"If-Match": f'"{now["revision"]}"'}
    ada.json("PATCH", f"/api/sections/{section}", json={"text": f"{now['text']}\n\n{NOTES}"}, headers=match)
    ada.approve(section)
    for _ in range(2):
        ada.export(proposal, "pdf")
    ada.http.close()


@pytest.fixture(scope="module")
def seen(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    edge = free_port()
    with collector() as traces:
        settings = (
            f"OTEL_EXPORTER_OTLP_ENDPOINT={traces.url}",
            "OTEL_BSP_SCHEDULE_DELAY=200",
            f"EDGE_METRICS_PORT={edge}",
            "VIRUSSCAN_CMD=true {path}",
            "API_RATE_PER_MIN_ANON=5000",
            "API_RATE_PER_MIN_FREE=5000",
        )
        with running_stack(pytestconfig.rootpath, *settings) as stack:
            found = Seen(stack, traces, edge)
            parts = json.loads(stack.command("status", "--json").stdout)
            ports = {part["name"]: part["port"] for part in parts if part["kind"] in ("service", "worker")}
            if shutil.which("prometheus") is None:
                work(found, ports)
                yield found
                return
            with prometheus(tmp_path_factory.mktemp("prometheus") / "server", {**ports, "edge": edge}) as server:
                found.server = server
                work(found, ports)
                yield found


def work(found: Seen, ports: dict[str, int]) -> None:
    """Two people, one after the other: a counter is seen to rise only after it was there."""
    for _ in range(2):
        whole_job(found.stack)
        time.sleep(2.5)  # two scrapes
    for process, port in ports.items():
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        found.samples[process] = [one for family in text_string_to_metric_families(text) for one in family.samples]


class TestMetrics:
    @pytest.mark.parametrize("row", [row for row in ROWS.values() if not row.rare], ids=lambda row: row.name)
    def test_each_is_shown_by_its_processes_with_its_labels(self, seen: Seen, row: Metric) -> None:
        for process in row.processes:
            shown = [one for one in seen.samples[process] if one.name in row.series]
            assert shown, f"{process} does not show {row.name}"
            assert {tuple(sorted(set(one.labels) - {"le"})) for one in shown} == {tuple(sorted(row.labels))}

    def test_nothing_of_ours_is_shown_that_the_matrix_does_not_know(self, seen: Seen) -> None:
        known = {name for row in ROWS.values() for name in row.series}
        for samples in seen.samples.values():
            names = {one.name for one in samples if OURS.match(one.name) and not one.name.endswith("_created")}
            assert names <= known

    def test_labels_have_few_values_and_none_is_an_id_or_a_text(self, seen: Seen) -> None:
        for process, samples in seen.samples.items():
            ours = [one for one in samples if OURS.match(one.name)]
            assert len(ours) < 3000, process
            for one in ours:
                for label, value in one.labels.items():
                    assert not AN_ID.search(value), f"{process}: {one.name} {label}={value}"
                    assert len(value) <= 100
                    assert not any(text in value for text in NEVER_LOGGED)


class TestTheEdge:
    def test_shows_its_figures_and_nothing_else_of_its_admin_page(self, seen: Seen) -> None:
        url = f"http://127.0.0.1:{seen.edge_port}"
        assert "envoy_http_downstream_rq_total" in httpx.get(f"{url}/metrics").text
        for path in ("/", "/stats", "/config_dump", "/metrics/../config_dump", "/stats/prometheus"):
            assert httpx.get(url + path).status_code == 404, path
        for path in ("/metrics", "/quitquitquit", "/healthcheck/fail"):
            assert httpx.post(url + path).status_code == 404, path


class TestTraces:
    @pytest.mark.parametrize("span", SPANS["spans"], ids=lambda span: f"{span['process']} {span['name']}")
    def test_each_span_arrives_from_its_process(self, seen: Seen, span: dict[str, str]) -> None:
        wanted = (span["process"], span["kind"], span["name"])
        eventually(
            lambda: any((one.process, one.kind, one.name) == wanted for one in seen.traces.spans), str(wanted), 15
        )

    @pytest.mark.parametrize("edge", SPANS["edges"], ids=lambda edge: " to ".join(edge))
    def test_each_edge_is_there(self, seen: Seen, edge: list[str]) -> None:
        eventually(lambda: tuple(edge) in seen.traces.edges(), str(edge), 15)

    def test_one_trace_goes_from_the_edge_to_the_last_worker(self, seen: Seen) -> None:
        drafts = {
            one.trace_id
            for one in seen.traces.spans
            if one.process == "bidwright-ai-worker" and one.name == "process jobs.ai.write"
        }
        assert len(drafts) == 2

        def complete(trace: str) -> bool:
            return {one.process for one in seen.traces.spans if one.trace_id == trace} >= set(SPANS["one_trace"])

        for trace in drafts:
            eventually(lambda trace=trace: complete(trace), f"the whole of trace {trace}", 15)
            assert any(line.get("trace_id") == trace for line in seen.lines("ai-worker"))
            assert any(line.get("trace_id") == trace for line in seen.lines("envoy"))

    def test_no_span_holds_what_somebody_wrote_or_is_of_a_probe(self, seen: Seen) -> None:
        assert seen.traces.refused == []
        for one in seen.traces.spans:
            told = f"{one.name} {one.attributes}"
            assert not any(text in told for text in NEVER_LOGGED), told
            assert not any(probe in one.name for probe in ("/readyz", "/healthz", "/metrics"))


class TestLogs:
    @pytest.mark.parametrize("process", ROWS["http_server_request_duration_seconds"].processes)
    def test_each_line_says_what_when_and_who(self, seen: Seen, process: str) -> None:
        lines = seen.lines(process)
        assert lines
        for line in lines:
            assert set(LOGS["always"]) <= set(line), line

    def test_a_line_of_a_request_has_its_ids(self, seen: Seen) -> None:
        accepted = [line for line in seen.lines("uploads") if line["event"] == "upload.accepted"]
        assert len(accepted) == 2
        for line in accepted:
            assert {*LOGS["in_a_request"], *LOGS["for_an_org"]} <= set(line)

    def test_a_line_of_a_job_has_its_ids(self, seen: Seen) -> None:
        ended = [line for line in seen.lines("ai-worker") if line["event"] == "job.ended"]
        assert {line["kind"] for line in ended} == {"index", "write"}
        for line in ended:
            assert set(LOGS["in_a_job"]) <= set(line)

    def test_the_edge_has_a_line_for_each_request(self, seen: Seen) -> None:
        for line in seen.lines("envoy"):
            assert set(line) == set(LOGS["edge"])

    def test_no_line_holds_what_somebody_wrote(self, seen: Seen) -> None:
        for file in (seen.stack.data / "logs").glob("*.log"):
            text = file.read_text(errors="replace")
            assert [word for word in NEVER_LOGGED if word in text] == [], file.name


PANELS = [(board.name, panel) for board in dashboards.plans() for panel in board.panels()]


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Debian's package prometheus is not installed")
class TestPrometheus:
    @pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda one: one if isinstance(one, str) else one.title)
    def test_no_panel_is_empty(self, seen: Seen, board: str, panel: Panel) -> None:
        assert seen.server is not None
        for legend, expression in panel.queries.items():
            found = seen.server.figures(expression)
            if panel.rare:
                continue  # asked all the same: the query must be one that Prometheus takes
            assert found, f"{board}, {panel.title}, {legend}: {expression}"

    def test_every_rule_is_evaluated_without_a_fault_and_a_healthy_product_rings_no_bell(self, seen: Seen) -> None:
        assert seen.server is not None
        groups = {group["name"]: group["rules"] for group in seen.server.ask("rules")["groups"]}
        health = {name: {rule["health"] for rule in rules} for name, rules in groups.items()}
        assert health.pop("symptoms") == {"ok"}
        assert all(states <= {"ok", "unknown"} for states in health.values())  # unknown: not its turn yet
        assert seen.server.firing() == {}
