"""The settings: each service's own rules, then what is allowed and still not wise."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from devstack import options, parts
from devstack.doctor.findings import CannotCheck, Finding, error, warning
from devstack.doctor.subject import Subject

VALIDATE_SECONDS = 15.0
PAGE: Final = "settings"
LEGACY = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What a platform gives each container, so that nobody writes it into a file of settings.
_GIVEN_BY_THE_PLATFORM = {"PORT": "8000"}


def refused(subject: Subject) -> Iterator[Finding]:
    """What a service would refuse to start with."""
    asked = {name: _environment(subject, name) for name in (*parts.SERVICES, "edge")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "devstack.doctor.validate"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=True,
            timeout=VALIDATE_SECONDS,
        )
        refusals: dict[str, str] = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as problem:
        raise CannotCheck(f"the services' settings could not be read: {problem}") from problem
    for name, refusal in refusals.items():
        if refusal:
            yield error(
                PAGE, f"{name} does not start", refusal, "correct the value, then ./bidwright up (or deploy) again"
            )


def _environment(subject: Subject, name: str) -> dict[str, str]:
    if subject.given is not None:
        return {**_GIVEN_BY_THE_PLATFORM, **subject.given}
    assert subject.plan is not None
    return subject.plan.edge_env() if name == "edge" else subject.plan.service_env(name, "app")


def legacy(subject: Subject) -> Iterator[Finding]:
    """Keys of the former task queue, which nothing reads any more."""
    for key in LEGACY:
        if subject.settings.get(key) or subject.shell.get(key):
            yield warning(
                PAGE,
                f"{key} is still set",
                "jobs are rows and their messages go through NATS: nothing reads it",
                f"remove {key}; NATS_URL replaces it",
            )


def unknown(subject: Subject) -> Iterator[Finding]:
    """Keys that nothing reads: misspelt, or of another program."""
    for key in subject.given or {}:
        if key not in LEGACY and not options.is_known(key) and not key.endswith(_LAUNCHER_KEYS):
            yield warning(
                PAGE,
                f"{key} has no effect",
                "no service reads it; is it misspelt?",
                "see docs/settings.md for the name",
            )


_LAUNCHER_KEYS = ("HOST", "PORT", "IDENTITY_JWKS_URL", "MAILBOX_DIR", "WEB_DIST", "_UPSTREAM", "DATABASE_URL")


def risky(subject: Subject) -> Iterator[Finding]:
    """What is allowed, and what somebody should know of."""
    debug = subject.on("DEBUG")
    host = urlsplit(subject.setting("PUBLIC_BASE_URL") or "http://localhost:8080").hostname
    if debug:
        yield warning(
            PAGE,
            "limits and plan gates are open",
            "DEBUG=1 is for development: it relaxes what production refuses",
            "set DEBUG=0",
        )
    elif host in _LOOPBACK and subject.given is not None:
        yield warning(
            PAGE,
            "links in mails lead to the reader's own machine",
            "PUBLIC_BASE_URL is the loopback",
            "set PUBLIC_BASE_URL to the public https address",
        )
    if subject.on("CSP_ALLOW_INLINE_STYLES"):
        yield warning(
            "csp",
            "inline styles are allowed",
            "CSP_ALLOW_INLINE_STYLES=1 is a temporary way out",
            "set CSP_ALLOW_INLINE_STYLES=0",
        )
    if host not in _LOOPBACK and not subject.setting("EMAIL_HOST"):
        yield warning(PAGE, "no mail is sent", "EMAIL_HOST is not set: mail stays in a local folder", "set EMAIL_HOST")


def programs(subject: Subject) -> Iterator[Finding]:
    """What the settings name must be there."""
    command = subject.setting("VIRUSSCAN_CMD", "uploads")
    if command and not command.startswith("clamd://") and shutil.which(command.split()[0]) is None:
        yield error(
            "uploads",
            "every upload is refused with scan_error",
            f"VIRUSSCAN_CMD: {command.split()[0]} is not installed",
            "install it, or correct VIRUSSCAN_CMD",
        )
