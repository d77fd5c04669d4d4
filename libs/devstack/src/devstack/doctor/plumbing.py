"""Outbox, jobs, dead letters, order: what moves facts and work from one service to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from devstack import parts
from devstack.doctor import asking
from devstack.doctor.findings import CannotCheck, Finding, error, warning
from devstack.doctor.subject import Subject
from devstack.stack import worker

OUTBOX_SECONDS = 30  # a relay that runs sends within a second
LATE_JOB_SECONDS = 120
LEASE_GRACE_SECONDS = 60  # the sweep takes a lost job over within ten
FAILED_JOBS_HOURS = 1
GAP_SECONDS = 30


def outbox(subject: Subject) -> Iterator[Finding]:
    """What was committed is sent soon."""
    for service in parts.SERVICES:
        ((count, age),) = asking.rows(
            subject,
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::int"  # noqa: S608  # our own schema
            f" FROM {service}.outbox WHERE published_at IS NULL",
        )
        if age > OUTBOX_SECONDS:
            yield error(
                "outbox-lag",
                f"other services do not hear what {service} saved",
                f"{count} messages wait in {service}'s outbox, the oldest for {age} s: no relay sends them",
                f"./bidwright logs {worker(service)}; ./bidwright restart {worker(service)}",
            )


def jobs(subject: Subject) -> Iterator[Finding]:
    """No job waits without end, and few fail."""
    for service in parts.SERVICES:
        # Names of our own schemas, and numbers.
        late = asking.rows(
            subject,
            "SELECT kind, status, count(*), extract(epoch FROM now() - min(coalesce(lease_until, run_after)))::int"  # noqa: S608
            f" FROM {service}.jobs WHERE (status = 'queued' AND run_after < now() - make_interval(secs => %s))"
            " OR (status = 'running' AND lease_until < now() - make_interval(secs => %s)) GROUP BY 1, 2",
            (LATE_JOB_SECONDS, LEASE_GRACE_SECONDS),
        )
        for kind, status, count, age in late:
            yield error(
                "stuck-jobs",
                f"{service}: {kind} does not finish",
                f"{count} {status} for {age} s longer than they should: no worker takes them",
                f"./bidwright logs {worker(service)}; ./bidwright restart {worker(service)}",
            )
        failed = asking.rows(
            subject,
            "SELECT kind, coalesce(error_code, 'unknown'), result IS NOT NULL, count(*)"  # noqa: S608
            f" FROM {service}.jobs WHERE status = 'failed' AND finished_at > now() - make_interval(hours => %s)"
            " GROUP BY 1, 2, 3",
            (FAILED_JOBS_HOURS,),
        )
        for kind, code, told, count in failed:
            yield warning(
                "stuck-jobs",
                f"{service}: {kind} failed for {count} in the last hour",
                f"error code {code}" + ("; the person was told, and can try again" if told else ""),
                f"./bidwright logs {worker(service)}"
                if told
                else f"./bidwright logs {worker(service)} says why; correct that,"
                f" then ./bidwright jobs retry --failed --service {service}",
            )


def dead_letters(subject: Subject) -> Iterator[Finding]:
    """No message was given up."""

    async def subjects(js: Any) -> dict[str, int]:
        info = await js.stream_info("DEAD_LETTERS", subjects_filter="dead.>")
        return dict(info.state.subjects or {})

    counts: dict[str, int] = {}
    for name, count in asking.nats(subject, subjects).items():
        service = name.split(".")[1]
        counts[service] = counts.get(service, 0) + count
    for service, count in counts.items():
        yield error(
            "dead-letters",
            f"{service} has not taken in everything that happened",
            f"{count} messages could not be handled and wait in DEAD_LETTERS",
            f"./bidwright events dead list --service {service} says why; correct that,"
            f" then ./bidwright events dead replay --all --service {service};"
            " what nobody can mend: ./bidwright events dead ignore ID --reason TEXT",
        )


def gaps(subject: Subject) -> Iterator[Finding]:
    """No aggregate waits for an event that does not come."""
    silent = []
    for service in parts.SERVICES:
        answer = asking.http("GET", f"http://127.0.0.1:{subject.port(worker(service))}/metrics")
        if answer.status != 200:
            silent.append(worker(service))
            continue
        for value in re.findall(r"^bidwright_inbox_gap_seconds\{[^}]*\} (\S+)$", answer.text, re.MULTILINE):
            if float(value) > GAP_SECONDS:
                yield error(
                    "version-gaps",
                    f"{service} shows an old state of something",
                    f"an event before the present one has been missing for {float(value):.0f} s",
                    f"./bidwright events dead list --service {service}: replay what is there (dead-letters);"
                    " when nothing is, see whether its producer's outbox lags (outbox-lag)",
                )
    if silent and len(silent) == len(parts.SERVICES):
        raise CannotCheck(f"no worker shows its metrics: {', '.join(silent)}")
