"""Debian's Prometheus on a running product, with the rules that are committed."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from observability import matrix


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Prometheus:
    """A server that scrapes once a second."""

    url: str
    began: float

    def ask(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=20)
        assert answer.status_code == 200, f"{parameters}: {answer.text[:500]}"
        return answer.json()["data"]

    def figures(self, expression: str) -> list[float]:
        """Every finite value that the expression had since the beginning."""
        expression = expression.replace("$__rate_interval", "20s").replace("$__range", "10m")
        found = self.ask("query_range", query=expression, start=self.began, end=time.time(), step="2")["result"]
        values = [float(value) for series in found for _, value in series["values"]]
        return [value for value in values if math.isfinite(value)]

    def firing(self) -> dict[str, dict[str, str]]:
        """Alerts that fire or are about to, with their labels."""
        return {one["labels"]["alertname"]: one["labels"] for one in self.ask("alerts")["alerts"]}


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, int]) -> Iterator[Prometheus]:
    """Scrapes each process at its port; nothing is left behind."""
    program = shutil.which("prometheus")
    assert program is not None
    folder.mkdir()
    jobs = [{"targets": [f"127.0.0.1:{port}"], "labels": {"process": name}} for name, port in targets.items()]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(matrix.FOLDER / "prometheus" / name) for name in ("journeys.yaml", "symptoms.yaml")],
        "scrape_configs": [{"job_name": "bidwright", "honor_labels": True, "static_configs": jobs}],
    }
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    port = free_port()
    argv = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log, env={"PATH": os.environ["PATH"], "GOMAXPROCS": "1"})
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", server, folder / "prometheus.log")
        yield Prometheus(f"http://127.0.0.1:{port}", time.time())
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"Prometheus is not ready: {log.read_text()}")
