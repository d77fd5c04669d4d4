"""What an API key may be for."""

from __future__ import annotations

from typing import Final, Literal, get_args

Scope = Literal[
    "org:read",
    "billing:read",
    "proposals:read",
    "proposals:write",
    "ai:use",
    "exports:read",
    "exports:write",
    "uploads:read",
    "uploads:write",
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PREFIX_LENGTH: Final = 10
"""So much of a key is kept readable, to tell keys apart."""
