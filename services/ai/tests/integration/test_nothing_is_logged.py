"""Nothing that a user wrote stands in the logs or the spans of the API and the worker, whatever goes well or wrong."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ai_fake.testing import FakeProcess
from common.ids import new_id
from common.testing import KEY_ID

from .conftest import Caller, World, free_port
from .vendors_at_hand import addresses

pytestmark = pytest.mark.integration

MARKERS = (
    *("zqtitle", "zqcall", "zqsection", "zqtext", "zqanswer", "zqwish", "zqupload", "zqsearch", "zqbroken", "zqkey"),
    *("zqmodel", "zqheader", "zqpath", "zqfilename", "zqstale"),
)
"""Each in one kind of text, so that a failure says which."""


@contextmanager
def listener(answers: dict[str, bytes], received: list[bytes]) -> Iterator[str]:
    """A small server: what it answers to GET by path, and where it keeps what is posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path in answers else 404, answers.get(self.path, b""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self._answer(200, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """The requests are the test's own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def key_set(world: World) -> bytes:
    """The issuer's public key, as the gateway would publish it."""
    public = world.issuer._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(public).decode().rstrip("=")
    return json.dumps(
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": x}]}
    ).encode()


@asynccontextmanager
async def processes(world: World, log: Path, **changes: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API and the worker as they run in production, with all that they print in one file."""
    port = free_port()
    env = {**world.env, **changes, "LOG_FORMAT": "json", "LOG_LEVEL": "debug"}
    with log.open("wb") as output:
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "ai.main", kind),
                env={**env, "DATABASE_URL": url, "PORT": str(at)},
                stdout=output,
                stderr=output,
            )
            for kind, url, at in (
                ("api", world.database.app_url, port),
                ("worker", world.database.worker_url, free_port()),
            )
        ]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
                async with asyncio.timeout(60):
                    while True:
                        try:
                            if (await client.get("/readyz")).status_code == 200:
                                break
                        except httpx.TransportError:
                            await asyncio.sleep(0.1)
                yield client
        finally:
            for process in running:
                process.terminate()
            await asyncio.gather(*(process.wait() for process in running))


async def drive(world: World, fake: FakeProcess, caller: Caller) -> None:
    """Everything that takes a user's words, with what can go wrong with them."""
    fake.always("openai", {"text": "Wells of zqmodel [report.pdf, p. 1] for 12 zqmodel."})
    proposal = await caller.proposal(title="The zqtitle", call_text="Statement of need. Show the zqcall of people.")
    upload = await world.upload(caller.org_id, ["The zqupload of need."], proposal_id=UUID(proposal["id"]))
    section = await caller.section(proposal["id"], "Need zqsection", "Old zqtext.")
    path = f"/api/sections/{section['id']}"
    planned = await caller.post("/api/ai/plan", {"proposal_id": proposal["id"]})
    assert planned.status_code in (200, 409), planned.text
    body = {"section_id": section["id"], "answers": {"zqkey": "zqanswer"}, "upload_ids": [str(upload)]}
    asked = await caller.post("/api/ai/write", body, Prefer="respond-async")
    assert (await caller.until_done(asked.json()["job_id"]))["status"] == "succeeded"
    assert (await caller.post("/api/ai/write", body)).status_code == 200
    assert (
        await caller.post("/api/ai/revise", {"section_id": section["id"], "instruction": "zqwish"})
    ).status_code == 200
    for failure in (
        {"status": 500, "code": "zqmodel"},
        {"text": "zqmodel zqmodel", "cut_after": 1},
        {"rubbish_after": 1},
    ):
        fake.reset()
        fake.always("openai", failure)
        assert (await caller.post("/api/ai/write", body)).status_code == 503
    stale = await caller.patch(path, {"text": "Also zqstale."}, If_Match='"1"')
    assert stale.status_code == 412
    for bad in ({"text": "NUL \x00 zqbroken"}, {"text": 7, "zqbroken": "zqbroken"}, {"title": "zqbroken" * 500}):
        assert (await caller.patch(path, bad, If_Match='"1"')).status_code == 422
    broken = await caller.call(
        "PATCH", path, content=b'{"text": "zqbroken', headers={"content-type": "application/json"}
    )
    assert broken.status_code in (400, 422)
    assert (await caller.get("/api/proposals?q=zqsearch")).status_code == 200
    assert (await caller.get("/api/ai/memory/suggestions?q=zqsearch")).status_code == 200
    assert (await caller.get("/api/sections/zqpath")).status_code == 404
    assert (await caller.get("/api/zqpath/zqpath?zqsearch=zqsearch")).status_code == 404
    await caller.get(path, headers={"X_Anything": "zqheader", "User_Agent": "zqheader"})
    for page in ("provenance", "citations", "revisions", "approve"):
        answer = await (caller.post(f"{path}/approve") if page == "approve" else caller.get(f"{path}/{page}"))
        assert answer.status_code == 200, answer.text
    for page in ("check", "compliance", "compliance?format=csv", "compliance?format=docx"):
        assert (await caller.get(f"/api/proposals/{proposal['id']}/{page}")).status_code == 200
    await world.published("events.ai.section.approved", caller.org_id, 1)


async def test_nothing_a_user_wrote_is_in_logs_or_spans(world: World, tmp_path: Path) -> None:
    spans: list[bytes] = []
    log = tmp_path / "log.jsonl"
    with FakeProcess() as fake, listener({"/jwks": key_set(world)}, spans) as url:
        changes = {
            **addresses(fake, "openai"),
            "IDENTITY_JWKS_URL": f"{url}/jwks",
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OPENAI_LOG": "debug",
        }
        async with processes(world, log, **changes) as client:
            org, user = new_id(), new_id()
            await world.entitle(org)
            await drive(world, fake, Caller(client, org, user, world.issuer.headers(user_id=user, org_id=org)))
    said = log.read_text(errors="replace")
    lines = [line for line in said.splitlines() if line.startswith("{")]
    assert any(json.loads(line)["event"] == "ai.provider_failed" for line in lines)
    assert len(lines) > 20
    assert any(b"/api/sections/{section_id}" in body for body in spans), "there are spans of requests"
    assert [marker for marker in MARKERS if marker in said.lower()] == []
    assert [marker for marker in MARKERS if any(marker.encode() in body.lower() for body in spans)] == []
