"""Drafting, its limits, exports and uploads."""

from __future__ import annotations

import shlex
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack.backups.running import objects_folder
from devstack.doctor import asking, servers
from devstack.doctor.findings import CannotCheck, Finding, error, warning
from devstack.doctor.subject import Subject

GUARD_PREFIX = "ai_dbg_single_write:"
GUARD_SECONDS = 60
SCAN_SECONDS = 8.0  # of the doctor's time; the service's own limit is VIRUSSCAN_TIMEOUT_SECONDS


def _worker_lives(subject: Subject, name: str) -> bool:
    return any(row["name"] == name and row["ready"] for row in servers.part_rows(subject))


def ai_gate(subject: Subject) -> Iterator[Finding]:
    """Who may draft is decided by the plan."""
    if subject.on("AI_TEST_OPEN", "ai"):
        yield warning(
            "ai-gate",
            "everybody may draft, whatever the plan",
            "AI_TEST_OPEN=1 opens the gate for tests",
            "unset AI_TEST_OPEN, then ./bidwright restart ai",
        )


def ai_async(subject: Subject) -> Iterator[Finding]:
    """With AI_ASYNC=1 somebody must do the jobs."""
    if subject.on("AI_ASYNC", "ai") and not _worker_lives(subject, "ai-worker"):
        yield error(
            "ai-gate",
            "drafts stay queued",
            "AI_ASYNC=1, and ai-worker does not run",
            "./bidwright logs ai-worker; ./bidwright restart ai-worker",
        )


def rate_limits(subject: Subject) -> Iterator[Finding]:
    """429 that somebody will ask about."""
    if subject.on("AI_ENFORCE_RATE_LIMIT_DEBUG"):
        yield warning(
            "ai-rate-limits",
            "429 on the second quick AI call",
            "AI_ENFORCE_RATE_LIMIT_DEBUG=1 turns the limits on in development",
            "unset AI_ENFORCE_RATE_LIMIT_DEBUG, then ./bidwright restart gateway",
        )
    for tier in ("PRO", "ENTERPRISE"):
        value = subject.setting(f"AI_RATE_PER_MIN_{tier}")
        if value.isdigit() and int(value) < 5:
            yield warning(
                "ai-rate-limits",
                f"429 under light load on {tier.lower()}",
                f"AI_RATE_PER_MIN_{tier}={value}",
                f"raise AI_RATE_PER_MIN_{tier}, then ./bidwright restart gateway",
            )


def single_write(subject: Subject) -> Iterator[Finding]:
    """The single-write guard's keys end by themselves."""

    def stuck(client: Any) -> list[str]:
        names = list(client.scan_iter(f"{GUARD_PREFIX}*", count=500))[:1000]
        return [name for name in names if not 0 <= client.ttl(name) <= GUARD_SECONDS and client.exists(name)]

    for name in asking.valkey(subject, stuck):
        yield warning(
            "ai-rate-limits",
            "one person gets 429 on every AI write",
            f"the guard's key {name} does not end by itself",
            f"REDIS_URL=... scripts/purge_single_write.py {name.removeprefix(GUARD_PREFIX)} (then with --yes)",
        )


def exports_async(subject: Subject) -> Iterator[Finding]:
    """With EXPORTS_ASYNC=1 somebody must render."""
    if subject.on("EXPORTS_ASYNC", "exports") and not _worker_lives(subject, "exports-worker"):
        yield error(
            "exports",
            "exports stay queued, without an address",
            "EXPORTS_ASYNC=1, and exports-worker does not run",
            "./bidwright logs exports-worker; ./bidwright restart exports-worker",
        )


def storage(subject: Subject) -> Iterator[Finding]:
    """The object store can be written, and still has what it was given."""
    assert subject.plan is not None
    folder = objects_folder(subject.plan)
    if folder is None:
        raise CannotCheck("the object store is behind the S3 API: see /readyz of exports and uploads")
    cause = ""
    if not folder.is_dir():
        cause = f"{folder} is not there; is the volume mounted?"
    else:
        probe = folder / f".doctor-{uuid.uuid4().hex}"
        try:
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
        except OSError as problem:
            cause = f"{folder} cannot be written: {problem.strerror}"
    if not cause:
        found = asking.rows(subject, "SELECT EXISTS (SELECT 1 FROM billing.storage_counts WHERE bytes_used > 0)")
        holds = any(path.is_file() for path in folder.rglob("*"))
        if found[0][0] and not holds:
            cause = f"{folder} is empty, and files were stored; is the volume mounted?"
    if cause:
        yield error(
            "storage", "exports and uploads fail", cause, "mount the volume, or free it; then ./bidwright restart"
        )


def upload_limits(subject: Subject) -> Iterator[Finding]:
    """The caps fit each other."""
    service, edge = (
        subject.setting("FILE_UPLOAD_MAX_BYTES", "uploads"),
        subject.setting("FILE_UPLOAD_MAX_BYTES", "edge"),
    )
    if service != edge:
        yield warning(
            "uploads",
            "413 with another limit than the page shows",
            f"the edge has FILE_UPLOAD_MAX_BYTES={edge or 'default'}, uploads {service or 'default'}",
            "set FILE_UPLOAD_MAX_BYTES once, for both",
        )
    most, read = (
        _number(service, 10_485_760),
        _number(subject.setting("TEXT_EXTRACTION_MAX_BYTES", "uploads"), 8_388_608),
    )
    if read < most // 2:
        yield warning(
            "uploads",
            "many uploads are stored and not read",
            f"TEXT_EXTRACTION_MAX_BYTES ({read}) is far below FILE_UPLOAD_MAX_BYTES ({most})",
            "raise TEXT_EXTRACTION_MAX_BYTES, then ./bidwright restart uploads and uploads-worker",
        )


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


def virus_scan(subject: Subject) -> Iterator[Finding]:
    """The scanner calls a harmless file clean."""
    command = subject.setting("VIRUSSCAN_CMD", "uploads")
    if not command:
        return
    problem = _ask_clamd(command) if command.startswith("clamd://") else _run_scanner(command)
    if problem:
        yield error(
            "uploads",
            "every upload is refused (scan_error or infected)",
            f"VIRUSSCAN_CMD: {problem}",
            "run the command by hand on a small file; correct it or raise VIRUSSCAN_TIMEOUT_SECONDS",
        )


def _run_scanner(command: str) -> str:
    with tempfile.NamedTemporaryFile(prefix="bidwright-doctor-", suffix=".txt") as file:
        file.write(b"A harmless file.\n")
        file.flush()
        try:
            words = [word.replace("{path}", file.name) for word in shlex.split(command)]
            code = subprocess.run(words, capture_output=True, check=False, timeout=SCAN_SECONDS).returncode
        except subprocess.TimeoutExpired:
            return f"no verdict on a harmless file in {SCAN_SECONDS:.0f} s"
        except (OSError, ValueError) as problem:
            return str(problem)
    return "" if code == 0 else f"exit code {code} on a harmless file (0 is clean, 1 infected)"


def _ask_clamd(url: str) -> str:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 3310), timeout=3) as connection:
            connection.settimeout(3)
            connection.sendall(b"zPING\0")
            reply = connection.recv(64)
    except OSError as problem:
        return f"clamd does not answer: {problem}"
    return "" if reply.startswith(b"PONG") else f"clamd answers {reply[:20]!r} to PING"


def staging(subject: Subject) -> Iterator[Finding]:
    """Uploads under way have a place that can be written."""
    chosen = subject.setting("UPLOAD_STAGING_DIR", "uploads")
    if chosen and not Path(chosen).is_dir():
        yield error(
            "uploads", "every upload fails", f"UPLOAD_STAGING_DIR: {chosen} is no folder", "make it, or unset the key"
        )
