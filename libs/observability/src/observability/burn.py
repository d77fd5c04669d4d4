"""Alerts on a journey's error budget: several windows, several burn rates, as in Google's SRE workbook, chapter 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from observability import matrix

_SECONDS: Final = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600, "1d": 86400, "3d": 259200}


@dataclass(frozen=True)
class Burn:
    """So much of the budget, this many times as fast as it lasts: seen in the long window, and still in the short."""

    rate: float
    long: str
    short: str


FAST: Final = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
"""2 % of a month's budget in an hour, 5 % in six."""
SLOW: Final = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
"""10 % in a day, or in three."""


@dataclass(frozen=True)
class Journey:
    """What people may rely on."""

    name: str
    title: str
    objective: float
    says: str
    page: str
    least: int
    all: str
    good: str
    sample: dict[str, str]

    @property
    def alert(self) -> str:
        """The stem of its alerts' names."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.objective, 6)


def journeys() -> tuple[Journey, ...]:
    """Those of `slos.yaml`."""
    return tuple(Journey(**row) for row in matrix.load("slos.yaml")["journeys"])


def recording_group(journey: Journey) -> dict[str, Any]:
    """Events, and bad ones, a second in each window."""
    rules: list[dict[str, Any]] = []
    for window in _SECONDS:
        every, good = (expression.replace("WINDOW", window) for expression in (journey.all, journey.good))
        labels = {"journey": journey.name}
        rules.append({"record": f"bidwright:events:rate{window}", "expr": every, "labels": labels})
        bad = f"({every}) - (({good}) or vector(0))"
        rules.append({"record": f"bidwright:bad_events:rate{window}", "expr": bad, "labels": labels})
    return {"name": f"journey-{journey.name}", "interval": "30s", "rules": rules}


def expression(journey: Journey, burns: tuple[Burn, ...]) -> str:
    """True while the budget burns as fast as one of these says."""
    return "\nor\n".join(_one(journey, burn) for burn in burns)


def _one(journey: Journey, burn: Burn) -> str:
    chosen = f'{{journey="{journey.name}"}}'
    most = round(burn.rate * journey.budget, 6)
    ratios = [
        f"bidwright:bad_events:rate{window}{chosen} / bidwright:events:rate{window}{chosen} > {most:g}"
        for window in (burn.long, burn.short)
    ]
    count = f"bidwright:bad_events:rate{burn.long}{chosen} * {_SECONDS[burn.long]} >= {journey.least}"
    return "(" + "\n and ".join([*ratios, count]) + ")"
