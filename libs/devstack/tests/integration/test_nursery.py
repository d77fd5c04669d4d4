"""The preloading parent runs modules as ``python -m`` would, and takes its children with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack import processes
from devstack.builder import preloaded_packages
from devstack.nursery_client import NurseryClient

MODULE = """
import os, sys, time
def main(argv):
    print(argv, os.environ.get("NAME"), "HOME" in os.environ, flush=True)
    if argv[0] == "sleep":
        time.sleep(60)
    if argv[0] == "refuse":
        raise SystemExit("billing: KEY: is wrong")
    return int(argv[1])
"""


@pytest.fixture
async def nursery(tmp_path: Path) -> AsyncIterator[NurseryClient]:
    (tmp_path / "sample_module.py").write_text(MODULE)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "HOME": "/"}
    client = NurseryClient(packages=[], log=tmp_path / "nursery.log", env=env)
    await client.start()
    yield client
    await client.stop()


async def spawn(nursery: NurseryClient, tmp_path: Path, *argv: str) -> tuple[int, int]:
    log = tmp_path / "child.log"
    child = await nursery.spawn("sample", "sample_module", argv, env={"NAME": "value"}, log=log)
    return child.pid, await asyncio.wait_for(child.wait(), 20)


async def test_a_child_gets_its_arguments_its_log_and_only_its_own_environment(
    nursery: NurseryClient, tmp_path: Path
) -> None:
    _, code = await spawn(nursery, tmp_path, "exit", "3")
    assert code == 3
    assert (tmp_path / "child.log").read_text() == "['exit', '3'] value False\n"


async def test_a_refusal_at_start_is_in_the_log_and_the_code(nursery: NurseryClient, tmp_path: Path) -> None:
    _, code = await spawn(nursery, tmp_path, "refuse")
    assert code == 1
    assert "billing: KEY: is wrong" in (tmp_path / "child.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
async def test_killing_the_parent_ends_its_children(nursery: NurseryClient, tmp_path: Path) -> None:
    child = await nursery.spawn("sample", "sample_module", ["sleep"], env={}, log=tmp_path / "child.log")
    assert nursery.process is not None
    nursery.process.send_signal(signal.SIGKILL)
    assert await asyncio.wait_for(child.wait(), 5) == -signal.SIGKILL
    assert processes.wait_gone(lambda: processes.start_time(child.pid) is not None, 5)


async def test_with_all_services_loaded_it_holds_no_thread_and_nothing_failed(tmp_path: Path) -> None:
    log = tmp_path / "nursery.log"
    client = NurseryClient(packages=preloaded_packages(), log=log, env={"PATH": os.environ["PATH"], "HOME": "/"})
    await client.start()
    try:
        assert (await client.loaded)["threads"] == 1
        assert log.read_text() == ""
    finally:
        await client.stop()
