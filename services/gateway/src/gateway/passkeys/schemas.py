"""What the passkey routes take and give. Credentials and options have the names of the WebAuthn standard's JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from common.bodies import RequestBody
from gateway.fields import Name, Token

MAX_ENCODED = 20_000
"""Characters; the largest attestation is a few thousand."""

Encoded = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ENCODED, pattern=r"^[A-Za-z0-9_-]+={0,2}$")]
"""Bytes in base64url."""


class FromBrowser(BaseModel):
    """A browser sends more than we read, and each version may add to it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    def plain(self) -> dict[str, Any]:
        """As the browser sent it, without what we do not read."""
        return self.model_dump(by_alias=True, exclude_none=True)


class AttestationResponse(FromBrowser):
    """What an authenticator says when it makes a passkey."""

    client_data_json: Encoded = Field(alias="clientDataJSON")
    attestation_object: Encoded = Field(alias="attestationObject")
    transports: list[Annotated[str, StringConstraints(max_length=50)]] | None = Field(default=None, max_length=20)


class AssertionResponse(FromBrowser):
    """What an authenticator says when it uses one."""

    client_data_json: Encoded = Field(alias="clientDataJSON")
    authenticator_data: Encoded = Field(alias="authenticatorData")
    signature: Encoded
    user_handle: Encoded | None = Field(default=None, alias="userHandle")


class NewCredential(FromBrowser):
    """RegistrationResponseJSON: what `navigator.credentials.create()` gave."""

    id: Encoded
    raw_id: Encoded = Field(alias="rawId")
    type: Literal["public-key"]
    response: AttestationResponse


class Assertion(FromBrowser):
    """AuthenticationResponseJSON: what `navigator.credentials.get()` gave."""

    id: Encoded
    raw_id: Encoded = Field(alias="rawId")
    type: Literal["public-key"]
    response: AssertionResponse


class NewPasskeyRequest(RequestBody):
    """A passkey just made in the browser, for the options given before."""

    name: Name
    credential: NewCredential


class PasskeyChange(RequestBody):
    """A new name."""

    name: Name


class PasskeySignIn(RequestBody):
    """A sign-in with a passkey, or the second half of one with a password."""

    credential: Assertion
    ticket: Token | None = Field(default=None, description="Of the answer second_factor_required")


class PasskeyView(BaseModel):
    """A passkey, without its key."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    synced: bool = Field(description="Whether it may be on several devices of its owner")


class _Options(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RelyingPartyEntity(_Options):
    """Us."""

    id: str
    name: str


class UserEntity(_Options):
    """For whom a passkey is made."""

    id: str
    name: str
    display_name: str


class Algorithm(_Options):
    """A kind of key that we take, by its COSE number."""

    type: Literal["public-key"]
    alg: int


class Descriptor(_Options):
    """A passkey that exists."""

    id: str
    type: Literal["public-key"]
    transports: list[str] = []


class AuthenticatorSelection(_Options):
    """What we would like of the authenticator."""

    resident_key: str
    require_resident_key: bool
    user_verification: str


class CreationOptions(_Options):
    """PublicKeyCredentialCreationOptionsJSON: what `navigator.credentials.create()` takes."""

    rp: RelyingPartyEntity
    user: UserEntity
    challenge: str
    pub_key_cred_params: list[Algorithm]
    timeout: int
    exclude_credentials: list[Descriptor]
    authenticator_selection: AuthenticatorSelection
    attestation: str


class RequestOptions(_Options):
    """PublicKeyCredentialRequestOptionsJSON: what `navigator.credentials.get()` takes."""

    challenge: str
    timeout: int
    rp_id: str
    allow_credentials: list[Descriptor]
    user_verification: str
