"""A browser with an authenticator in software: ES256 keys, attestation `none`, what a page gets as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, MAY_BE_BACKED_UP, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def encode(value: bytes) -> str:
    """Base64url as WebAuthn's JSON has it."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(value: str) -> bytes:
    """The other way round."""
    return base64.urlsafe_b64decode(value + "===")


@dataclass
class Kept:
    """A passkey."""

    key: ec.EllipticCurvePrivateKey
    user_handle: bytes
    rp_id: str
    count: int = 0


@dataclass
class Authenticator:
    """Does what it is told, the wrong things too."""

    origin: str
    verifies: bool = True
    """Whether it asks for a PIN or a finger."""
    counts: bool = True
    synced: bool = False
    kept: dict[bytes, Kept] = field(default_factory=dict)

    def create(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """`navigator.credentials.create(...).toJSON()`."""
        if any(decode(item["id"]) in self.kept for item in options["excludeCredentials"]):
            raise ValueError("InvalidStateError: has a passkey for this account already")
        credential_id, key = secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1())
        kept = Kept(key, decode(options["user"]["id"]), options["rp"]["id"])
        self.kept[credential_id] = kept
        attested = bytes(16) + struct.pack(">H", len(credential_id)) + credential_id + self.cose(key)
        data = wrong.get("auth_data") or self._auth_data(kept, wrong, ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": wrong.get("fmt", "none"), "attStmt": {}, "authData": data})
        return {
            "id": encode(credential_id),
            "rawId": encode(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(self._client_data("webauthn.create", options, wrong)),
                "attestationObject": encode(wrong.get("attestation", attestation)),
                "authenticatorData": encode(data),
                "transports": ["internal", "a transport of the future"],
            },
        }

    def get(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """`navigator.credentials.get(...).toJSON()`, with the passkey that was made last of those allowed."""
        allowed = {decode(item["id"]) for item in options["allowCredentials"]} or set(self.kept)
        credential_id = [one for one in self.kept if one in allowed][-1]
        kept = self.kept[credential_id]
        kept.count += self.counts
        data = self._auth_data(kept, wrong)
        client_data = self._client_data("webauthn.get", options, wrong)
        key = wrong.get("key", kept.key)
        signature = key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return {
            "id": encode(credential_id),
            "rawId": encode(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": encode(wrong.get("user_handle", kept.user_handle)),
            },
        }

    def cose(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """A public key as COSE has it."""
        numbers = key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def _auth_data(self, kept: Kept, wrong: dict[str, Any], flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0) | (MAY_BE_BACKED_UP | BACKED_UP if self.synced else 0)
        rp_id = wrong.get("rp_id", kept.rp_id)
        return (
            hashlib.sha256(rp_id.encode()).digest()
            + bytes([wrong.get("flags", flags)])
            + struct.pack(">I", wrong.get("count", kept.count))
        )

    def _client_data(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()
