"""The API as the process that production runs: its event loop, its server, the gateway's keys, its stop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import jwt
import pytest

from common.testing import KEY_ID, IdentityIssuer
from devstack import ports

from .story import Org, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def jwks_url(issuer: IdentityIssuer) -> Iterator[str]:
    """Publishes the issuer's key as the gateway does."""
    public = issuer.verifier._keys.keys[KEY_ID]
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True) | {"kid": KEY_ID, "use": "sig", "alg": "EdDSA"}
    body = json.dumps({"keys": [jwk]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json"
    server.shutdown()
    server.server_close()


async def test_renders_serves_and_stops(org: Org, environment: dict[str, str], jwks_url: str, tmp_path: Path) -> None:
    port = ports.free_port()
    log = tmp_path / "api.log"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exports.main",
        "api",
        env={**os.environ, **environment, "PORT": str(port), "IDENTITY_JWKS_URL": jwks_url},
        stderr=log.open("wb"),
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:

        async def ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await eventually(ready, "the API is ready", seconds=30)
        org.client = client
        proposal = await org.proposal().written("Text.")
        made = [await org.export(proposal, file_format) for file_format in ("md", "pdf", "docx")]
        files = [await org.get(answer.json()["url"]) for answer in made]
        metrics = (await client.get("/metrics")).text

    child.terminate()
    async with asyncio.timeout(15):
        await child.wait()
    # the server ends itself by the signal that stopped it, once everything is closed
    assert child.returncode in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in log.read_text()
    assert [answer.status_code for answer in (*made, *files)] == [201] * 3 + [200] * 3, log.read_text()[-2000:]
    for answer, file in zip(made, files, strict=True):
        assert hashlib.sha256(file.content).hexdigest() == answer.json()["sha256"]
    assert 'bidwright_export_render_seconds_count{format="pdf"} 1.0' in metrics
