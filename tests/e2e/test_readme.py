"""The README's session is real: its commands run in order, and print what it shows."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LINES_AT_MOST = 45


def session() -> list[tuple[str, str]]:
    """Each command with the output that the README shows under it."""
    block = re.search(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    parts = re.split(r"^\$ ", block.group(1), flags=re.MULTILINE)[1:]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def pattern(shown: str) -> re.Pattern[str]:
    """A line of dots stands for any lines."""
    lines = [".*" if line == "..." else re.escape(line) + "\n?" for line in shown.splitlines()]
    return re.compile("".join(lines), re.DOTALL)


@pytest.fixture
def place() -> Iterator[tuple[str, str]]:
    """A port and a data folder of this test's own: the ones of the README may be in use here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    # Not pytest's own temporary folder: its mode keeps the user out that PostgreSQL runs as when we are root.
    data = tempfile.mkdtemp(prefix="bidwright-readme-")
    Path(data).chmod(0o755)
    yield port, data
    subprocess.run([ROOT / "bidwright", "down", "--data", data], capture_output=True)
    shutil.rmtree(data, ignore_errors=True)


@pytest.mark.timeout(300)
def test_its_commands_print_what_it_shows(place: tuple[str, str]) -> None:
    port, data = place
    for command, shown in session():
        own = re.sub(r"(\./bidwright \w+)", rf"\1 --data {data}", command).replace(
            "up --data", f"up --port {port} --data"
        )
        done = subprocess.run(
            ["sh", "-c", own.replace(":8080", f":{port}")], cwd=ROOT, capture_output=True, text=True, timeout=200
        )
        printed = done.stdout.replace(f":{port}", ":8080")
        assert done.returncode == 0, f"$ {command}\n{printed}{done.stderr}"
        assert pattern(shown).search(printed), f"$ {command}\n{printed}\nThe README shows:\n{shown}"


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= LINES_AT_MOST


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
