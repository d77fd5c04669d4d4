"""The servers are the real ones, and it is proven that ours answers and not a stranger."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack import ports
from devstack.errors import PartFailed, PortTaken
from devstack.pytest_plugin import TestServers
from devstack.servers import Nats, Postgres, Server, Valkey


@pytest.fixture(params=["postgres", "nats", "valkey"])
def server(request: pytest.FixtureRequest, servers: TestServers) -> Iterator[Server]:
    folder = servers.folder / f"own-{request.param}"
    port = ports.free_port()
    log = servers.folder / f"own-{request.param}.log"
    made: Server
    if request.param == "postgres":
        made = Postgres(folder, port=port, password="pw", log=log, durable=False)
    elif request.param == "nats":
        made = Nats(folder, port=port, log=log)
    else:
        made = Valkey(folder, port=port, password="pw", log=log)
    yield made
    made.stop()


class TestServer:
    def test_it_comes_back_with_its_data_folder_after_a_kill(self, server: Server) -> None:
        server.start()
        assert server.answers()
        server.kill()
        assert not server.answers()
        server.start()
        assert server.answers()

    def test_a_stranger_on_the_port_is_named_before_anything_starts(self, server: Server) -> None:
        with socket.create_server(("127.0.0.1", server.port)), pytest.raises(PortTaken, match=f"port {server.port}"):
            server.start()
        assert not server.alive

    def test_a_stranger_that_took_the_port_later_does_not_pass_for_ours(self, server: Server) -> None:
        server.prepare()
        with socket.create_server(("127.0.0.1", server.port)):
            server.process = server.launch()
            with pytest.raises(PartFailed):
                server.wait_ready()


def test_postgres_wants_a_password(servers: TestServers) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(servers.postgres.url(password="wrong"))


def test_a_half_made_cluster_is_made_anew(servers: TestServers) -> None:
    folder = servers.folder / "half"
    Path(f"{folder}.new").mkdir()
    (Path(f"{folder}.new") / "PG_VERSION").write_text("18")
    server = Postgres(folder, port=ports.free_port(), password="pw", log=servers.folder / "half.log", durable=False)
    try:
        server.start()
        assert server.answers()
    finally:
        server.stop()
