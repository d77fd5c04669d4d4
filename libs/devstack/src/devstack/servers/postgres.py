"""PostgreSQL 18 on the loopback, with passwords, as a user that is not root.

Root may not run it. Then it runs as ``nobody``, who must be able to reach the program and the data. Where the
environment or the data folder lies under a folder that others may not enter (a home of mode 0700), the program is
copied and the data kept under /var/lib/bidwright instead: no permission of anybody's folder is widened.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devstack import binaries, processes
from devstack.errors import PartFailed
from devstack.servers.base import Server

OUTSIDE = Path("/var/lib/bidwright")


def reachable(path: Path, user: processes.User) -> bool:
    """Whether the user may walk down to the path (the existing part of it)."""
    for folder in (path.absolute(), *path.absolute().parents):
        try:
            info = folder.stat()
        except FileNotFoundError:
            continue
        bit = stat.S_IXUSR if info.st_uid == user.uid else stat.S_IXGRP if info.st_gid == user.gid else stat.S_IXOTH
        if not info.st_mode & bit:
            return False
    return True


def program_folder(user: processes.User | None) -> Path:
    """The ``bin`` folder to run from: the wheel's, or a copy of it that the user can reach."""
    found = binaries.require("postgres").resolve().parent
    if user is None or reachable(found, user):
        return found
    install = found.parent
    libraries = install.parent.with_name(install.parent.name + ".libs")
    stamp = f"{install.parent.name}-{int(found.joinpath('postgres').stat().st_mtime)}"
    target = OUTSIDE / "programs" / stamp
    if not target.exists():
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        target.parent.mkdir(mode=0o755, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent))
        partial.chmod(0o755)
        shutil.copytree(install, partial / install.parent.name / install.name, symlinks=True)
        if libraries.exists():  # the tools look for libpq beside the package, so the copy keeps that shape
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        try:
            partial.rename(target)
        except OSError:  # another stack was faster
            shutil.rmtree(partial, ignore_errors=True)
    return target / install.parent.name / install.name / "bin"


class Postgres(Server):
    """A PostgreSQL cluster with one superuser, ``bidwright``."""

    name = "postgres"
    superuser = "bidwright"
    stop_signal = signal.SIGINT  # fast shutdown: sessions are ended, a checkpoint is written
    death_signal = signal.SIGINT
    start_timeout = 60  # crash recovery after a power cut takes its time

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        password: str,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        super().__init__(folder, port=port, log=log, env=env)
        self.password = password
        self.durable = durable
        self.user = processes.server_user(folder)
        self._programs: Path | None = None

    @property
    def programs(self) -> Path:
        """The folder of postgres, initdb, psql, pg_dump, ..."""
        if self._programs is None:
            self._programs = program_folder(self.user)
        return self._programs

    def url(self, user: str | None = None, password: str | None = None, database: str = "postgres") -> str:
        """The address for a role; the superuser's when none is named."""
        who = user or self.superuser
        return f"postgresql://{who}:{password or self.password}@{self.host}:{self.port}/{database}"

    def prepare(self) -> None:
        if not (self.folder / "PG_VERSION").exists():
            self._initdb()
        # Ports and settings may differ from the last run's: they are given on the command line, not in the file.

    def _initdb(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and moved into place, so that one killed half way is never taken for a cluster.
        fresh = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = fresh.with_name(f".pw-{secrets.token_hex(4)}")
        password_file.touch(mode=0o600)
        try:
            password_file.write_text(self.password)
            if self.user:
                os.chown(fresh, self.user.uid, self.user.gid)
                os.chown(password_file, self.user.uid, self.user.gid)
            argv = [str(self.programs / "initdb"), "-D", str(fresh), "-U", self.superuser, "-E", "UTF8"]
            argv += ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
            argv += ["--pwfile", str(password_file), "--auth-local=reject", "--auth-host=scram-sha-256"]
            argv += ["--data-checksums", "--no-instructions", *([] if self.durable else ["--no-sync"])]
            code = processes.spawn(argv, log=self.log, cwd=Path("/"), env=self.env, user=self.user).wait()
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise PartFailed(f"postgres: initdb failed:\n{processes.tail(self.log)}")
        fresh.rename(self.folder)

    def launch(self) -> subprocess.Popen[bytes]:
        options = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "io_method": "sync",  # no pool of idle I/O workers on a laptop
            "max_parallel_workers_per_gather": "0",
            "lock_timeout": "30s",
            "idle_in_transaction_session_timeout": "60s",
            "log_line_prefix": "%m [%p] %u@%d ",
            **({} if self.durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
        }
        argv = [str(self.programs / "postgres"), "-D", str(self.folder)]
        for key, value in options.items():
            argv += ["-c", f"{key}={value}"]
        return processes.spawn(
            argv,
            log=self.log,
            cwd=Path("/"),
            env=self.env,
            user=self.user,
            death_signal=self.death_signal,
        )

    def answers(self) -> bool:
        # The cluster's lock file holds the pid of the server that owns the data and, last, its state: a stranger on
        # the port cannot write there, and it says ready only when connections are taken.
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self.process is not None
            and len(lines) >= 8
            and lines[0] == str(self.process.pid)
            and lines[7].strip() == "ready"
        )
