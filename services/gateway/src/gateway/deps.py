"""What the use cases are given. Built in `bootstrap.py`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from common.bus import Bus
from common.clock import Clock
from common.db import Database
from common.identity import Identity
from gateway.accounts.passwords import Passwords
from gateway.accounts.throttle import LoginThrottle
from gateway.cache import FactCache
from gateway.decision.signer import Signer
from gateway.decision.valkey import FactStore
from gateway.mail.sender import Sender
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Deps:
    """One for a process."""

    settings: Settings
    clock: Clock
    db: Database
    bus: Bus
    store: FactStore
    cache: FactCache
    signer: Signer
    passwords: Passwords
    throttle: LoginThrottle
    sender: Sender


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
