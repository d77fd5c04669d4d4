"""The commands of the documentation are run, page by page, as a reader would, on a product that its first page starts.

A page's commands run in order in a folder of their own, where `./bidwright` means that product. What several pages say
(`./bidwright restart postgres`) is run once.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devstack import binaries
from devstack.data import DataFolder
from devstack.person import Person
from devstack.running import parse_env

from .docs_blocks import DOCS, PAGES, ROOT, Block, blocks_of, name_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FIRST = DOCS / "ops_coolify_deployment_guide.md"
COMMAND_SECONDS = 240
LINKED = ("scripts", "k8s", "libs", "services", "tests", "compose.yaml", ".env.example")
PAGES_WITH_COMMANDS = [page for page in (FIRST, *PAGES) if any(block.excuse is None for block in blocks_of(page))]
PRODUCTION = """SECRET_KEY=0123456789abcdef0123456789abcdef
JWT_SIGNING_KEY_FILE={key}
PUBLIC_BASE_URL=https://bidwright.example
ALLOWED_HOSTS=bidwright.example
STRIPE_WEBHOOK_SECRET=whsec_1
DATABASE_URL=postgresql://app:secret@db.example/bidwright
NATS_URL=nats://app:secret@nats.example
REDIS_URL=redis://valkey.example
EMAIL_HOST=smtp.example
"""
CERTIFICATE = (
    "openssl req -x509 -newkey ed25519 -nodes -subj /CN=localhost -days 90 -keyout new-key.pem -out new-cert.pem"
)
BIDWRIGHT = """#!/bin/sh
# The product of these tests, wherever a page says ./bidwright.
command="$1"; shift
[ "$command" != up ] || set -- --port {port} "$@"
exec {python} {root}/bidwright "$command" --data {data} "$@"
"""


@dataclass
class Reader:
    """Somebody who types what the pages say."""

    data: Path
    port: str
    done: set[str] = field(default_factory=set)
    env: dict[str, str] = field(default_factory=dict)

    def sit_down(self, folder: Path) -> None:
        """Prepares a folder as the pages take it to be."""
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        script = folder / "bidwright"
        script.write_text(BIDWRIGHT.format(port=self.port, python=sys.executable, root=ROOT, data=self.data))
        script.chmod(0o755)
        (folder / "tls").mkdir()
        subprocess.run(
            shlex.split(CERTIFICATE),
            cwd=folder,
            check=True,
            capture_output=True,
        )
        shutil.copy(folder / "new-cert.pem", folder / "cert.pem")
        (folder / "production.env").write_text(PRODUCTION.format(key=folder / "new-key.pem"))

    def runs(self, block: Block, folder: Path) -> None:
        """Runs the block; of lines that only call ./bidwright, those that no page has had."""
        script = block.script.replace("localhost:8080", f"localhost:{self.port}").replace(
            "/backups", f"{self.data}/backups"
        )
        lines = [line for line in script.splitlines() if line.strip()]
        if all(line.startswith("./bidwright") for line in lines):
            lines = [line for line in lines if line not in self.done]
            script = "\n".join(lines)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.page}\n{script}exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.done |= set(lines)

    def environment(self) -> dict[str, str]:
        """The product's addresses, as `./bidwright env` prints them, and the programs that it brings."""
        path = [Path(sys.executable).parent, binaries.require("postgres").parent, os.environ["PATH"]]
        return {**os.environ, **self.env, "PATH": os.pathsep.join(map(str, path))}

    def learn(self) -> None:
        """What the pages' variables stand for, once the product runs."""
        said = subprocess.run(
            [sys.executable, ROOT / "bidwright", "env", "--data", self.data], capture_output=True, text=True, check=True
        )
        self.env = parse_env(said.stdout)
        ports = {part["name"]: part["port"] for part in DataFolder(self.data).read_state()["parts"]}
        self.env |= {
            "WORKER": f"http://127.0.0.1:{ports['ai-worker']}",
            "MEDIA_ROOT": self.env["STORAGE_URL"].removeprefix("file://"),
            "BACKUP_DIR": f"{self.data}/backups",
            "KEY": self.make_key(),
        }

    def make_key(self) -> str:
        """An API key that may read the usage."""
        owner = Person(
            self.env["BASE_URL"], self.data / "mailbox", "docs@example.com", "a long enough pass phrase", "D"
        )
        owner.register()
        body = {"name": "docs", "scopes": ["billing:read"]}
        return str(owner.call("POST", "/api/keys", json=body)["key"])


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    # Not pytest's own temporary folder: its mode keeps the user out that PostgreSQL runs as when we are root.
    data = Path(tempfile.mkdtemp(prefix="bidwright-docs-"))
    data.chmod(0o755)
    yield Reader(data, port)
    subprocess.run([sys.executable, ROOT / "bidwright", "down", "--data", data], capture_output=True, check=False)
    shutil.rmtree(data, ignore_errors=True)


@pytest.mark.parametrize("page", dict.fromkeys(PAGES_WITH_COMMANDS), ids=name_of)
def test_a_pages_commands_work(reader: Reader, page: Path, tmp_path: Path) -> None:
    if page == FIRST:
        first, *_ = blocks_of(page)
        reader.sit_down(tmp_path)
        reader.runs(first, tmp_path)
        reader.learn()
    else:
        reader.sit_down(tmp_path)
        if not reader.env:
            pytest.fail(f"{name_of(FIRST)} did not start the product", pytrace=False)
    for block in blocks_of(page):
        if block.excuse is None:
            reader.runs(block, tmp_path)
