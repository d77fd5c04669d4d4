from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack import cleanup, ports, processes
from devstack.servers.postgres import reachable
from devstack.stack import MARK


def alive(pid: int) -> bool:
    return processes.start_time(pid) is not None


class TestSpawn:
    def test_the_child_dies_with_its_parent_even_by_kill_9(self, tmp_path: Path) -> None:
        code = (
            "import sys, time; from pathlib import Path; from devstack import processes\n"
            f"child = processes.spawn(['sleep', '60'], log=Path({str(tmp_path / 'log')!r}))\n"
            "print(child.pid, flush=True); time.sleep(60)"
        )
        parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        parent.wait()
        assert processes.wait_gone(lambda: alive(child), 5)


class TestIsSame:
    def test_a_pid_with_another_start_time_is_a_stranger(self) -> None:
        started = processes.start_time(os.getpid())
        assert started is not None
        assert processes.is_same(os.getpid(), started)
        assert not processes.is_same(os.getpid(), started - 100)

    def test_a_stranger_is_never_killed(self) -> None:
        with subprocess.Popen(["sleep", "60"]) as stranger:
            assert not processes.kill_stale(stranger.pid, 12345.0)
            assert stranger.poll() is None
            stranger.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestSweep:
    def test_ends_every_process_with_the_mark_and_no_other(self) -> None:
        ours = [
            subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "stack-a"}),
            subprocess.Popen(["sh", "-c", "trap '' INT; sleep 60"], env={**os.environ, MARK: "stack-a"}),
        ]
        other = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "stack-ab"})
        time.sleep(0.2)
        assert cleanup.sweep("stack-a", {}, gentle_seconds=0.3) >= 2
        assert all(process.wait(2) for process in ours)
        assert other.poll() is None
        other.send_signal(signal.SIGKILL)
        other.wait()


class TestPorts:
    def test_a_port_that_somebody_listens_on_is_not_free(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            port = stranger.getsockname()[1]
            assert not ports.is_free(port)
            assert ports.choose(["a", "b"], preferred={"a": port})["a"] != port

    def test_the_last_runs_ports_are_kept_and_no_two_are_equal(self) -> None:
        first = ports.choose([str(n) for n in range(50)])
        assert len(set(first.values())) == 50
        assert ports.choose(list(first), preferred=first) == first


class TestReachable:
    def test_a_private_folder_on_the_way_keeps_another_user_out(self, tmp_path: Path) -> None:
        nobody = processes.User(65534, 65534)
        inner = tmp_path / "private" / "data"
        inner.mkdir(parents=True)
        inner.parent.chmod(0o700)
        assert not reachable(inner / "not-there-yet", nobody)
        assert reachable(Path("/usr/bin"), nobody)
