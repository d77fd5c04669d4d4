"""A token that was verified is remembered for a while, and no longer than it counts."""

from __future__ import annotations

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common import identity
from common.errors import Unauthenticated
from common.identity import Identity, IdentityVerifier, KeySet, sign
from common.ids import new_id

SOMEBODY = Identity(user_id=new_id(), org_id=new_id(), role="member")


def token(key: Ed25519PrivateKey, *, ttl_seconds: int = 60, key_id: str = "k") -> str:
    return sign(SOMEBODY, audience="ai", key=key, key_id=key_id, issued_at=int(time.time()), ttl_seconds=ttl_seconds)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


async def test_a_token_is_verified_once_within_its_time(key: Ed25519PrivateKey) -> None:
    keys = KeySet(keys={"k": key.public_key()})
    verifier, sent = IdentityVerifier("ai", keys), token(key)
    first = await verifier.verify(sent)
    assert first.org_id == SOMEBODY.org_id
    assert await verifier.verify(sent) is first


async def test_one_of_a_withdrawn_key_is_refused_when_it_was_remembered_long_enough(
    key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = KeySet(keys={"k": key.public_key()})
    verifier, sent = IdentityVerifier("ai", keys), token(key, ttl_seconds=10**9)
    monkeypatch.setattr(identity, "VERIFIED_SECONDS", 0.05)
    await verifier.verify(sent)
    keys.keys.clear()
    await asyncio.sleep(0.06)
    with pytest.raises(Unauthenticated):
        await verifier.verify(sent)


async def test_one_that_ran_out_is_refused_though_it_was_verified(
    key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "LEEWAY_SECONDS", 0)
    verifier, sent = IdentityVerifier("ai", KeySet(keys={"k": key.public_key()})), token(key, ttl_seconds=1)
    await verifier.verify(sent)
    await asyncio.sleep(1.1)
    with pytest.raises(Unauthenticated):
        await verifier.verify(sent)


async def test_what_is_refused_is_not_remembered(key: Ed25519PrivateKey) -> None:
    keys = KeySet()
    verifier, sent = IdentityVerifier("ai", keys), token(key)
    with pytest.raises(Unauthenticated):
        await verifier.verify(sent)
    keys.keys["k"] = key.public_key()
    assert (await verifier.verify(sent)).user_id == SOMEBODY.user_id


async def test_so_many_tokens_and_no_more_are_remembered(
    key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "VERIFIED_AT_MOST", 3)
    verifier = IdentityVerifier("ai", KeySet(keys={"k": key.public_key()}))
    for ttl in range(40, 60):
        await verifier.verify(token(key, ttl_seconds=ttl))
        assert len(verifier._verified) <= 3
