"""What a stack is made of: its ports, and the environment that each process of it is given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack import parts, ports
from devstack.data import DataFolder, Secrets

HOST = "127.0.0.1"
STRIPE_FAKE = "stripe-fake"
MAILBOX = "mailbox"
# Marks every process of a stack, however deep, so that none can be missed when it is stopped. See cleanup.
MARK = "BIDWRIGHT_STACK"

PRICES = {
    "PRICE_PRO_MONTHLY": "price_pro_monthly",
    "PRICE_PRO_YEARLY": "price_pro_yearly",
    "PRICE_ENTERPRISE_MONTHLY": "price_enterprise_monthly",
    "PRICE_BUNDLE_1": "price_bundle_1",
    "PRICE_BUNDLE_10": "price_bundle_10",
    "PRICE_BUNDLE_25": "price_bundle_25",
}
# What a process may see of the caller's environment. The rest could change how a service behaves from one terminal to
# the next; settings are given aloud.
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
              "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
              "OPENBLAS_CORETYPE", "COVERAGE_PROCESS_START")  # fmt: skip


def worker(service: str) -> str:
    """The worker's name."""
    return f"{service}-worker"


def port_names() -> tuple[str, ...]:
    """Every port that is chosen; the edge's own is given."""
    pairs = [name for service in parts.SERVICES for name in (service, worker(service))]
    return ("postgres", "nats", "valkey", "envoy-admin", STRIPE_FAKE, MAILBOX, *pairs)


@dataclass(frozen=True)
class Stack:
    """One stack: where its data is, which settings were given, which ports it uses."""

    root: Path
    data: DataFolder
    secrets: Secrets
    port: int
    ports: dict[str, int]
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def plan(cls, root: Path, data: DataFolder, port: int, settings: dict[str, str]) -> Stack:
        """Read the secrets and choose the ports, the last run's where they are free."""
        last = data.read_state().get("ports", {})
        chosen = ports.choose(port_names(), preferred=last, avoid={port})
        return cls(root, data, data.secrets(), port, chosen, settings)

    @classmethod
    def of_state(cls, root: Path, data: DataFolder, state: Mapping[str, Any]) -> Stack:
        """The stack as its supervisor planned it and wrote it down."""
        return cls(root, data, data.secrets(), state["port"], state["ports"], dict(state.get("settings", {})))

    @property
    def base_url(self) -> str:
        """Where the product answers on this machine."""
        scheme = "https" if self.settings.get("EDGE_TLS_CERT_FILE") else "http"
        return f"{scheme}://localhost:{self.port}"

    @property
    def stripe_is_fake(self) -> bool:
        """Whether the fake stands in; a key that is given, even an empty one, means not."""
        return "STRIPE_SECRET_KEY" not in self.settings

    @property
    def stack_id(self) -> str:
        """Names this data folder's stack among all on the machine."""
        return self.secrets["stack_id"]

    @property
    def web_dist(self) -> Path:
        """The built SPA."""
        return self.root / "web" / "dist"

    def url_of(self, name: str) -> str:
        """A part's address for HTTP."""
        return f"http://{HOST}:{self.ports[name]}"

    def database_url(self, login: str) -> str:
        """The address for a login role."""
        password = self.secrets.passwords[login]
        return f"postgresql://{login}:{password}@{HOST}:{self.ports['postgres']}/{parts.DATABASE}"

    def nats_url(self, user: str) -> str:
        """The address for a NATS user."""
        return f"nats://{user}:{self.secrets.passwords[user]}@{HOST}:{self.ports['nats']}"

    @property
    def redis_url(self) -> str:
        """The address of Valkey."""
        return f"redis://:{self.secrets.passwords['valkey']}@{HOST}:{self.ports['valkey']}/0"

    @property
    def storage_url(self) -> str:
        """The address of the object store."""
        return f"file://{self.data.objects}"

    def base_env(self) -> dict[str, str]:
        """What every process gets, a server too."""
        env = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        return {**env, "PYTHONUNBUFFERED": "1", MARK: self.stack_id}

    def shared_env(self) -> dict[str, str]:
        """What every service gets."""
        return {
            **self.base_env(),
            "DEBUG": "0",
            "CLOCK_FILE": str(self.data.clock),  # looked at with DEBUG=1 alone
            "HOST": HOST,
            "PUBLIC_BASE_URL": self.base_url,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "SECRET_KEY": self.secrets["SECRET_KEY"],
            "STORAGE_URL": self.storage_url,
            "MEDIA_ROOT": str(self.data.objects),
            "IDENTITY_JWKS_URL": f"{self.url_of('gateway')}/.well-known/jwks.json",
            "SHUTDOWN_GRACE_SECONDS": "4",  # a stop has 10 s for everything, and the servers come after the services
            # The pools of ten processes together must stay below the server's max_connections.
            "DATABASE_POOL_SIZE": "8",
        }

    def stripe_env(self) -> dict[str, str]:
        """Where Stripe is and what is sold, for billing."""
        env = {**PRICES, "STRIPE_WEBHOOK_SECRET": self.secrets["STRIPE_WEBHOOK_SECRET"]}
        if self.stripe_is_fake:
            env["STRIPE_SECRET_KEY"] = self.secrets["STRIPE_SECRET_KEY"]
            env["STRIPE_API_BASE"] = self.url_of(STRIPE_FAKE)
        return env

    def service_env(self, service: str, kind: str) -> dict[str, str]:
        """The environment of a process; ``kind`` is app, worker or owner (which migrates)."""
        name = worker(service) if kind == "worker" else service
        own = {
            "PORT": str(self.ports[name]),
            "DATABASE_URL": self.database_url(parts.role(service, "app" if kind == "owner" else kind)),
            "NATS_URL": self.nats_url(service),
            "REDIS_URL": self.redis_url,
        }
        if kind == "owner":
            own["MIGRATION_DATABASE_URL"] = self.database_url(parts.role(service, "owner"))
        if service == "gateway":
            own["JWT_SIGNING_KEY"] = self.secrets["JWT_SIGNING_KEY"]
            own["MAILBOX_DIR"] = str(self.data.mailbox)
            own["WEB_DIST"] = str(self.web_dist)
            own |= self.upstreams()
        if service == "billing":
            own |= self.stripe_env()
        return {**self.shared_env(), **own, **self.settings}

    def upstreams(self) -> dict[str, str]:
        """Where each service listens, for the edge and for the gateway, which sums up who is ready."""
        return {f"{service.upper()}_UPSTREAM": f"{HOST}:{self.ports[service]}" for service in parts.SERVICES}

    def edge_env(self) -> dict[str, str]:
        """What the edge's configuration is rendered from."""
        own = {
            "EDGE_HOST": HOST,
            "EDGE_PORT": str(self.port),
            "WEB_DIST": str(self.web_dist),
            "ENVOY_ADMIN_PORT": str(self.ports["envoy-admin"]),
        }
        return {**self.shared_env(), **self.upstreams(), **own, **self.settings}

    def stripe_fake_argv(self) -> list[str]:
        """The fake's command line; behind an edge with a certificate of its own, that is what it knows the edge by."""
        certificate = self.settings.get("EDGE_TLS_CERT_FILE")
        scheme = "https" if certificate else "http"
        return [
            "--host", HOST, "--port", str(self.ports[STRIPE_FAKE]),
            "--webhook-url", f"{scheme}://{HOST}:{self.port}/api/stripe/webhook",
            "--webhook-secret", self.secrets["STRIPE_WEBHOOK_SECRET"],
            "--state", str(self.data.path / STRIPE_FAKE), "--public-url", self.url_of(STRIPE_FAKE),
            *(("--webhook-ca", str(Path(certificate).absolute())) if certificate else ()),
        ]  # fmt: skip

    def public_env(self) -> dict[str, str]:
        """What ``bidwright env`` prints."""
        env = {"BASE_URL": self.base_url}
        for service in parts.SERVICES:
            prefix = service.upper()
            env[f"{prefix}_URL"] = self.url_of(service)
            env[f"{prefix}_DATABASE_URL"] = self.database_url(parts.role(service, "app"))
            env[f"{prefix}_WORKER_DATABASE_URL"] = self.database_url(parts.role(service, "worker"))
            env[f"{prefix}_NATS_URL"] = self.nats_url(service)
        env["BACKUP_DATABASE_URL"] = self.database_url("backup")
        env["REDIS_URL"] = self.redis_url
        env["STORAGE_URL"] = self.storage_url
        env["STRIPE_FAKE_URL"] = self.url_of(STRIPE_FAKE) if self.stripe_is_fake else ""
        env["STRIPE_WEBHOOK_SECRET"] = self.secrets["STRIPE_WEBHOOK_SECRET"]
        env |= PRICES
        env["MAILBOX_URL"] = self.url_of(MAILBOX)
        return {**env, **{key: value for key, value in self.settings.items() if key in env}}
