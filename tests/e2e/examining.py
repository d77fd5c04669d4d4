"""Asking doctor about a running product, and making the faults that it is asked about."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from devstack.data import DataFolder
from devstack.doctor import subject as subjects
from devstack.doctor.command import examine
from devstack.doctor.findings import Finding, Outcome
from devstack.doctor.registry import CHECKS
from devstack.doctor.subject import Subject
from devstack.running import RunningStack


def subject_of(stack: RunningStack, **settings: str) -> Subject:
    """What doctor sees, with settings as if they had been given."""
    subject = subjects.of_stack(stack.root, DataFolder(stack.data))
    assert subject.plan is not None
    plan = dataclasses.replace(subject.plan, settings={**subject.plan.settings, **settings})
    return dataclasses.replace(subject, plan=plan)


def ask(stack: RunningStack, check: str, **settings: str) -> Outcome:
    (outcome,) = examine(subject_of(stack, **settings), [one for one in CHECKS if one.name == check])
    return outcome


def found(stack: RunningStack, check: str, **settings: str) -> list[Finding]:
    outcome = ask(stack, check, **settings)
    assert not outcome.unknown, outcome.unknown
    return list(outcome.findings)


def pages(findings: list[Finding]) -> set[str]:
    return {finding.page for finding in findings}


def until_clear(stack: RunningStack, check: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        outcome = ask(stack, check)
        if not outcome.findings and not outcome.unknown:
            return
        assert time.monotonic() < deadline, outcome
        time.sleep(0.5)


def part(stack: RunningStack, name: str) -> dict[str, Any]:
    rows = json.loads(stack.command("status", "--json", check=False).stdout)
    return dict(next(row for row in rows if row["name"] == name))


@contextlib.contextmanager
def frozen(stack: RunningStack, name: str) -> Iterator[None]:
    """A part that hangs: it lives, and answers no more."""
    pid = part(stack, name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def superuser(stack: RunningStack) -> psycopg.Connection[Any]:
    return psycopg.connect(subject_of(stack).database_url, autocommit=True)


def doctor(stack: RunningStack, *words: str) -> tuple[int, list[dict[str, Any]], float]:
    """The command as an operator runs it: exit code, checks, seconds."""
    began = time.monotonic()
    done = stack.command("doctor", "--json", *words, check=False)
    seconds = time.monotonic() - began
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["checks"], seconds


def write_certificate(folder: Path, days: float) -> None:
    """A pair that ends in so many days."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    end = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
