"""The signal matrix: which process shows which metric, with which labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

ROOT: Final = Path(__file__).parents[4]
FOLDER: Final = ROOT / "observability"
SERVICES: Final = ("gateway", "billing", "ai", "exports", "uploads")
WORKERS: Final = tuple(f"{service}-worker" for service in SERVICES)
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "everyone": (*SERVICES, *WORKERS),
    "apis": SERVICES,
    "workers": WORKERS,
}

Type = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Metric:
    """One row. `rare` says why a healthy demo does not show it."""

    name: str
    type: Type
    unit: str
    processes: tuple[str, ...]
    labels: tuple[str, ...]
    says: str
    rare: str = ""

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may use."""
        if self.type == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (f"{self.name}_total",) if self.type == "counter" else (self.name,)


def load(name: str) -> Any:
    """A file of `observability/`."""
    return yaml.safe_load((FOLDER / name).read_text())


def metrics() -> tuple[Metric, ...]:
    """Every row of the matrix."""
    return tuple(
        Metric(
            row["name"],
            row["type"],
            row["unit"],
            _GROUPS[row["from"]] if isinstance(row["from"], str) else tuple(row["from"]),
            tuple(row["labels"]),
            row["says"],
            row.get("rare", ""),
        )
        for row in load("schema/metrics.yaml")
    )
