"""What the benchmarks share: the product's command, CPU time of processes, load, figures beside their limits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass
class Run:
    """What one load run showed."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int
    cpu_us: float
    count: int


def bidwright(*words: str) -> str:
    """Run a command of the product; what it printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bidwright"), *words], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pids: list[int]) -> float:
    """Resident memory of processes."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576


def with_children(pid: int) -> list[int]:
    """A process and those that it has started, as PostgreSQL's for each connection."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def run_wrk(
    url: str,
    pids: Iterable[int],
    seconds: int,
    connections: int,
    *,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> Run:
    """Full load on an address by `wrk`; the CPU is what these processes used for each request.

    Args:
        script: Lua that makes the requests.
    """
    pids = list(pids)
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for name, value in (headers or {}).items():
        argv += ["-H", f"{name}: {value}"]
    argv += ["-s", str(script)] if script else []
    before = cpu_seconds(pids)
    printed = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pids) - before
    # Were a line missing, wrk had not run, and the error says as much: hence the ignored Nones below.
    count = int(re.search(r"(\d+) requests in", printed)[1])  # type: ignore[index]
    p50, p99 = (_milliseconds(printed, percent) for percent in (50, 99))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    failures = (int(bad[1]) if bad else 0) + (sum(map(int, broken.groups())) if broken else 0)
    per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])  # type: ignore[index]
    return Run(per_second, p50, p99, failures, used / count * 1e6, count)


def _milliseconds(printed: str, percent: int) -> float:
    value, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", printed).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Verdict:
    """Prints figures beside their limits, and remembers the failed ones."""

    def __init__(self) -> None:
        self.missed = 0

    def __call__(self, name: str, value: float, unit: str, *, least: float | None = None, most: float | None = None):
        """One line."""
        limit = least if least is not None else most
        fits = (least is None or value >= least) and (most is None or value <= most)
        self.missed += not fits
        word = "" if limit is None else f"limit {'>=' if least is not None else '<='} {limit:g}: "
        print(f"  {name:<44} {value:9.2f} {unit:<5} {word}{'' if limit is None else 'ok' if fits else 'MISSED'}")
