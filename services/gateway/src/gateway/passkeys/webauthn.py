"""The adapter to the `webauthn` library. Whatever a browser may send wrong is one error of ours."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.models import Passkey
from gateway.passkeys.domain import CEREMONY_LIFE, RelyingParty, hash_challenge

RP_NAME: Final = "Bidwright"
MAX_CREDENTIAL_ID: Final = 1023
"""Bytes; the standard's own limit."""
_ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_TIMEOUT_MS: Final = int(CEREMONY_LIFE.total_seconds() * 1000)
# Beside its own exceptions the library lets through those of the parsers below it, for bytes that make no sense.
_MALFORMED: Final = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)


class BadCredential(Exception):
    """What the browser sent is not a valid answer to the challenge."""


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]
    aaguid: str
    synced: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An assertion before it is verified: which passkey it claims to be, for which challenge."""

    credential_id: bytes
    user_handle: bytes | None
    challenge_hash: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """A verified assertion."""

    sign_count: int
    backed_up: bool


def creation_options(
    rp: RelyingParty, challenge: bytes, *, user_id: UUID, email: str, name: str, existing: Sequence[Passkey]
) -> dict[str, Any]:
    """What `navigator.credentials.create()` takes, as JSON."""
    options = generate_registration_options(
        rp_id=rp.id,
        rp_name=RP_NAME,
        challenge=challenge,
        user_id=user_id.bytes,
        user_name=email,
        user_display_name=name,
        timeout=_TIMEOUT_MS,
        # Preferred, not required: a security key without room for it is still a second factor.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(existing),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options)


def request_options(
    rp: RelyingParty, challenge: bytes, *, allowed: Sequence[Passkey] = (), second_factor: bool
) -> dict[str, Any]:
    """What `navigator.credentials.get()` takes, as JSON. None `allowed`: the browser offers what it has for us."""
    options = generate_authentication_options(
        rp_id=rp.id,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(allowed),
        user_verification=(
            UserVerificationRequirement.PREFERRED if second_factor else UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json_dict(options)


def read_new_challenge(credential: Mapping[str, Any]) -> str:
    """The hash of the challenge that a new passkey answers. Raises BadCredential."""
    with _mapped():
        parsed = parse_registration_credential_json(dict(credential))
        return hash_challenge(_client_data(parsed.response.client_data_json).challenge)


def verify_new(rp: RelyingParty, credential: Mapping[str, Any]) -> NewPasskey:
    """Verifies a new passkey, whose challenge is known to be ours. Raises BadCredential."""
    with _mapped():
        parsed = parse_registration_credential_json(dict(credential))
        verified = verify_registration_response(
            credential=parsed,
            expected_challenge=_client_data(parsed.response.client_data_json).challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            supported_pub_key_algs=_ALGORITHMS,
        )
        # It reads the key, but does not look whether it is one: nobody should come to rely on one that never verifies.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
    # The library compares `id` with `rawId`, but neither with what the authenticator made.
    if verified.credential_id != parsed.raw_id or len(verified.credential_id) > MAX_CREDENTIAL_ID:
        raise BadCredential
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=sorted({transport.value for transport in parsed.response.transports or ()}),
        aaguid=verified.aaguid,
        synced=verified.credential_device_type == "multi_device",
        backed_up=verified.credential_backed_up,
    )


def read_assertion(credential: Mapping[str, Any]) -> Shown:
    """What an assertion claims. Raises BadCredential."""
    with _mapped():
        parsed = parse_authentication_credential_json(dict(credential))
        challenge = _client_data(parsed.response.client_data_json).challenge
        return Shown(parsed.raw_id, parsed.response.user_handle, hash_challenge(challenge))


def verify_assertion(
    rp: RelyingParty, credential: Mapping[str, Any], public_key: bytes, *, user_verified: bool
) -> Asserted:
    """Verifies an assertion, whose challenge is known to be ours; the counter is left to the caller. Raises
    BadCredential."""
    with _mapped():
        parsed = parse_authentication_credential_json(dict(credential))
        verified = verify_authentication_response(
            credential=parsed,
            expected_challenge=_client_data(parsed.response.client_data_json).challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            credential_public_key=public_key,
            # The library would judge the counter before the signature, so anyone could make it look suspect.
            credential_current_sign_count=0,
            require_user_verification=user_verified,
        )
    return Asserted(verified.new_sign_count, verified.credential_backed_up)


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[AuthenticatorTransport(name) for name in passkey.transports]
        )
        for passkey in passkeys
    ]


def _client_data(raw: bytes) -> CollectedClientData:
    data = parse_client_data_json(raw)
    if data.cross_origin:
        raise BadCredential("asked for from within another site's page")
    return data


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except _MALFORMED as error:
        raise BadCredential(str(error)) from error
