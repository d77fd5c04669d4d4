"""``./bidwright web``: the app with hot reload, in front of a running stack; Ctrl-C ends it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from devstack import binaries
from devstack.data import DataFolder
from devstack.web import WebApp


def run(root: Path, data: DataFolder, env: dict[str, str], *, port: int) -> int:
    """Installs what it needs, then serves until it is stopped. ``env`` is what ``./bidwright env`` prints."""
    web = WebApp(root, data.log("web"), {})
    asyncio.run(web.ensure_installed())
    node, npm = binaries.node_and_npm()
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    argv = [*npm, "run", "dev", "--", "--port", str(port), "--strictPort"]
    environment = {**os.environ, "PATH": path, "BIDWRIGHT_URL": env["BASE_URL"]}
    return subprocess.run(argv, cwd=web.folder, env=environment, check=False).returncode
