"""Secrets that we hand out: random, shown once, kept only as their hash."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_BYTES = 32
KEY_PREFIX = "bw_"
MAX_TOKEN_LENGTH = 200
"""Longer ones are not ours; they are refused before they are hashed."""


def new_token() -> str:
    """256 random bits, safe in a link or a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_api_key() -> str:
    """An API key; its prefix lets a secret scanner find a leaked one."""
    return KEY_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """What is stored. A plain hash is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
