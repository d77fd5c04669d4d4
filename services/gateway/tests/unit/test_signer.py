"""Identity tokens: for one service, reused, published and rotated."""

from __future__ import annotations

import time
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from common.errors import Unauthenticated
from common.identity import IdentityVerifier, KeySet
from gateway.decision.facts import Caller, Facts, Place
from gateway.decision.signer import Signer, load_key

ID = "01920000-0000-7000-8000-00000000000"
CALLER = Caller(f"{ID}1", f"{ID}2", f"{ID}3", "", "ada@example.org", "Ada", 4e9)
FACTS = Facts(CALLER, Place(f"{ID}2", "admin", "pro", "Northwind"))


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class TestSigner:
    async def test_a_service_reads_its_own_tokens_only(self) -> None:
        signer = Signer(None)
        token = signer.token(FACTS, "ai")
        identity = await IdentityVerifier("ai", signer.key_set()).verify(token)
        assert (str(identity.user_id), identity.role, identity.tier) == (f"{ID}1", "admin", "pro")
        assert identity.scopes is None
        with pytest.raises(Unauthenticated):
            await IdentityVerifier("billing", signer.key_set()).verify(token)
        with pytest.raises(Unauthenticated):
            await IdentityVerifier("ai", Signer(None).key_set()).verify(token)

    async def test_a_keys_scopes_are_inside(self) -> None:
        signer = Signer(None)
        key = replace(CALLER, session_id="", scopes="ai:use org:read")
        identity = await IdentityVerifier("ai", signer.key_set()).verify(signer.token(Facts(key, FACTS.place), "ai"))
        assert identity.scopes == {"ai:use", "org:read"}
        assert identity.session_id is None

    def test_a_token_is_reused_for_half_its_life_and_never_for_other_facts(self) -> None:
        now = time.time()
        signer = Signer(None, clock=lambda: now)
        first = signer.token(FACTS, "ai")
        now += 29
        assert signer.token(FACTS, "ai") == first
        assert signer.token(replace(FACTS, place=replace(FACTS.place, role="viewer")), "ai") != first
        assert signer.token(FACTS, "billing") != first
        now += 2
        assert signer.token(FACTS, "ai") != first

    async def test_the_key_before_is_still_published(self) -> None:
        old, new = (pem(ed25519.Ed25519PrivateKey.generate()) for _ in range(2))
        token = Signer(old).token(FACTS, "ai")
        published = jwt.PyJWKSet.from_dict(Signer(new, old).published())
        keys = {str(key.key_id): key.key for key in published.keys}
        assert len(keys) == 2
        assert await IdentityVerifier("ai", KeySet(keys=keys)).verify(token)
        assert all("d" not in key for key in Signer(new, old).published()["keys"])


class TestLoadKey:
    @pytest.mark.parametrize("text", ["", "no pem", pem(ec.generate_private_key(ec.SECP256R1()))])
    def test_a_bad_key_names_the_setting(self, text: str) -> None:
        with pytest.raises(ValueError, match="JWT_SIGNING_KEY"):
            load_key(text, setting="JWT_SIGNING_KEY")
