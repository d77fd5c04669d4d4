"""Passkeys (WebAuthn): a way in of its own, or the second factor after a password."""
