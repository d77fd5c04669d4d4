"""Builds the parts of a stack: which server or module, with which arguments, environment and log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from devstack import parts
from devstack.errors import PartFailed
from devstack.keepers import ForkedPart, ServerPart, last_words
from devstack.nursery_client import NurseryClient
from devstack.servers import Envoy, Nats, Postgres, Valkey
from devstack.stack import STRIPE_FAKE, Stack, worker


def preloaded_packages() -> tuple[str, ...]:
    """What the preloading parent imports the entry rooms of."""
    return (*parts.SERVICES, "stripe_fake")


class PartsBuilder:
    """Makes the parts, and runs the one-off steps between them."""

    def __init__(self, stack: Stack, nursery: Callable[[], NurseryClient]) -> None:
        self.stack = stack
        self.data = stack.data
        self._nursery = nursery
        self._env = stack.base_env()
        self._passwords = stack.secrets.passwords
        self._envoy_config = self.data.path / "envoy" / "envoy.json"

    def postgres(self) -> ServerPart:
        """PostgreSQL."""
        folder = self.data.postgres_folder(self.stack.stack_id)
        server = Postgres(
            folder,
            port=self.stack.ports["postgres"],
            password=self._passwords["postgres"],
            log=self.data.log("postgres"),
            env=self._env,
        )
        self._postgres = server
        return ServerPart(server)

    def valkey(self) -> ServerPart:
        """Valkey."""
        return ServerPart(
            Valkey(
                self.data.path / "valkey",
                port=self.stack.ports["valkey"],
                password=self._passwords["valkey"],
                log=self.data.log("valkey"),
                env=self._env,
            )
        )

    def nats(self, authorization: str) -> ServerPart:
        """NATS, with its users."""
        return ServerPart(
            Nats(
                self.data.path / "nats",
                port=self.stack.ports["nats"],
                authorization=authorization,
                log=self.data.log("nats"),
                env=self._env,
            )
        )

    def envoy(self) -> ServerPart:
        """The edge, on the configuration that ``render_edge`` wrote."""
        return ServerPart(
            Envoy(
                self.data.path / "envoy",
                port=self.stack.port,
                admin_port=self.stack.ports["envoy-admin"],
                config=self._envoy_config,
                log=self.data.log("envoy"),
                env=self._env,
            )
        )

    def stripe_fake(self) -> ForkedPart:
        """The fake Stripe."""
        return ForkedPart(
            STRIPE_FAKE,
            "server",
            self.stack.ports[STRIPE_FAKE],
            module="stripe_fake",
            argv=self.stack.stripe_fake_argv(),
            env=self._env,
            log=self.data.log(STRIPE_FAKE),
            nursery=self._nursery,
            probe="/_fake/health",
        )

    def service(self, service: str, kind: str) -> ForkedPart:
        """A service's API (``app``) or its ``worker``."""
        name = worker(service) if kind == "worker" else service
        return ForkedPart(
            name,
            "worker" if kind == "worker" else "service",
            self.stack.ports[name],
            module=f"{service}.main",
            argv=["worker" if kind == "worker" else "api"],
            env=self.stack.service_env(service, kind),
            log=self.data.log(name),
            nursery=self._nursery,
        )

    async def provision_database(self) -> str:
        """Database, roles and schemas; returns the part of NATS' configuration that names its users."""
        output = self.data.run / "nats-users.conf"
        env = {
            **self._env,
            "PROVISION_POSTGRES_URL": self._postgres.url(),
            "PROVISION_DATABASE": parts.DATABASE,
            "PROVISION_PASSWORDS": json.dumps(self._passwords),
        }
        await self._provision(["database"], env)
        await self._provision(["nats-users", str(output)], env)
        return output.read_text()

    async def provision_streams(self) -> None:
        """NATS' streams."""
        env = {**self._env, "PROVISION_NATS_URL": self.stack.nats_url("admin")}
        await self._provision(["streams"], env)

    async def _provision(self, argv: list[str], env: dict[str, str]) -> None:
        """A step that compose and Kubernetes run too."""
        await self._once(argv[0], "common.provisioning", argv, env, "provision")

    async def migrate(self, service: str) -> None:
        """Bring a service's schema to this version."""
        env = self.stack.service_env(service, "owner")
        await self._once(f"{service} schema", f"{service}.main", ["migrate"], env, f"{service}-migrate")

    async def render_edge(self) -> Path:
        """Write Envoy's configuration."""
        self._envoy_config.parent.mkdir(mode=0o700, exist_ok=True)
        argv = ["--output", str(self._envoy_config)]
        await self._once("edge", "gateway.edge", argv, self.stack.edge_env(), "envoy-config")
        return self._envoy_config

    async def _once(self, name: str, module: str, argv: list[str], env: dict[str, str], log_name: str) -> None:
        log = self.data.log(log_name)
        child = await self._nursery().spawn(name, module, argv, env=env, log=log)
        code = await child.wait()
        if code != 0:
            raise PartFailed(f"{name} failed: {last_words(log)}")
