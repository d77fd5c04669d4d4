"""Child processes that cannot outlive their parent, told apart from strangers that got the same pid later."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not have to load a library.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int, death_signal: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent dies; for the child, after fork.

    Where there is no such call (not Linux) the pid files and the next start's clean-up have to do.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before we could ask
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class User:
    """Whom a server runs as."""

    uid: int
    gid: int


def server_user(data: Path | None = None) -> User | None:
    """Whom PostgreSQL runs as when we are root, which it refuses; None: whoever we are.

    The owner of the cluster at ``data`` where there is one (an ordinary user may have made it), else ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and (owner := data.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    entry = pwd.getpwnam("nobody")  # initdb wants an entry in passwd, so a bare number will not do
    return User(entry.pw_uid, entry.pw_gid)


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: User | None = None,
    death_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, output appended to ``log``; it dies when the calling thread does."""
    parent = os.getpid()

    # Runs after the change of user, which would clear the death signal.
    def in_child() -> None:
        die_with_parent(parent, death_signal)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=in_child,
        )


def start_time(pid: int) -> float | None:
    """When the process started, which with its pid names it for good; None when there is none."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.create_time()
    except psutil.Error:
        return None


def is_same(pid: int, started: float) -> bool:
    """Whether the process of that pid is the one that started then, and not a later stranger."""
    now = start_time(pid)
    return now is not None and abs(now - started) < 0.05


def wait_gone(is_alive: Callable[[], bool], timeout: float) -> bool:
    """Wait until ``is_alive`` says no; False when it still lives after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def stop(process: subprocess.Popen[bytes], *, gentle: int = signal.SIGTERM, timeout: float = 5) -> None:
    """Ask the process to end, wait, then kill its whole session; returns when it is reaped."""
    if process.poll() is None:
        process.send_signal(gentle)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
    process.wait()


def kill_stale(pid: int, started: float, *, gentle: int = signal.SIGTERM, timeout: float = 5) -> bool:
    """End a process that an earlier run left behind; True when there was one."""
    if not is_same(pid, started):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, gentle)
    if not wait_gone(lambda: is_same(pid, started), timeout):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_gone(lambda: is_same(pid, started), timeout)
    return True


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
