"""up, down, restart, status, logs, env, mail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from devstack import binaries, cleanup, control, mailbox, options, ports, processes
from devstack.data import DataFolder, sweep_outside
from devstack.errors import DataFolderError, StackError, UsageError
from devstack.report import PipeReport, Report, TerminalReport
from devstack.stack import Stack

_STOP_SECONDS = 15.0


def _running(data: DataFolder) -> dict[str, Any] | None:
    """The state of the supervisor that runs on this folder, if one does."""
    state = data.read_state()
    supervisor = state.get("supervisor") or {}
    if supervisor.get("pid") and processes.is_same(supervisor["pid"], supervisor.get("started") or 0.0):
        return state if state.get("phase") != "stopped" else None
    return None


def _require_running(data: DataFolder) -> dict[str, Any]:
    state = _running(data)
    if state is None:
        raise StackError(f"no stack runs on {data.path}: start it with ./bidwright up")
    return state


def up(root: Path, data: DataFolder, port: int, env_file: Path | None, pairs: list[str], *, detach: bool) -> int:
    """Check everything that can be checked first, then start; nothing is left behind when it fails."""
    settings = {**(options.parse_file(env_file) if env_file else {}), **options.parse_pairs(pairs)}
    binaries.check_all()
    data.open()
    running = _running(data)
    if running is not None:
        raise StackError(
            f"a stack already runs on {data.path} (pid {running['supervisor']['pid']}, port {running['port']}): "
            "stop it with ./bidwright down, or start another with --data DIR --port PORT"
        )
    port = _edge_port(port, data)
    if detach:
        return _detached(root, data, port, settings)
    return _supervise(root, data, port, settings, TerminalReport())


def _edge_port(port: int, data: DataFolder) -> int:
    if port == 0:
        return ports.free_port()
    if ports.is_free(port):
        return port
    last = data.read_state()
    if last.get("port") == port and cleanup.noted(last):
        # Held by what a killed supervisor left behind, which has not ended yet.
        cleanup.sweep(data.secrets()["stack_id"], last)
        if ports.is_free(port):
            return port
    if port < 1024 and os.geteuid() != 0:
        raise UsageError(f"port {port} needs root: choose one above 1023 with --port")
    raise UsageError(f"port {port} is taken by another program: stop it, or choose another with --port")


def _supervise(root: Path, data: DataFolder, port: int, settings: dict[str, str], report: Report) -> int:
    from devstack.supervisor import Supervisor

    if not data.lock():
        raise StackError(f"another ./bidwright is starting on {data.path}: wait for it, or use another --data")
    try:
        sweep_outside()
        stack = Stack.plan(root, data, port, settings)
    except OSError as error:
        raise DataFolderError(f"cannot use the data folder {data.path}: {error}") from error

    async def run() -> int:
        return await Supervisor(stack, report).run()

    return asyncio.run(run())


def _detached(root: Path, data: DataFolder, port: int, settings: dict[str, str]) -> int:
    """Fork the supervisor into a session of its own, and show its progress until it is ready or has given up."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        code = 1
        report = PipeReport(os.fdopen(write_end, "w"))
        try:
            os.setsid()
            quiet = os.open(os.devnull, os.O_RDONLY)
            log = os.open(data.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for target, source in ((0, quiet), (1, log), (2, log)):
                os.dup2(source, target)
            code = _supervise(root, data, port, settings, report)
        except StackError as error:
            code = error.exit_code
            report.done(code, f"bidwright: {error}")
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
        os._exit(code)
    os.close(write_end)
    try:
        with os.fdopen(read_end) as stream:
            for line in stream:
                message = json.loads(line)
                if "done" in message:
                    TerminalReport().done(message["done"], message["text"])
                    return int(message["done"])
                print(message["line"], flush=True)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        return 130
    print(f"bidwright: the supervisor ended: see {data.log('supervisor')}", file=sys.stderr)
    return 1


def down(data: DataFolder) -> int:
    """Stop the supervisor, or what is left of a run whose supervisor was killed."""
    if not data.exists:
        raise StackError(f"{data.path} is no data folder of a stack")
    state = _running(data)
    if state is None:
        left = cleanup.sweep(data.secrets()["stack_id"], data.read_state())
        print(f"no stack runs on {data.path}" + (f"; ended {left} processes it had left behind" if left else ""))
        return 0
    began = time.monotonic()
    pid, started = state["supervisor"]["pid"], state["supervisor"]["started"]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not processes.wait_gone(lambda: processes.is_same(pid, started), _STOP_SECONDS):
        processes.kill_stale(pid, started, gentle=signal.SIGKILL)
    cleanup.sweep(data.secrets()["stack_id"], state)
    # Dead is not gone: an init that collects its orphans only now and then would leave a zombie to be seen.
    processes.wait_gone(lambda: psutil.pid_exists(pid), 1.5)
    print(f"stopped in {time.monotonic() - began:.1f} s")
    return 0


def restart(data: DataFolder, part: str | None) -> int:
    """Restart a part or all; returns when it is ready again."""
    answer = control.ask(_require_running(data)["control"], {"op": "restart", "part": part}, timeout=180)
    print(f"{part or 'everything'} restarted in {answer['seconds']:.1f} s")
    return 0


def status(data: DataFolder, *, as_json: bool) -> int:
    """A row for each part."""
    state = _running(data)
    phase, rows = "down", []
    if state is not None:
        with contextlib.suppress(StackError):
            answer = control.ask(state["control"], {"op": "status"}, timeout=10)
            phase, rows = answer["phase"], answer["parts"]
    if not rows:
        dead = {"pid": None, "ready": False, "uptime_s": 0.0, "state": "down"}
        rows = [{**row, **dead} for row in data.read_state().get("parts", [])]
    for row in rows:
        row.pop("started", None)
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        _print_rows(rows)
        if phase != "running":
            print(f"the stack on {data.path} is {phase}")
    return 0 if phase == "running" and all(row["ready"] for row in rows) else 1


def _print_rows(rows: list[dict[str, Any]]) -> None:
    print(f"{'part':<16} {'kind':<8} {'pid':>8} {'port':>6} {'ready':<6} {'uptime':>9} {'restarts':>8}  state")
    for row in rows:
        uptime = f"{row['uptime_s']:.0f} s"
        ready = "yes" if row["ready"] else "no"
        print(
            f"{row['name']:<16} {row['kind']:<8} {row['pid'] or '-':>8} {row['port']:>6} {ready:<6} {uptime:>9} "
            f"{row['restarts']:>8}  {row['state']}"
        )


def logs(data: DataFolder, part: str | None, *, follow: bool, lines: int) -> int:
    """The last lines of the logs, each with its part's name; with ``follow``, what comes after them too."""
    files = [data.log(part)] if part else sorted(data.logs.glob("*.log"))
    if part and not files[0].exists():
        known = ", ".join(sorted(file.stem for file in data.logs.glob("*.log")))
        raise StackError(f"no log of {part}: {known or 'there are none'}")
    width = max((len(file.stem) for file in files), default=0)
    offsets: dict[Path, int] = {}

    def show(file: Path, text: str) -> None:
        for line in text.splitlines():
            print(line if part else f"{file.stem:<{width}} | {line}")

    for file in files:
        offsets[file] = file.stat().st_size
        show(file, processes.tail(file, lines))
    while follow:
        sys.stdout.flush()
        time.sleep(0.2)
        for file in files if part else sorted(data.logs.glob("*.log")):
            size = file.stat().st_size
            since = offsets.get(file, 0)
            if size < since:  # moved aside at a start
                since = 0
            if size > since:
                with file.open("rb") as stream:
                    stream.seek(since)
                    show(file, stream.read(size - since).decode(errors="replace"))
            offsets[file] = size
    return 0


def running_state(data: DataFolder) -> dict[str, Any]:
    """What the running supervisor wrote of its stack; raises when no stack runs."""
    return _require_running(data)


def running_env(data: DataFolder) -> dict[str, str]:
    """What ``env`` prints; raises when no stack runs."""
    return dict(_require_running(data)["env"])


def env(data: DataFolder) -> int:
    """The addresses of a running stack."""
    for key, value in running_env(data).items():
        print(f"{key}={value}")
    return 0


def mail(data: DataFolder, *, as_json: bool) -> int:
    """The local mailbox, also of a stack that is down."""
    mails = mailbox.read(data.mailbox)
    print(json.dumps({"items": mails}, indent=1) if as_json else mailbox.as_text(mails))
    return 0
