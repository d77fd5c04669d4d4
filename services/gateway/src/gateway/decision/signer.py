"""The identity tokens: signed once for a caller, org and service, and reused for part of their life."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from common.identity import KeySet, sign
from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision.facts import Facts

TOKEN_SECONDS: Final = 60
REUSE_SECONDS: Final = 30
"""A token is handed out for this long; a request that got it last still has the other half to arrive."""
MAX_KEPT: Final = 10_000

log = get_logger()


def load_key(pem: str, *, setting: str) -> Ed25519PrivateKey:
    """The private key in a PEM text. Raises ValueError that names the setting."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except ValueError:
        raise ValueError(f"{setting}: is not a private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{setting}: is not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    return key


def key_id(public: Ed25519PublicKey) -> str:
    """A key's name, from the key itself."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


class Signer:
    """Signs identities, and publishes the keys to verify them with."""

    def __init__(
        self, pem: str | None, previous_pem: str | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        if pem is None:
            self._key = Ed25519PrivateKey.generate()
            log.warning(telemetry.EPHEMERAL_KEY, detail="JWT_SIGNING_KEY is not set; a key for this process was made")
        else:
            self._key = load_key(pem, setting="JWT_SIGNING_KEY")
        self._key_id = key_id(self._key.public_key())
        self._public = {self._key_id: self._key.public_key()}
        if previous_pem:
            previous = load_key(previous_pem, setting="JWT_SIGNING_KEY_PREVIOUS").public_key()
            self._public[key_id(previous)] = previous
        # The services check against the machine's time, so a moved clock must not move these tokens.
        self._clock = clock
        self._kept: OrderedDict[tuple[Facts, str], tuple[str, float]] = OrderedDict()

    def token(self, facts: Facts, audience: str) -> str:
        """The signed identity for one service."""
        now = self._clock()
        kept = self._kept.get((facts, audience))
        if kept is not None and now < kept[1]:
            return kept[0]
        token = sign(
            facts.identity(),
            audience=audience,
            key=self._key,
            key_id=self._key_id,
            issued_at=int(now),
            ttl_seconds=TOKEN_SECONDS,
        )
        self._kept[(facts, audience)] = (token, now + REUSE_SECONDS)
        self._kept.move_to_end((facts, audience))
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return token

    def key_set(self) -> KeySet:
        """For verifying in this very process."""
        return KeySet(keys=dict(self._public))

    def published(self) -> dict[str, Any]:
        """The JSON Web Key Set: the present key and the one before."""
        keys = []
        for name, public in self._public.items():
            document: dict[str, Any] = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
            keys.append(document | {"kid": name, "alg": "EdDSA", "use": "sig"})
        return {"keys": keys}
