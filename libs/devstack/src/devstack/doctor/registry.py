"""Every check, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from devstack.doctor import edge, machine, money, plumbing, servers, settings, work
from devstack.doctor.findings import Check, Finding, error
from devstack.doctor.subject import Subject


def stack_runs(subject: Subject) -> Iterator[Finding]:
    """Somebody keeps the stack."""
    phase = subject.state.get("phase", "stopped")
    if subject.supervisor_lives and phase == "running":
        return
    cause = f"it is {phase}" if subject.supervisor_lives else "its supervisor does not run"
    yield error(
        "service-down", "nothing answers", f"the stack on {subject.data.path}: {cause}", "./bidwright up --detach"
    )


CHECKS: Final = (
    Check("settings", settings.refused, needs_stack=False),
    Check("former settings", settings.legacy, needs_stack=False, needs_nothing=True),
    Check("unknown settings", settings.unknown, needs_stack=False),
    Check("risky settings", settings.risky, needs_stack=False),
    Check("programs that settings name", settings.programs, needs_stack=False),
    Check("webhook secret", money.webhook_secret, needs_stack=False),
    Check("prices", money.prices, needs_stack=False),
    Check("quota settings", money.quota_settings, needs_stack=False),
    Check("AI gate", work.ai_gate, needs_stack=False),
    Check("rate limits", work.rate_limits, needs_stack=False),
    Check("upload limits", work.upload_limits, needs_stack=False),
    Check("certificate", edge.certificate, needs_stack=False),
    Check("stack", stack_runs),
    Check("parts", servers.parts_run),
    Check("PostgreSQL", servers.postgres),
    Check("PostgreSQL locks", servers.postgres_locks),
    Check("migrations", servers.migrations),
    Check("NATS", servers.nats),
    Check("Valkey", servers.valkey),
    Check("liveness", edge.liveness),
    Check("readiness", edge.readiness),
    Check("usage payload", edge.usage),
    Check("SPA", edge.spa),
    Check("Stripe webhook", money.webhook_answers),
    Check("Stripe events", money.stripe_events),
    Check("plans", money.plans),
    Check("AI worker", work.ai_async),
    Check("single-write guard", work.single_write),
    Check("exports worker", work.exports_async),
    Check("object store", work.storage),
    Check("upload staging", work.staging),
    Check("virus scan", work.virus_scan),
    Check("outbox", plumbing.outbox),
    Check("jobs", plumbing.jobs),
    Check("dead letters", plumbing.dead_letters),
    Check("version gaps", plumbing.gaps),
    Check("disk", machine.disk),
    Check("backups", machine.backups),
    Check("mail server", machine.mail),
)
