"""The command itself, as a user types it: bad input in one line, crashes repaired, nothing left behind."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from devstack import cleanup
from devstack.running import RunningStack, run_command, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "billing", "ai", "exports", "uploads")
PARTS = {"postgres", "nats", "valkey", "envoy", "stripe-fake", *SERVICES, *(f"{name}-worker" for name in SERVICES)}


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStack]:
    """A stack of this module's own: its processes are killed here."""
    with running_stack(ROOT) as running:
        yield running


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that no stack was started on yet."""
    folder = Path(f"/tmp/bidwright-command-{os.getpid()}-{time.monotonic_ns()}")
    yield folder
    if folder.exists():
        run_command(ROOT, "down", "--data", str(folder), check=False)
        shutil.rmtree(folder)


def rows(stack: RunningStack) -> dict[str, dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.command("status", "--json", check=False).stdout)
    return {row["name"]: row for row in found}


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.1)


def stack_id(data: Path) -> str:
    return str(json.loads((data / "secrets.json").read_text())["stack_id"])


def processes_of(data: Path) -> list[int]:
    return cleanup.marked(stack_id(data))


def supervisor_of(data: Path) -> int:
    return int(json.loads((data / "run" / "state.json").read_text())["supervisor"]["pid"])


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["up", "--data", "{data}", "QUOTA_FREE_ACTIV_CAP=1"], "did you mean QUOTA_FREE_ACTIVE_CAP?"),
            (["up", "--data", "{data}", "nonsense"], "is not KEY=VALUE"),
            (["up", "--data", "{data}", "--env", "/nowhere"], "cannot read /nowhere"),
            (["up", "--data", "{data}", "--port", "99999"], "is no port"),
            (["up", "--data", "/proc/stack"], "cannot use the data folder /proc/stack"),
            (["up", "--data", "/etc/hostname/stack"], "cannot use the data folder"),
            (["up", "--data", "{root}/libs"], "is not empty and not a data folder"),
            (["env", "--data", "{data}"], "start it with ./bidwright up"),
            (["restart", "--data", "{data}"], "start it with ./bidwright up"),
            (["tset"], "invalid choice"),
            (["test", "units"], "did you mean unit?"),
        ],
    )
    def test_one_line_that_says_what_and_what_to_do(self, data: Path, words: list[str], said: str) -> None:
        done = run_command(ROOT, *(word.format(data=data, root=ROOT) for word in words), check=False)
        assert done.returncode not in (0, -1)
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr + done.stdout

    def test_a_taken_port_is_named_with_the_way_out(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            port = str(stranger.getsockname()[1])
            done = run_command(ROOT, "up", "--data", str(data), "--port", port, check=False)
        assert done.returncode != 0
        assert done.stderr.startswith(f"bidwright: port {port} is taken by another program")
        assert "--port" in done.stderr

    def test_a_folder_of_a_newer_version_is_refused(self, data: Path) -> None:
        data.mkdir()
        (data / "version").write_text("99\n")
        done = run_command(ROOT, "up", "--data", str(data), check=False)
        assert done.returncode != 0
        assert "made by a newer Bidwright (data version 99" in done.stderr

    def test_a_bad_value_stops_everything_that_was_started(self, data: Path) -> None:
        words = ["up", "--detach", "--port", "0", "--data", str(data), "QUOTA_FREE_ACTIVE_CAP=many"]
        done = run_command(ROOT, *words, check=False)
        assert done.returncode != 0
        assert "QUOTA_FREE_ACTIVE_CAP" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert processes_of(data) == []

    def test_a_full_disk_is_said_before_anything_starts(self, data: Path) -> None:
        data.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(data)], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("may not mount here")
        try:
            done = run_command(ROOT, "up", "--data", str(data), check=False)
        finally:
            subprocess.run(["umount", str(data)], check=True)
        assert done.returncode != 0
        assert "no disk space" in done.stderr

    def test_an_old_python_is_named_in_one_line(self) -> None:
        script = ROOT / "bidwright"
        ast.parse(script.read_text(), feature_version=(3, 6))
        # The check itself, on this interpreter: an older one need not be installed here.
        code = f"import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path({str(script)!r}, run_name='__main__')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("bidwright: needs Python 3.11 or newer, this is 3.9")
        assert len(done.stderr.splitlines()) == 1


class TestUp:
    def test_every_part_is_ready_and_listed(self, own: RunningStack) -> None:
        done = own.command("status", "--json")
        found = {row["name"]: row for row in json.loads(done.stdout)}
        assert set(found) == PARTS
        assert all(row["ready"] and row["pid"] and row["port"] for row in found.values())
        assert {row["kind"] for row in found.values()} == {"server", "service", "worker"}

    def test_env_has_what_the_contract_lists(self, own: RunningStack) -> None:
        wanted = {"BASE_URL", "BACKUP_DATABASE_URL", "REDIS_URL", "STORAGE_URL", "STRIPE_FAKE_URL"}
        wanted |= {"STRIPE_WEBHOOK_SECRET", "MAILBOX_URL", "PRICE_PRO_MONTHLY", "PRICE_BUNDLE_25"}
        for service in SERVICES:
            prefix = service.upper()
            wanted |= {f"{prefix}_{what}" for what in ("URL", "DATABASE_URL", "WORKER_DATABASE_URL", "NATS_URL")}
        assert wanted <= set(own.env)
        assert httpx.get(f"{own.base_url}/healthz").json() == {"status": "ok"}

    def test_secrets_are_for_the_owner_alone(self, own: RunningStack) -> None:
        for name in ("secrets.json", "run/state.json", "nats/nats.conf", "valkey/valkey.conf"):
            assert (own.data / name).stat().st_mode & 0o077 == 0, name

    def test_only_the_loopback_is_listened_on(self, own: RunningStack) -> None:
        ours = set(processes_of(own.data))
        listening = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in ours]
        assert listening
        assert {c.laddr.ip for c in listening} <= {"127.0.0.1", "::1"}

    def test_a_second_up_on_the_same_folder_is_refused(self, own: RunningStack) -> None:
        done = own.command("up", "--port", "0", check=False)
        assert done.returncode != 0
        assert "a stack already runs on" in done.stderr

    def test_two_stacks_run_side_by_side(self, own: RunningStack) -> None:
        with running_stack(ROOT) as other:
            assert other.base_url != own.base_url
            assert httpx.get(f"{other.base_url}/healthz").status_code == 200
            assert httpx.get(f"{own.base_url}/healthz").status_code == 200
            assert not set(processes_of(own.data)) & set(processes_of(other.data))
        assert processes_of(own.data)


class TestLogs:
    def test_a_part_has_its_own(self, own: RunningStack) -> None:
        assert "database system is ready" in own.command("logs", "postgres").stdout

    def test_an_unknown_part_is_answered_with_the_known_ones(self, own: RunningStack) -> None:
        done = own.command("logs", "postgre", check=False)
        assert done.returncode != 0
        assert "billing-worker" in done.stderr


class TestRestart:
    def test_one_part_gets_a_new_process_and_the_others_stay(self, own: RunningStack) -> None:
        before = rows(own)
        own.command("restart", "exports")
        after = rows(own)
        assert after["exports"]["pid"] != before["exports"]["pid"]
        assert after["exports"]["ready"]
        assert after["ai"]["pid"] == before["ai"]["pid"]

    def test_an_unknown_part_is_answered_with_the_known_ones(self, own: RunningStack) -> None:
        done = own.command("restart", "export", check=False)
        assert done.returncode != 0
        assert "exports-worker" in done.stderr


class TestCrash:
    @pytest.mark.parametrize("name", ["billing", "uploads-worker", "valkey", "nats", "postgres", "envoy"])
    def test_a_killed_part_comes_back_and_status_says_so(self, own: RunningStack, name: str) -> None:
        before = rows(own)[name]
        os.kill(before["pid"], signal.SIGKILL)
        wait_until(lambda: rows(own)[name]["restarts"] == before["restarts"] + 1 and rows(own)[name]["ready"])
        assert rows(own)[name]["pid"] != before["pid"]
        wait_until(lambda: own.command("status", check=False).returncode == 0)

    def test_the_preloading_parent_and_all_it_forked_come_back(self, own: RunningStack) -> None:
        before = rows(own)
        state = json.loads((own.data / "run" / "state.json").read_text())
        for helper in state["helpers"]:  # more than one when a source file was changed since the start
            os.kill(helper["pid"], signal.SIGKILL)
        wait_until(lambda: rows(own)["ai"]["pid"] not in (None, before["ai"]["pid"]))
        wait_until(lambda: own.command("status", check=False).returncode == 0, 40)


class TestDown:
    def test_ctrl_c_stops_everything_within_ten_seconds(self, data: Path) -> None:
        argv = [sys.executable, str(ROOT / "bidwright"), "up", "--port", "0", "--data", str(data)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            assert process.stdout is not None
            while "Bidwright is ready" not in process.stdout.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        assert processes_of(data) == []

    def test_after_kill_9_of_the_supervisor_nothing_lives_on_and_up_works_again(self, data: Path) -> None:
        words = ["up", "--detach", "--port", "0", "--data", str(data)]
        run_command(ROOT, *words)
        os.kill(supervisor_of(data), signal.SIGKILL)
        wait_until(lambda: processes_of(data) == [], 5)
        assert run_command(ROOT, "status", "--data", str(data), check=False).returncode == 1
        run_command(ROOT, *words)
        assert run_command(ROOT, "status", "--data", str(data)).returncode == 0
        run_command(ROOT, "down", "--data", str(data))
        assert processes_of(data) == []
        assert "no stack runs" in run_command(ROOT, "down", "--data", str(data)).stdout
