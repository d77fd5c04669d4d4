"""What the use cases are given. Built in `bootstrap.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common.health import Dependency
from common.identity import Identity
from common.parts import ServiceDeps
from gateway.accounts.passwords import Passwords
from gateway.accounts.throttle import LoginThrottle
from gateway.cache import FactCache
from gateway.decision.signer import Signer
from gateway.decision.valkey import FactStore
from gateway.mail.sender import Sender
from gateway.oauth.registry import Providers
from gateway.settings import Settings


@dataclass(frozen=True)
class Deps(ServiceDeps):
    """One for a process."""

    settings: Settings
    store: FactStore
    cache: FactCache
    signer: Signer
    passwords: Passwords
    throttle: LoginThrottle
    sender: Sender
    providers: Providers

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """What readiness asks. Without Valkey, PostgreSQL answers and limits are counted in the process."""
        return (*super().dependencies, Dependency("valkey", self.store.ping, required=False))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the rules and for the audit."""

    user_id: UUID
    via: str
    request_id: str

    @classmethod
    def of(cls, identity: Identity, request_id: str) -> Actor:
        """The caller of a request."""
        return cls(identity.user_id, "session" if identity.scopes is None else "api_key", request_id)
