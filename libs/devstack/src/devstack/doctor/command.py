"""Runs the checks at the same time, within a limit, and prints what they say."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from devstack import options
from devstack.data import DataFolder
from devstack.doctor import subject as subjects
from devstack.doctor.findings import CannotCheck, Check, Outcome
from devstack.doctor.registry import CHECKS
from devstack.doctor.subject import Subject
from devstack.errors import StackError

LIMIT_SECONDS = 16.0
"""Doctor answers within 20 s, the launcher's own start included."""


def run(root: Path, data: DataFolder, env_file: Path | None, *, strict: bool, as_json: bool) -> int:
    """Examine; 0 when nothing is wrong (warnings may be there), 1 when something is, 2 for that under ``--strict``.

    A stack that may not be looked at is not fine either.
    """
    subject = _subject(root, data, env_file)
    outcomes = examine(subject, [check for check in CHECKS if subject.given is None or not check.needs_stack])
    if as_json:
        print(json.dumps({"checks": [outcome.as_dict() for outcome in outcomes]}, indent=1))
    else:
        _print(outcomes)
    wrong = any(finding.level == "error" for outcome in outcomes for finding in outcome.findings)
    blind = subject.given is None and subject.plan is None
    return (2 if strict else 1) if wrong or blind else 0


def _subject(root: Path, data: DataFolder, env_file: Path | None) -> Subject:
    if env_file is None:
        if not data.exists:
            raise StackError(f"{data.path} is no data folder of a stack: name one with --data, or settings with --env")
        return subjects.of_stack(root, data)
    # Unknown keys too: they are what somebody wants to be told of.
    given = options.parse_file(env_file, check=False)
    return Subject(root, data, given=given, shell=dict(os.environ))


def examine(subject: Subject, checks: Sequence[Check]) -> list[Outcome]:
    """Ask all checks at once; one that has not answered in time is unknown, and is not waited for."""
    found: dict[str, Outcome] = {}

    def ask(check: Check) -> None:
        found[check.name] = _ask(subject, check)

    # Daemons: a check that hangs must keep neither the answer nor the process waiting.
    threads = {check.name: threading.Thread(target=ask, args=(check,), daemon=True) for check in checks}
    deadline = time.monotonic() + LIMIT_SECONDS
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer in {LIMIT_SECONDS:.0f} s"
    return [found.get(check.name) or Outcome(check.name, unknown=late) for check in checks]


def _ask(subject: Subject, check: Check) -> Outcome:
    if subject.given is None and subject.plan is None and not check.needs_nothing:
        return Outcome(check.name, unknown=subject.no_plan)
    if check.needs_stack and not subject.supervisor_lives and check.name != "stack":
        return Outcome(check.name, unknown="no stack runs")
    try:
        return Outcome(check.name, tuple(check.look(subject)))
    except CannotCheck as reason:
        return Outcome(check.name, unknown=str(reason))
    except Exception as problem:  # noqa: BLE001  # one broken check must not hide what the others found
        return Outcome(check.name, unknown=f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}")


def _print(outcomes: Sequence[Outcome]) -> None:
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    for finding in sorted(findings, key=lambda one: one.level):
        print(f"{finding.level.upper():<8} {finding.symptom}")
        print(f"         cause  {finding.cause}")
        print(f"         fix    {finding.fix}")
        print(f"         page   docs/runbook/{finding.page}.md")
    unknown: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.unknown:
            unknown.setdefault(outcome.unknown, []).append(outcome.name)
    for reason, names in unknown.items():
        print(f"UNKNOWN  {', '.join(names)}")
        print(f"         could not be checked: {reason}")
    errors = sum(finding.level == "error" for finding in findings)
    fine = sum(not outcome.findings and not outcome.unknown for outcome in outcomes)
    print(
        f"{len(outcomes)} checks: {fine} fine, {errors} errors, {len(findings) - errors} warnings, "
        f"{sum(bool(outcome.unknown) for outcome in outcomes)} not checked"
    )
