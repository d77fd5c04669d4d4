"""What a check may say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from devstack.doctor.subject import Subject

Level = Literal["error", "warning"]
Page = Literal[
    "ai-gate",
    "ai-rate-limits",
    "backups",
    "certificate",
    "csp",
    "dead-letters",
    "disk-full",
    "edge-down",
    "exports",
    "mail",
    "migration-stuck",
    "nats-down",
    "outbox-lag",
    "postgres-down",
    "postgres-locks",
    "quota",
    "service-down",
    "settings",
    "spa",
    "storage",
    "stripe-events",
    "stripe-webhooks",
    "stuck-jobs",
    "uploads",
    "usage",
    "valkey-down",
    "version-gaps",
    "worker-down",
]


class CannotCheck(Exception):
    """Why a check could not be made: something that it needs does not answer, or may not be read."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. ``page`` is its page in docs/runbook."""

    level: Level
    symptom: str
    cause: str
    fix: str
    page: Page

    def as_dict(self) -> dict[str, str]:
        """For ``--json``."""
        return {**asdict(self), "page": f"docs/runbook/{self.page}.md"}


def error(page: Page, symptom: str, cause: str, fix: str) -> Finding:
    """Something does not work."""
    return Finding("error", symptom, cause, fix, page)


def warning(page: Page, symptom: str, cause: str, fix: str) -> Finding:
    """Something works, and may not for long, or not as somebody expects."""
    return Finding("warning", symptom, cause, fix, page)


@dataclass(frozen=True)
class Check:
    """A named check and its function.

    ``needs_stack`` is false for those that look at settings alone, ``needs_nothing`` true where not even those are
    needed.
    """

    name: str
    look: Callable[[Subject], Iterable[Finding]]
    needs_stack: bool = True
    needs_nothing: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a check: its findings, or why it could not be made."""

    name: str
    findings: tuple[Finding, ...] = ()
    unknown: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        state = "unknown" if self.unknown else "found" if self.findings else "fine"
        found = [finding.as_dict() for finding in self.findings]
        return {"check": self.name, "state": state, "findings": found, "why_unknown": self.unknown or None}
