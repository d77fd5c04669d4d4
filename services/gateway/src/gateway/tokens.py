"""Secrets that we hand out: shown once, kept only as their hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
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


def derived_token(secret: str, purpose: str, subject: str) -> str:
    """A token that whoever knows the secret can make again, as long and as safe in a link as a random one."""
    digest = hmac.digest(secret.encode(), f"{purpose}:{subject}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_token(token: str) -> str:
    """What is stored. A plain hash is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
