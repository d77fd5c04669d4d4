"""What `bench/edge` compares, started on one machine: a bare Envoy, our edge with and without its memory, nginx."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import PYTHON, ROOT, Run, bidwright

UNLIMITED = "100000000"
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
NO_NGINX = "nginx auth_request: not measured, there is no nginx (findings of an earlier try: 0.84 throughput, 1.6x CPU)"


@dataclass
class Contestant:
    """Something that passes requests on."""

    name: str
    port: int
    pids: list[int]
    runs: list[Run] = field(default_factory=list)

    def median(self, figure: str) -> float:
        """Of one figure over the runs."""
        return statistics.median(getattr(run, figure) for run in self.runs)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Until someone answers there; ends the run when nobody does in ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)  # a poll with a deadline: a server tells nobody when it listens
        else:
            return
    sys.exit(f"nobody answers on port {port}")


def sign_in(gateway: str, base_url: str) -> str:
    """A new person's cookie."""

    def post(path: str, body: dict[str, str]) -> tuple[dict[str, Any], str]:
        headers = {"content-type": "application/json", "origin": base_url}
        request = urllib.request.Request(base_url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer), answer.headers.get("set-cookie", "")

    person = {"email": f"bench-{time.time_ns()}@example.org", "password": "correct horse battery", "name": "Bench"}
    token = post("/api/auth/register", person)[0]["verify_token"]
    return post("/api/auth/email/verify", {"token": token})[1].partition(";")[0]


def bare(port: int, upstream: int | None) -> dict[str, Any]:
    """An Envoy that passes everything on, or without an upstream answers everything itself."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    route: dict[str, Any] = {"match": {"prefix": "/"}, "route": {"cluster": "up", "timeout": "0s"}}
    clusters = []
    if upstream is None:
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": '{"ok":true}'}}}
    else:
        target = {"socket_address": {"address": "127.0.0.1", "port_value": upstream}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": target}}]}]
        clusters = [{"name": "up", "type": "STATIC", "load_assignment": {"cluster_name": "up", "endpoints": endpoints}}]
    manager = {
        "@type": HCM,
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
    }
    chain = [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]
    listener = {"name": "bench", "address": address, "filter_chains": chain}
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def our_edge(folder: Path, port: int, upstream: int, env: dict[str, str], **settings: str) -> dict[str, Any]:
    """Our own configuration, the whole of it, before the light upstream."""
    environment = {
        **os.environ,
        "PUBLIC_BASE_URL": env["BASE_URL"],
        "EDGE_PORT": str(port),
        "ENVOY_ADMIN_PORT": str(free_port()),
        "EDGE_ACCESS_LOG": str(folder / "access.log"),
        "DEBUG": "1",
        "GATEWAY_UPSTREAM": env["GATEWAY_URL"].removeprefix("http://"),
        **{f"{name}_UPSTREAM": f"127.0.0.1:{upstream}" for name in ("BILLING", "AI", "EXPORTS", "UPLOADS")},
        **settings,
    }
    argv = [str(PYTHON), "-m", "gateway.edge"]
    document: dict[str, Any] = json.loads(subprocess.run(argv, env=environment, capture_output=True, check=True).stdout)
    return document


def nginx_config(folder: Path, port: int, upstream: int, gateway: str) -> str:
    """nginx that asks the same app by auth_request; two workers, as Envoy has two threads."""
    kept = 'proxy_http_version 1.1; proxy_set_header Connection "";'
    return f"""
worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 10000000; }}
  upstream gateway {{ server {gateway}; keepalive 64; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_request /ask;
      auth_request_set $identity $upstream_http_x_bidwright_identity;
      proxy_set_header x-bidwright-identity $identity;
      proxy_pass http://app; {kept}
    }}
    location = /ask {{
      internal; proxy_pass http://gateway/authz$request_uri; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-For $remote_addr; {kept}
    }}
  }}
}}
"""


@contextmanager
def contestants(folder: Path) -> Iterator[tuple[list[Contestant], str]]:
    """Everything running, and a signed-in cookie."""
    data = folder / "stack"
    words = ("DEBUG=1", f"API_RATE_PER_MIN_FREE={UNLIMITED}")
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str) -> int:
        with (folder / "servers.log").open("ab") as out:
            started.append(subprocess.Popen(argv, stdout=out, stderr=out))
        return started[-1].pid

    def envoy(name: str, document: dict[str, Any]) -> int:
        file = folder / f"{name}.json"
        file.write_text(json.dumps(document))
        find = "from devstack import binaries; print(binaries.require('envoy'))"
        program = subprocess.run([str(PYTHON), "-c", find], capture_output=True, text=True, check=True).stdout.strip()
        return start(program, "-c", str(file), "--disable-hot-restart", "--concurrency", "2", "--log-level", "error")

    try:
        bidwright("up", "--detach", "--port", "0", "--data", str(data), *words)
        env = dict(line.split("=", 1) for line in bidwright("env", "--data", str(data)).splitlines())
        pids = {row["name"]: row["pid"] for row in json.loads(bidwright("status", "--json", "--data", str(data)))}
        behind = [pids["gateway"], pids["valkey"]]
        upstream, port = free_port(), free_port()
        envoy("upstream", bare(upstream, None))
        found = [Contestant("bare Envoy", port, [envoy("bare", bare(port, upstream))])]
        for name, cache in (("edge, no cache", "0"), ("edge, verdict cache", "1")):
            port = free_port()
            document = our_edge(folder, port, upstream, env, EDGE_VERDICT_CACHE=cache)
            found.append(Contestant(name, port, [envoy(f"edge-{cache}", document), *behind]))
        if nginx := shutil.which("nginx"):
            port = free_port()
            config = folder / "nginx.conf"
            config.write_text(nginx_config(folder, port, upstream, env["GATEWAY_URL"].removeprefix("http://")))
            master = start(nginx, "-p", str(folder), "-c", str(config))
            wait_for_port(port)
            workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            found.append(Contestant("nginx auth_request", port, [*map(int, workers), *behind]))
        else:
            print(NO_NGINX)
        for contestant in found:
            wait_for_port(contestant.port)
        yield found, sign_in(env["GATEWAY_URL"], env["BASE_URL"])
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(10)
        subprocess.run([sys.executable, str(ROOT / "bidwright"), "down", "--data", str(data)], capture_output=True)
