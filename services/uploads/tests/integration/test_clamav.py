"""The real ClamAV, with a signature of its own: the program for each file, and the daemon that it streams to."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from uploads.inspection import Refused
from uploads.scan import scanner_for

from .conftest import free_port

pytestmark = pytest.mark.integration

MALWARE: Final = b"This line stands for malware: BIDWRIGHT-SIGNATURE-7f3a51."
SIGNATURE: Final = f"Bidwright.Test:0:*:{b'BIDWRIGHT-SIGNATURE-7f3a51'.hex()}\n"
STREAM_BYTES: Final = 1 << 20
START_SECONDS: Final = 30
CLAMSCAN, CLAMD = shutil.which("clamscan"), shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")

needs_clamscan = pytest.mark.skipif(not CLAMSCAN, reason="clamscan is not installed (Debian: clamav)")
needs_clamd = pytest.mark.skipif(not CLAMD, reason="clamd is not installed (Debian: clamav-daemon)")


@pytest.fixture(scope="module")
def signatures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our own signature only: nothing is fetched."""
    folder = tmp_path_factory.mktemp("signatures")
    (folder / "own.ndb").write_text(SIGNATURE)
    return folder


@pytest.fixture(scope="module")
def command(signatures: Path) -> str:
    return f"{CLAMSCAN} --no-summary --database={signatures} {{path}}"


@pytest.fixture(scope="module")
async def daemon(signatures: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder, port = tmp_path_factory.mktemp("clamd"), free_port()
    lines = (
        f"DatabaseDirectory {signatures}",
        f"TCPSocket {port}",
        "TCPAddr 127.0.0.1",
        "Foreground yes",
        f"TemporaryDirectory {folder}",
        f"StreamMaxLength {STREAM_BYTES}",
        f"LogFile {folder}/log",
        "LogFileMaxSize 0",
    )
    (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        str(CLAMD), f"--config-file={folder}/clamd.conf", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _answers(port, process)
        yield f"clamd://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.returncode is None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.write(b"zPING\0")
        assert await reader.readuntil(b"\0") == b"PONG\0"
        writer.close()
        return
    raise AssertionError(f"clamd did not start (exit code {process.returncode})")


async def verdict(command: str, path: Path) -> str:
    try:
        await scanner_for(command, 60).scan(path)
    except Refused as refused:
        return refused.code
    return "clean"


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "a file"
        path.write_bytes(data)
        return path

    return write


@needs_clamscan
class TestClamscan:
    async def test_a_clean_file_passes(self, command: str, file: Callable[[bytes], Path]) -> None:
        assert await verdict(command, file(b"A work plan.")) == "clean"

    async def test_malware_is_found(self, command: str, file: Callable[[bytes], Path]) -> None:
        assert await verdict(command, file(MALWARE)) == "infected"

    async def test_a_scan_that_fails_is_not_clean(self, command: str, tmp_path: Path) -> None:
        assert await verdict(command, tmp_path / "away") == "scan_error"

    async def test_no_signatures_at_all_is_not_clean(self, file: Callable[[bytes], Path], tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        scan = f"{CLAMSCAN} --no-summary --database={empty} {{path}}"
        assert await verdict(scan, file(b"A work plan.")) == "scan_error"


@needs_clamd
class TestClamd:
    async def test_a_clean_file_passes(self, daemon: str, file: Callable[[bytes], Path]) -> None:
        assert await verdict(daemon, file(b"A work plan.")) == "clean"

    async def test_malware_is_found_also_behind_the_first_chunk(
        self, daemon: str, file: Callable[[bytes], Path]
    ) -> None:
        assert await verdict(daemon, file(b"x\n" * 100_000 + MALWARE)) == "infected"

    async def test_a_file_over_the_daemons_limit_is_not_clean(self, daemon: str, file: Callable[[bytes], Path]) -> None:
        assert await verdict(daemon, file(b"x" * (8 * STREAM_BYTES))) == "scan_error"

    async def test_many_at_once_get_each_their_own_verdict(self, daemon: str, tmp_path: Path) -> None:
        paths = [tmp_path / str(number) for number in range(20)]
        for number, path in enumerate(paths):
            path.write_bytes(MALWARE if number % 3 == 0 else b"A work plan.")
        verdicts = await asyncio.gather(*(verdict(daemon, path) for path in paths))
        assert verdicts == ["infected" if number % 3 == 0 else "clean" for number in range(20)]


class TestUpload:
    @pytest.mark.parametrize(
        "scanner", [pytest.param("command", marks=needs_clamscan), pytest.param("daemon", marks=needs_clamd)]
    )
    async def test_malware_is_refused_and_leaves_nothing_behind(
        self,
        request: pytest.FixtureRequest,
        serve_api: Any,
        caller: Any,
        files_of: Callable[[UUID], list[Path]],
        staged: Callable[[], list[Path]],
        scanner: str,
    ) -> None:
        value = request.getfixturevalue(scanner)
        ada = caller(client=await serve_api(VIRUSSCAN_CMD=value, VIRUSSCAN_TIMEOUT_SECONDS="60"))
        infected = await ada.upload(MALWARE, "notes.txt")
        assert (infected.status_code, infected.json()["error"]) == (400, "infected")
        assert files_of(ada.org_id) == staged() == []
        assert (await ada.upload(b"A work plan.", "notes.txt")).status_code == 201
        assert len(files_of(ada.org_id)) == 1
