"""What a decision rests on: who the caller is, and what they are in the org that they ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from common.identity import Identity, Role
from gateway.decision.limits import Taken


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a session or an API key stands for."""

    user_id: str
    home_org_id: str
    """A person's own org, or the one org of a key."""
    session_id: str
    """Empty for a key."""
    scopes: str
    """A key's scopes, separated by spaces."""
    email: str
    name: str
    ends_at: float = field(compare=False)
    """Seconds since the epoch; from then on the credential is worth nothing."""
    credential: str = ""
    """As a revocation names it."""

    @property
    def is_key(self) -> bool:
        """Whether it is an API key."""
        return not self.session_id


@dataclass(frozen=True, slots=True)
class Place:
    """The caller's place in an org."""

    org_id: str
    role: str
    tier: str
    org_name: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Both."""

    caller: Caller
    place: Place

    def identity(self) -> Identity:
        """As it is signed for a service."""
        caller, place = self.caller, self.place
        return Identity(
            user_id=UUID(caller.user_id),
            org_id=UUID(place.org_id),
            role=cast(Role, place.role),
            tier=place.tier,
            scopes=frozenset(caller.scopes.split()) if caller.is_key else None,
            session_id=None if caller.is_key else UUID(caller.session_id),
            email=caller.email,
            name=caller.name,
            org_name=place.org_name,
            credential=caller.credential,
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """Requests that are counted already, for the edge to let pass by itself or to give back."""

    requests: int
    window_ends_ms: int
    """Milliseconds since the epoch by Valkey's clock: which window they were counted in."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a request took from its windows; `ai` is None when no AI limit applies."""

    api: Taken
    ai: Taken | None
    lease: Lease | None = None
