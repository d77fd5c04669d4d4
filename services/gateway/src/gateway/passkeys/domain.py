"""Pure rules of passkeys: who we are to a browser, what is fresh, which counter can be right."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

MAX_PASSKEYS: Final = 20
"""Of one person."""
CEREMONY_LIFE: Final = timedelta(minutes=5)
"""How long a challenge, and the ticket of a half-done sign-in, can be answered."""

_LOOPBACK: Final = {"localhost": "localhost", "127.0.0.1": "127.0.0.1", "::1": "[::1]"}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Us, as WebAuthn names us: what passkeys are bound to, and the pages that may use them."""

    id: str
    origins: tuple[str, ...]

    @classmethod
    def of(cls, base_url: str) -> RelyingParty:
        """By the public address. An IP address cannot own passkeys, so the loopback is `localhost`, whatever it is
        called in the address; its pages are those of the same port."""
        parts = urlsplit(base_url)
        host = (parts.hostname or "").lower()
        port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
        if host in _LOOPBACK:
            return cls("localhost", tuple(f"{parts.scheme}://{name}{port}" for name in _LOOPBACK.values()))
        return cls(host, (f"{parts.scheme}://{host}{port}",))


def new_challenge() -> bytes:
    """What an authenticator has to sign."""
    return secrets.token_bytes(32)


def hash_challenge(challenge: bytes) -> str:
    """What is stored of a challenge."""
    return hashlib.sha256(challenge).hexdigest()


def is_fresh(signed_in_at: datetime, now: datetime, life: timedelta) -> bool:
    """Whether a sign-in is recent enough to change how one signs in."""
    return now < signed_in_at + life


def is_suspect(stored: int, shown: int) -> bool:
    """Whether a signature counter tells of a copied authenticator: it must grow, unless it is not kept at all."""
    return (stored, shown) != (0, 0) and shown <= stored
