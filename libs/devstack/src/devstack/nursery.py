"""The preloading parent: it imports what the services share once, then forks each of them from itself on request.

Eleven Python processes that each import the same libraries cost eleven times two seconds of CPU and as many copies in
memory; forked, they share both (docs/decisions/0001-preloaded-parent.md has the figures). The rules that make it safe:
importing ``<service>.main`` has no side effect, this process never opens a connection, starts a thread or draws a
random number, and a child takes nothing over but modules.

Protocol, one JSON object a line on the inherited socket:
    in   {"id", "name", "module", "argv", "env", "log"}
    out  {"event": "ready", "modules"}   {"event": "spawned", "id", "pid"}   {"event": "exit", "pid", "code"}
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from devstack import processes, titles

_ROOMS = ("main", "app", "worker", "bootstrap")
# What the services use of their libraries, where importing the package alone does not load it.
_SHARED = (
    "fastapi", "uvicorn", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "uvloop",
    "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql.psycopg", "psycopg", "psycopg_binary", "nats",
    "nats.js", "structlog", "structlog.dev", "prometheus_client", "jwt", "httpx", "alembic.command",
    "opentelemetry.sdk.trace", "opentelemetry.sdk.trace.export", "opentelemetry.trace", "redis.asyncio", "obstore",
    "obstore.store", "multipart", "python_multipart.multipart", "email_validator", "common.provision",
    "common.migrations",
)  # fmt: skip


def preload(packages: list[str]) -> int:
    """Import everything shared and each package's entry rooms; a broken one is left to fail in its own process."""
    gc.disable()
    names = [*_SHARED, *(f"{package}.{room}" for package in packages for room in _ROOMS)]
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                traceback.print_exc()
        except Exception:  # noqa: BLE001 - the child that needs it repeats the import and fails with this in its log
            traceback.print_exc()
    gc.collect()
    # Moves all objects out of the collector's sight: it would otherwise write to, and so copy, every shared page.
    gc.freeze()
    gc.enable()
    return len(sys.modules)


def run_module(name: str, argv: list[str]) -> int:
    """What ``python -m name argv`` does, with the modules that are loaded already."""
    module: ModuleType = importlib.import_module(name)
    if hasattr(module, "__path__"):  # a package
        module = importlib.import_module(f"{name}.__main__")
    sys.argv = [getattr(module, "__file__", None) or name, *argv]
    return int(module.main(argv) or 0)


class Nursery:
    """Serves spawn requests until the socket closes; then its children are ended with it."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, str] = {}
        self.wake_in, self.wake_out = socket.socketpair()
        self.pid = os.getpid()

    def send(self, message: dict[str, Any]) -> None:
        """Tell the supervisor; when it is gone there is nobody to tell."""
        with contextlib.suppress(OSError):
            self.control.sendall(json.dumps(message).encode() + b"\n")

    def serve(self) -> None:
        """The loop: requests in, exits out."""
        self.wake_out.setblocking(False)
        signal.set_wakeup_fd(self.wake_out.fileno())
        signal.signal(signal.SIGCHLD, _ignored)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        selector = selectors.DefaultSelector()
        selector.register(self.control, selectors.EVENT_READ)
        selector.register(self.wake_in, selectors.EVENT_READ)
        pending = b""
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.wake_in:
                    self.wake_in.recv(4096)
                    self.reap()
                    continue
                data = self.control.recv(1 << 16)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self.spawn(json.loads(line))

    def spawn(self, request: dict[str, Any]) -> None:
        """Fork one child."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self.become(request)
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else int(bool(error.code))
                if isinstance(error.code, str):
                    print(error.code, file=sys.stderr)
            except BaseException:  # noqa: BLE001 - the last frame of this process
                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        self.children[pid] = request["name"]
        self.send({"event": "spawned", "id": request["id"], "pid": pid})

    def become(self, request: dict[str, Any]) -> int:
        """In the child: let go of the parent, take on the part's environment, run it."""
        os.setsid()
        processes.die_with_parent(self.pid)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.control.close()
        self.wake_in.close()
        self.wake_out.close()
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.environ.clear()
        os.environ.update(request["env"])
        titles.set_title(request["name"])
        return run_module(request["module"], request["argv"])

    def reap(self) -> None:
        """Collect the children that ended, and say so."""
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.children.pop(pid, None)
            self.send({"event": "exit", "pid": pid, "code": os.waitstatus_to_exitcode(status)})

    def end(self) -> None:
        """Kill what still runs; the supervisor has asked it to stop before, or is gone."""
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _ignored(number: int, frame: FrameType | None) -> None:
    """A handler has to exist for the wake-up descriptor to be written."""


def main(argv: list[str]) -> int:
    """``python -m devstack.nursery FD PARENT_PID PACKAGE...``: serve on the inherited socket FD."""
    descriptor, parent, *packages = argv
    processes.die_with_parent(int(parent))
    control = socket.socket(fileno=int(descriptor))
    nursery = Nursery(control)
    loaded = preload(packages)
    titles.set_title("nursery")
    threads = len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 1
    if threads > 1:
        print(f"nursery: {threads} threads after the imports; a fork keeps only one", file=sys.stderr, flush=True)
    nursery.send({"event": "ready", "modules": loaded, "threads": threads})
    try:
        nursery.serve()
    finally:
        nursery.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
