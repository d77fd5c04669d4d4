"""Small real implementations for tests, shipped so that every service uses the same."""

from __future__ import annotations

import time
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.identity import HEADER, Identity, IdentityVerifier, KeySet, Role, sign

KEY_ID = "test"


class IdentityIssuer:
    """Signs identities as the gateway would, with a key of its own, for one service."""

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._key = Ed25519PrivateKey.generate()
        self.verifier = IdentityVerifier(audience, KeySet(keys={KEY_ID: self._key.public_key()}))

    def headers(
        self,
        *,
        user_id: UUID,
        org_id: UUID,
        role: Role = "member",
        tier: str = "free",
        scopes: frozenset[str] | None = None,
        org_name: str = "Test org",
        audience: str | None = None,
    ) -> dict[str, str]:
        """The request headers of such a caller."""
        identity = Identity(
            user_id=user_id, org_id=org_id, role=role, tier=tier, scopes=scopes, name="Test", org_name=org_name
        )
        token = sign(
            identity,
            audience=audience or self._audience,
            key=self._key,
            key_id=KEY_ID,
            issued_at=int(time.time()),
        )
        return {HEADER: token}
