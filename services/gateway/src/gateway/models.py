"""The gateway's tables. Those with an org are under row-level security; people, sessions and tokens are found by the
gateway alone, before an org is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, FetchedValue, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Their metadata; the schema comes from the role's search_path."""

    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class User(Base):
    """A person with an account; their address is verified, else they are only a Registration."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    personal_org_id: Mapped[UUID]
    version: Mapped[int]
    created_at: Mapped[datetime]
    second_factor: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether the password alone does not sign in: one of their passkeys is asked for as well."""


class Registration(Base):
    """Someone who says that an address is theirs. It becomes a User when the link in the mail is followed."""

    __tablename__ = "registrations"
    __table_args__ = (Index("registrations_email", "email", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class EmailToken(Base):
    """A link that was mailed: `verify` names a registration, `reset` a user. Used once."""

    __tablename__ = "email_tokens"
    __table_args__ = (Index("email_tokens_subject", "purpose", "subject_id"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(Base):
    """A browser that is signed in."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_user", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    user_agent: Mapped[str]
    address: Mapped[str]


class Passkey(Base):
    """A WebAuthn credential: the public half of a key pair in a person's device or password manager."""

    __tablename__ = "passkeys"
    __table_args__ = (Index("passkeys_user", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    """A COSE key."""
    sign_count: Mapped[int]
    transports: Mapped[list[str]]
    aaguid: Mapped[str]
    """The authenticator's model."""
    synced: Mapped[bool]
    """Whether it may be on several devices; `backed_up`: whether it was when last used."""
    backed_up: Mapped[bool]
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyCeremony(Base):
    """A challenge that was given to a browser. It is deleted when it is answered, rightly or not."""

    __tablename__ = "passkey_ceremonies"
    __table_args__ = (
        Index("passkey_ceremonies_user", "user_id"),
        Index("passkey_ceremonies_expiry", "expires_at"),
    )

    challenge_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    """`register`, `sign_in`, or `second_factor` of a sign-in whose password was right."""
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    ticket_hash: Mapped[str | None] = mapped_column(unique=True)
    expires_at: Mapped[datetime]


class ExternalIdentity(Base):
    """An account at another provider that signs a person in."""

    __tablename__ = "external_identities"
    __table_args__ = (Index("external_identities_user", "user_id"),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    """The provider's own id of the account, which unlike its address stays."""
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str]
    """The address that the provider last verified."""
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class OAuthState(Base):
    """A browser that was sent to a provider. It is deleted when it comes back."""

    __tablename__ = "oauth_states"
    __table_args__ = (Index("oauth_states_expiry", "expires_at"),)

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    """Of the cookie that the browser was given: only it may come back."""
    provider: Mapped[str]
    verifier: Mapped[str]
    nonce: Mapped[str]
    next: Mapped[str]
    expires_at: Mapped[datetime]


class Org(Base):
    """Whose proposals they are: a person's own, or a team."""

    __tablename__ = "orgs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    personal: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Membership(Base):
    """Who belongs to which org, as what."""

    __tablename__ = "memberships"
    __table_args__ = (Index("memberships_user", "user_id"),)

    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime]


class MemberVersion(Base):
    """The event version of a membership; it outlives the membership, so that who comes back continues it."""

    __tablename__ = "member_versions"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]


class Invite(Base):
    """A place in an org, offered to one address."""

    __tablename__ = "invites"
    __table_args__ = (
        Index("invites_org", "org_id", "id"),
        Index(
            "invites_open",
            "org_id",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id"))
    email: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKey(Base):
    """A program's way in: acts for the member who made it, in one org, within its scopes."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_org", "org_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id"))
    user_id: Mapped[UUID]
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditRow(Base):
    """Who did what. Rows are added, never changed: the runtime roles hold no other right."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_org", "org_id", "id"),
        Index("audit_chain", "org_id", "seq", unique=True),
    )
    # What the trigger fills in is read when it is needed, not with each insert.
    __mapper_args__ = {"eager_defaults": False}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_id: Mapped[UUID | None]
    actor: Mapped[str]
    """`session`, `api_key` or `system`: how the actor was known."""
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
    request_id: Mapped[str]
    seq: Mapped[int] = mapped_column(server_default=FetchedValue())
    """Place in the org's chain, from 1. This and the hashes are the database's: a trigger sets them."""
    previous: Mapped[str] = mapped_column(server_default=FetchedValue())
    """The hash of the row before; empty in the first."""
    hash: Mapped[str] = mapped_column(server_default=FetchedValue())


class OrgEntitlement(Base):
    """The gateway's copy of what billing last said about an org."""

    __tablename__ = "org_entitlements"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str]
    status: Mapped[str]
    seats: Mapped[int | None]
    ai_per_minute: Mapped[int | None]
    updated_at: Mapped[datetime]


class StaleFacts(Base):
    """Cached facts that a committed change has made wrong, until they are forgotten."""

    __tablename__ = "stale_facts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    keys: Mapped[list[str]]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
