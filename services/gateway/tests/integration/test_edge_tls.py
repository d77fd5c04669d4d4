"""With a certificate the edge speaks HTTPS: HTTP/1.1, HTTP/2 and HTTP/3, and a new certificate without a restart."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent
from cryptography import x509

from devstack import binaries, ports
from devstack.servers import Envoy
from gateway.edge import tls
from gateway.edge.__main__ import main

from .certificates import make

pytestmark = pytest.mark.integration


@dataclass
class TlsEdge:
    """An Envoy with a certificate, before the module's gateway."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "tls.crt"))


@pytest.fixture(scope="module")
def tls_edge(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsEdge]:
    folder = tmp_path_factory.mktemp("tls")
    make(folder)
    chosen = ports.choose(["edge", "envoy-admin"])
    settings = {
        "PUBLIC_BASE_URL": f"https://localhost:{chosen['edge']}",
        "EDGE_PORT": str(chosen["edge"]),
        "ENVOY_ADMIN_PORT": str(chosen["envoy-admin"]),
        "EDGE_TLS_CERT_FILE": str(folder / "tls.crt"),
        "EDGE_TLS_KEY_FILE": str(folder / "tls.key"),
        "EDGE_ACCESS_LOG": str(folder / "access.log"),
        **{key: value for key, value in stack.env.items() if key.endswith("_UPSTREAM")},
    }
    config = folder / "envoy.json"
    with pytest.MonkeyPatch.context() as patch:
        for key, value in settings.items():
            patch.setenv(key, value)
        assert main(["--output", str(config)]) == 0
    argv = [str(binaries.require("envoy")), "--mode", "validate", "-c", str(config), "--log-level", "warn"]
    assert subprocess.run(argv, timeout=60, check=False).returncode == 0
    assert json.loads((folder / tls.CERTIFICATE_FILE).read_text())["resources"]
    envoy = Envoy(folder / "envoy", port=chosen["edge"], admin_port=chosen["envoy-admin"], config=config)
    envoy.start()
    yield TlsEdge(chosen["edge"], folder)
    envoy.stop()


@pytest.mark.parametrize(("http2", "version"), [(False, "HTTP/1.1"), (True, "HTTP/2")])
async def test_tcp_clients_are_answered_in_the_newest_version_they_know(
    tls_edge: TlsEdge, http2: bool, version: str
) -> None:
    async with httpx.AsyncClient(
        verify=tls_edge.trust(), http2=http2, base_url=tls_edge.url, trust_env=False
    ) as client:
        for path, status in (("/healthz", 200), ("/api/me", 401), ("/nowhere", 404)):
            answer = await client.get(path)
            assert (answer.status_code, answer.http_version) == (status, version)
            assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
            assert answer.headers["alt-svc"].startswith(f'h3=":{tls_edge.port}"')


class _Http3(QuicConnectionProtocol):
    """As much of HTTP/3 as one GET needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.headers: dict[str, str] = {}
        self.body = b""

    async def get(self, authority: str, path: str, **headers: str) -> None:
        stream_id = self._quic.get_next_available_stream_id()
        sent = {":method": "GET", ":scheme": "https", ":authority": authority, ":path": path, **headers}
        self._http.send_headers(stream_id, [(k.encode(), v.encode()) for k, v in sent.items()], end_stream=True)
        self.transmit()
        await asyncio.wait_for(self._done, 10)

    def quic_event_received(self, event: QuicEvent) -> None:
        for found in self._http.handle_event(event):
            if isinstance(found, HeadersReceived):
                self.headers = {name.decode(): value.decode() for name, value in found.headers}
            elif isinstance(found, DataReceived):
                self.body += found.data
            if isinstance(found, HeadersReceived | DataReceived) and found.stream_ended and not self._done.done():
                self._done.set_result(None)


async def ask_by_http3(edge: TlsEdge, path: str, **headers: str) -> _Http3:
    """A connection that has asked once and was answered."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="localhost")
    configuration.load_verify_locations(str(edge.folder / "tls.crt"))
    async with connect("127.0.0.1", edge.port, configuration=configuration, create_protocol=_Http3) as client:
        assert isinstance(client, _Http3)
        await client.get(f"localhost:{edge.port}", path, **headers)
        return client


async def test_who_is_known_is_known_in_every_version(
    tls_edge: TlsEdge, person: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    wanted = {"name": "script", "scopes": ["proposals:read"]}
    key = (await browser.post("/api/keys", json=wanted)).json()["key"]
    org_id = person["orgs"][0]["id"]
    headers = {"authorization": f"Bearer {key}"}
    arrived = {"HTTP/3": json.loads((await ask_by_http3(tls_edge, "/api/proposals", **headers)).body)}
    for http2 in (False, True):
        async with httpx.AsyncClient(
            verify=tls_edge.trust(), http2=http2, base_url=tls_edge.url, trust_env=False, headers=headers
        ) as client:
            for _ in range(3):
                answer = await client.get("/api/proposals")
                arrived[answer.http_version] = answer.json()
            foreign = await client.get("/api/proposals", headers={"x-org-id": "01a20c4e-0000-7000-8000-000000000000"})
            assert (foreign.status_code, foreign.json()["error"]) == (403, "org_forbidden")
    assert set(arrived) == {"HTTP/1.1", "HTTP/2", "HTTP/3"}
    for version, request in arrived.items():
        [token] = request["headers"]["x-bidwright-identity"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["org"], claims["aud"]) == (org_id, "ai"), version
        assert request["headers"]["x-forwarded-proto"] == ["https"], version


@pytest.mark.parametrize(
    ("status", "error", "method", "path", "headers"),
    [
        (404, "not_found", "GET", "/nowhere", {}),
        (400, "invalid_request", "GET", "/api/%00", {}),
        (400, "invalid_request", "GET", "/api%2Fme", {}),
        (421, "misdirected", "GET", "/app", {"host": "evil.example"}),
        (401, "unauthenticated", "GET", "/api/me", {"authorization": "Bearer bw_x"}),
    ],
)
async def test_http2_is_refused_alike(
    tls_edge: TlsEdge, status: int, error: str, method: str, path: str, headers: dict[str, str]
) -> None:
    async with httpx.AsyncClient(verify=tls_edge.trust(), http2=True, base_url=tls_edge.url, trust_env=False) as client:
        answer = await client.request(method, path, headers=headers)
        assert answer.http_version == "HTTP/2"
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/healthz", "200"), ("/api/me", "401"), ("/nowhere", "404")])
async def test_http3_is_answered_alike(tls_edge: TlsEdge, path: str, status: str) -> None:
    client = await ask_by_http3(tls_edge, path)
    assert client.headers[":status"] == status
    assert "default-src 'self'" in client.headers["content-security-policy"]
    assert "strict-transport-security" in client.headers
    assert json.loads(client.body)


def test_old_tls_is_refused(tls_edge: TlsEdge) -> None:
    context = tls_edge.trust()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{tls_edge.url}/healthz", verify=context, trust_env=False)


def test_a_replaced_certificate_is_served_without_a_restart(tls_edge: TlsEdge) -> None:
    wanted = make(tls_edge.folder)
    deadline = time.monotonic() + 15
    served = 0
    while served != wanted and time.monotonic() < deadline:
        pem = ssl.get_server_certificate(("127.0.0.1", tls_edge.port))
        served = x509.load_pem_x509_certificate(pem.encode()).serial_number
        time.sleep(0.1)
    assert served == wanted


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"EDGE_TLS_KEY_FILE": ""}, "EDGE_TLS_KEY_FILE: is needed too"),
        ({"PUBLIC_BASE_URL": "http://localhost"}, "PUBLIC_BASE_URL: must be https"),
        ({"EDGE_TLS_CERT_FILE": "{folder}/nowhere.crt"}, "EDGE_TLS_CERT_FILE: cannot be read: no such file"),
        ({"EDGE_TLS_CERT_FILE": "{folder}/tls.key"}, "EDGE_TLS_CERT_FILE: is not a certificate in PEM"),
        ({"EDGE_TLS_KEY_FILE": "{folder}/tls.crt"}, "EDGE_TLS_KEY_FILE: is not a private key in PEM"),
        ({"EDGE_TLS_KEY_FILE": "{folder}/other.key"}, "EDGE_TLS_KEY_FILE: is not the key of the certificate"),
        ({"EDGE_TLS_KEY_FILE": "{folder}/old/tls.key"}, "EDGE_TLS_KEY_FILE: must lie in the folder"),
        (
            {"EDGE_TLS_CERT_FILE": "{folder}/old/tls.crt", "EDGE_TLS_KEY_FILE": "{folder}/old/tls.key"},
            "EDGE_TLS_CERT_FILE: expired on",
        ),
        ({"EDGE_TRUSTED_PROXIES": "10.0.0.0/33"}, "EDGE_TRUSTED_PROXIES: "),
    ],
)
def test_a_certificate_that_cannot_work_is_refused_with_its_key(
    settings: dict[str, str],
    refusal: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path)
    (tmp_path / "tls.key").rename(tmp_path / "other.key")
    make(tmp_path)
    (tmp_path / "old").mkdir()
    make(tmp_path / "old", days=-1)
    right = {
        "PUBLIC_BASE_URL": "https://localhost",
        "EDGE_TLS_CERT_FILE": "{folder}/tls.crt",
        "EDGE_TLS_KEY_FILE": "{folder}/tls.key",
    }
    for key, value in (right | settings).items():
        monkeypatch.setenv(key, value.format(folder=tmp_path))
    assert main(["--output", str(tmp_path / "envoy.json")]) == 2
    assert capsys.readouterr().err.startswith(f"edge: {refusal}")
    assert not (tmp_path / "envoy.json").exists()
