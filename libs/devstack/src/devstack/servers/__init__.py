"""PostgreSQL, NATS, Valkey and Envoy as child processes: start, prove that it is ours that answers, stop."""

from devstack.servers.base import Server
from devstack.servers.envoy import Envoy
from devstack.servers.nats import Nats
from devstack.servers.postgres import Postgres
from devstack.servers.valkey import Valkey

__all__ = ["Envoy", "Nats", "Postgres", "Server", "Valkey"]
