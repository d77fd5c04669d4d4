"""The rules of passkeys."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.passkeys.domain import RelyingParty, hash_challenge, is_fresh, is_suspect, new_challenge
from gateway.passkeys.webauthn import BadCredential, read_assertion, read_new_challenge, verify_assertion, verify_new

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COUNTS = st.integers(min_value=0, max_value=2**32 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["public-key", "e30", "AA"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class TestRelyingPartyOf:
    @pytest.mark.parametrize(
        ("base_url", "rp_id", "origins"),
        [
            ("https://app.example.org", "app.example.org", ("https://app.example.org",)),
            ("https://App.Example.org:443/", "app.example.org", ("https://app.example.org",)),
            ("https://app.example.org:8443", "app.example.org", ("https://app.example.org:8443",)),
        ],
    )
    def test_it_is_the_host_of_the_public_address(self, base_url: str, rp_id: str, origins: tuple[str, ...]) -> None:
        assert RelyingParty.of(base_url) == RelyingParty(rp_id, origins)

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
    def test_the_loopback_is_localhost_since_an_address_cannot_be_one(self, host: str) -> None:
        party = RelyingParty.of(f"http://{host}:8080")
        assert party.id == "localhost"
        assert party.origins == ("http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080")


class TestIsFresh:
    @pytest.mark.parametrize(
        ("age", "fresh"),
        [(timedelta(0), True), (timedelta(minutes=9, seconds=59), True), (timedelta(minutes=10), False)],
    )
    def test_until_its_life_has_passed(self, age: timedelta, fresh: bool) -> None:
        assert is_fresh(NOW - age, NOW, timedelta(minutes=10)) is fresh


class TestIsSuspect:
    def test_one_that_keeps_no_counter_is_not(self) -> None:
        assert not is_suspect(0, 0)

    @given(COUNTS, COUNTS)
    def test_any_other_must_grow(self, stored: int, shown: int) -> None:
        if (stored, shown) != (0, 0):
            assert is_suspect(stored, shown) is (shown <= stored)


class TestNewChallenge:
    def test_none_comes_twice_and_only_its_hash_is_kept(self) -> None:
        challenge = new_challenge()
        assert len(challenge) == 32
        assert challenge != new_challenge()
        assert challenge.hex() not in hash_challenge(challenge)


class TestTheAdapter:
    """Whatever comes, the only error is its own."""

    PARTY = RelyingParty.of("https://app.example.org")

    @given(st.dictionaries(st.sampled_from(["id", "rawId", "type", "response"]), JSON))
    def test_rubbish_is_a_bad_credential(self, credential: dict[str, object]) -> None:
        for read in (
            lambda: read_assertion(credential),
            lambda: read_new_challenge(credential),
            lambda: verify_new(self.PARTY, credential),
            lambda: verify_assertion(self.PARTY, credential, b"", user_verified=True),
        ):
            with pytest.raises(BadCredential):
                read()

    @given(st.binary(max_size=100), st.binary(max_size=100))
    def test_rubbish_bytes_are_a_bad_credential(self, data: bytes, key: bytes) -> None:
        challenge = '{"type":"webauthn.get","challenge":"AAAA","origin":"https://app.example.org"}'
        encoded = urlsafe_b64encode(data).decode()
        credential = {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "response": {
                "clientDataJSON": urlsafe_b64encode(challenge.encode()).decode(),
                "authenticatorData": encoded,
                "attestationObject": encoded,
                "signature": encoded,
            },
        }
        with pytest.raises(BadCredential):
            verify_assertion(self.PARTY, credential, key, user_verified=False)
        with pytest.raises(BadCredential):
            verify_new(self.PARTY, credential)
