"""The machine: disks, mail, backups."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from devstack.backups.running import objects_folder
from devstack.doctor.findings import CannotCheck, Finding, error, warning
from devstack.doctor.subject import Subject

DISK_ERROR_BYTES = 512 * 1024**2  # below it the stack does not start (300 MiB), and PostgreSQL soon stops
DISK_WARN_SHARE = 0.05
BACKUP_MAX_AGE_HOURS = 26  # a daily job, and two hours of lateness
MAIL_SECONDS = 3.0


def disk(subject: Subject) -> Iterator[Finding]:
    """There is room where something is written."""
    assert subject.plan is not None
    places = {subject.data.path, objects_folder(subject.plan) or subject.data.path}
    places |= {Path(chosen) for chosen in (subject.setting("BACKUP_DIR"),) if chosen}
    seen: set[int] = set()
    for place in sorted(places):
        try:
            device, usage = place.stat().st_dev, shutil.disk_usage(place)
        except OSError:
            continue  # a folder that is missing has a check of its own
        if device in seen:
            continue
        seen.add(device)
        if usage.free < DISK_ERROR_BYTES or usage.free < usage.total * DISK_WARN_SHARE:
            make = error if usage.free < DISK_ERROR_BYTES else warning
            yield make(
                "disk-full",
                "saving fails, or will soon",
                f"{usage.free // 2**20} MiB are free for {place}",
                "free some: old logs (*.log.1), old backups beyond RETAIN_DAYS, bidwright_before_* of past restores",
            )


def backups(subject: Subject) -> Iterator[Finding]:
    """Where BACKUP_DIR is set, the last backup is not old."""
    chosen = subject.setting("BACKUP_DIR")
    if not chosen:
        return
    fix = "run scripts/pg_dump_daily.sh and scripts/media_backup.sh by hand and read what they say"
    for kind, pattern in (("the database", "db-*.dump*"), ("the objects", "media-*.tar*")):
        try:
            times = [path.stat().st_mtime for path in Path(chosen).glob(pattern) if path.suffix != ".sha256"]
        except OSError as problem:
            raise CannotCheck(f"BACKUP_DIR: {problem}") from problem
        age = (time.time() - max(times)) / 3600 if times else None
        if age is None or age > BACKUP_MAX_AGE_HOURS:
            when = f"the last one is {age:.0f} h old" if age is not None else "there is none"
            yield error("backups", f"{kind} could not be restored", f"no backup of a day in {chosen}: {when}", fix)


def mail(subject: Subject) -> Iterator[Finding]:
    """The mail server takes a connection."""
    host = subject.setting("EMAIL_HOST")
    if not host:
        return
    port = subject.setting("EMAIL_PORT") or "587"
    try:
        with socket.create_connection((host, int(port)), timeout=MAIL_SECONDS):
            return
    except (OSError, ValueError) as problem:
        yield error(
            "mail",
            "nobody can register or reset a password",
            f"{host}:{port} (EMAIL_HOST, EMAIL_PORT) takes no connection: {problem}",
            "correct the setting or the firewall; what was to be sent is tried again by itself",
        )
